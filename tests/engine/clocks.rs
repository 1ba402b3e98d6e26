//! Each clock that times work, on each adapter: its readings, and what the program has done.

use rootlet::bench::{Count, CountParams, MultiplyAdd, MultiplyAddParams};
use rootlet::engine::{Class, Device, DeviceOptions, Grid, Plan, TimedBy};

use crate::common::adapters;

const CLOCKS: [TimedBy; 3] = [
    TimedBy::TimestampsInsidePass,
    TimedBy::TimestampsAroundPass,
    TimedBy::ManyDispatches,
];

/// A long dispatch between two short ones; the counter that the short ones raise.
fn work(device: &Device) -> (Plan, rootlet::engine::Buffer) {
    let counter = device.buffer("counter", Class::Scratch, 4).unwrap();
    let output = device.buffer("output", Class::Scratch, 1 << 16).unwrap();
    let mut plan = Plan::new("short, long, short");
    let count = || Count {
        params: CountParams { step: 1 },
        counter: counter.all(),
    };
    plan.dispatch(count(), Grid::Groups(1)).unwrap();
    let params = MultiplyAddParams {
        vectors: 1 << 14,
        iterations: 4096,
        factor: 0.5,
        summand: 0.5,
    };
    let chains = MultiplyAdd {
        params,
        output: output.all(),
    };
    plan.dispatch(chains, Grid::Items(1 << 14)).unwrap();
    plan.dispatch(count(), Grid::Groups(1)).unwrap();
    (plan, counter)
}

#[test]
fn every_clock_tells_the_long_dispatch_from_the_short_ones() {
    for adapter in adapters() {
        let mut long = Vec::new();
        for clock in CLOCKS {
            let options = DeviceOptions {
                timed_by: Some(clock),
                ..Default::default()
            };
            let device = Device::open(&adapter.index.to_string(), &options).unwrap();
            let (plan, counter) = work(&device);
            let program = device.prepare(&plan).unwrap();
            // A pacer may split the first runs.
            device.run(&program).unwrap();
            device.run(&program).unwrap();
            device.wait().unwrap();
            let best = (0..5).map(|_| device.run_timed(&program).unwrap());
            let best = best.min_by(|a, b| a[1].seconds.total_cmp(&b[1].seconds));
            let times = best.unwrap();
            let kernels: Vec<_> = times.iter().map(|time| time.kernel).collect();
            assert_eq!(
                kernels,
                ["bench/count", "bench/multiply_add", "bench/count"]
            );
            assert!(times.iter().all(|time| time.timed_by == clock), "{times:?}");
            assert!(times[1].seconds > 10.0 * times[2].seconds, "{times:?}");
            long.push(times[1].seconds);
            // With timestamps, the program ran exactly as often as requested.
            let runs = device.download::<u32>(&counter.all()).unwrap()[0];
            match clock {
                TimedBy::ManyDispatches => assert!(runs > 4 + 10),
                _ => assert_eq!(runs, 4 + 10),
            }
            let (whole, by) = device.run_whole(&program).unwrap();
            let expected = match clock {
                TimedBy::ManyDispatches => clock,
                _ => TimedBy::TimestampsAroundPass,
            };
            assert_eq!(by, expected);
            assert!(whole > 0.5 * times[1].seconds, "{whole} {times:?}");
        }
        let (least, most) =
            (long.iter()).fold((f64::MAX, 0.0f64), |(l, m), s| (l.min(*s), m.max(*s)));
        assert!(most < 4.0 * least, "{}: {long:?}", adapter.name);
    }
}

#[test]
fn the_cpu_executor_has_its_own() {
    let device = Device::cpu(2).unwrap();
    let (plan, counter) = work(&device);
    let program = device.prepare(&plan).unwrap();
    let times = device.run_timed(&program).unwrap();
    assert!(times.iter().all(|time| time.timed_by == TimedBy::HostClock));
    assert!(times[1].seconds > times[0].seconds);
    let (_, by) = device.run_whole(&program).unwrap();
    assert_eq!(by, TimedBy::HostClock);
    assert_eq!(device.download::<u32>(&counter.all()).unwrap()[0], 4);
}
