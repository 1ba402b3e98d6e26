//! What safe code can do with the CPU executor: share it among rayon's tasks, call it from within a twin, forge a
//! kernel.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use rayon::prelude::*;
use rootlet::engine::kernel::{BindingInfo, BindingKind, Variants};
use rootlet::engine::loops::{NONE, Piece};
use rootlet::engine::{Buffer, Class, Device, Grid, Kernel, KernelInfo, Plan, Program, View};

use crate::common::says;
use crate::scale::Use;

/// Does something that must end.
fn in_time(work: impl FnOnce() + Send + 'static) {
    let (done, end) = mpsc::channel();
    std::thread::spawn(move || {
        work();
        done.send(()).unwrap();
    });
    // Panics in the thread close the channel, and are reported separately.
    end.recv_timeout(Duration::from_secs(120))
        .expect("a deadlock, or a panic");
}

#[test]
#[allow(clippy::disallowed_methods)] // A pool of the caller.
fn rayons_tasks_share_a_cpu_device() {
    in_time(|| {
        let device = Device::cpu(2).unwrap();
        // Long enough for a waiting thread to start another task.
        let used = Use::new(&device, 1 << 16);
        used.set_step(&device, 1);
        let program = device.prepare(&used.plan).unwrap();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(4)
            .build()
            .unwrap();
        pool.install(|| {
            (0..400).into_par_iter().for_each(|_| {
                device.run(&program).unwrap();
                let output: Vec<f32> = device.download(&used.output.range(0..2)).unwrap();
                assert_eq!(output, [-2.5, -1.5]);
            });
        });
    });
}

/// A kernel over two bindings of four words, with a twin that does what it should not.
struct Forged<const WAY: u32> {
    views: Vec<View>,
}

static BUSY: OnceLock<(Arc<Device>, Program, Buffer)> = OnceLock::new();

impl<const WAY: u32> Kernel for Forged<WAY> {
    const INFO: &'static KernelInfo = &KernelInfo {
        name: "tests/forged",
        source: "",
        params: &[],
        bindings: &[
            BindingInfo {
                name: "input",
                kind: BindingKind::Read("f32"),
            },
            BindingInfo {
                name: "output",
                kind: BindingKind::Write("f32"),
            },
        ],
        parts: false,
        pieces: |_, grid, _| Piece::whole(grid, NONE),
        variants: Variants::NONE,
        chain: None,
        twin: |call| match WAY {
            0 => call.write::<f32>(1).fill(7.0),
            1 => {
                let (a, b) = (call.write::<f32>(1), call.write::<f32>(1));
                a[0] = 1.0;
                b[0] = 2.0;
            }
            2 => call.write::<f32>(0).fill(1.0),
            3 => assert_eq!(call.read::<f32>(1).len(), 4),
            4 => {
                call.write::<f32>(1).fill(1.0);
                (Forged::<0>::INFO.twin)(call);
            }
            5 => call.write::<f32>(2).fill(1.0),
            _ => {
                let (device, program, buffer) = BUSY.get().unwrap();
                says(
                    device.run(program),
                    &["a kernel's twin", "cannot use the device"],
                );
                says(
                    device.download::<f32>(&buffer.all()),
                    &["cannot use the device"],
                );
                says(
                    device.upload(&buffer.all(), &[0f32; 4]),
                    &["cannot use the device"],
                );
                call.write::<f32>(1).fill(9.0);
            }
        },
    };

    fn params(&self) -> &[u8] {
        &[]
    }

    fn views(self) -> Vec<View> {
        self.views
    }
}

fn plan<const WAY: u32>(views: &[&Buffer]) -> rootlet::Result<Plan> {
    let views = views.iter().map(|b| b.all()).collect();
    let mut plan = Plan::new("forged");
    plan.dispatch(Forged::<WAY> { views }, Grid::Items(4))?;
    Ok(plan)
}

#[test]
fn a_forged_twin_gets_no_memory_twice() {
    let device = Device::cpu(1).unwrap();
    let buffer = |label| device.buffer(label, Class::Scratch, 4).unwrap();
    let (x, y, z) = (buffer("x"), buffer("y"), buffer("z"));
    let run = |plan: rootlet::Result<Plan>| {
        let program = device.prepare(&plan.unwrap()).unwrap();
        let run = || device.run(&program).unwrap();
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(()) => String::new(),
            Err(panic) => *panic.downcast::<String>().unwrap(),
        }
    };
    assert_eq!(run(plan::<0>(&[&x, &y])), "");
    assert!(run(plan::<1>(&[&x, &y])).contains("`output` is handed out once"));
    assert!(run(plan::<2>(&[&x, &y])).contains("`input` is declared to be read"));
    assert!(run(plan::<3>(&[&x, &y])).contains("`output` is declared to be written"));
    assert!(run(plan::<4>(&[&x, &y])).contains("`output` is handed out once"));
    assert!(run(plan::<5>(&[&x, &y])).contains("out of bounds"));
    // More or fewer buffers than the kernel declares would be missed when it is asked what overlaps.
    for views in [&[&x, &y, &z][..], &[&x, &y, &y], &[&y], &[]] {
        says(
            plan::<0>(views).map(|_| ()),
            &["`tests/forged` has 2 bindings"],
        );
    }
    says(plan::<0>(&[&x, &x]).map(|_| ()), &["the same buffer"]);
    // The device lives on.
    assert_eq!(run(plan::<0>(&[&x, &y])), "");
    assert_eq!(device.download::<f32>(&y.all()).unwrap(), [7.0; 4]);
}

#[test]
fn a_twin_that_asks_its_own_device_hears_an_error() {
    in_time(|| {
        let device = Arc::new(Device::cpu(2).unwrap());
        let buffer = |label| device.buffer(label, Class::Scratch, 4).unwrap();
        let (x, y) = (buffer("x"), buffer("y"));
        let program = device.prepare(&plan::<0>(&[&x, &y]).unwrap()).unwrap();
        assert!(BUSY.set((device.clone(), program, x.clone())).is_ok());
        let asking = device.prepare(&plan::<6>(&[&x, &y]).unwrap()).unwrap();
        device.run(&asking).unwrap();
        assert_eq!(device.download::<f32>(&y.all()).unwrap(), [9.0; 4]);
    });
}
