//! The figures of every part on every adapter.

use std::time::Duration;

use rootlet::bench::{self, Bound, Finding, Part, Table, TimedBy};

use crate::{choices, tiny};

#[test]
fn every_part_is_measured_on_every_adapter() {
    for adapter in choices() {
        let options = tiny(&adapter);
        let mut table = Table::default();
        let mut text = String::new();
        let mut kinds = Vec::new();
        let report = bench::run(&options, &mut |finding| {
            kinds.push(match finding {
                Finding::Activations(_) => 'p',
                Finding::Adapter(_) => 'a',
                Finding::Ceilings(_) => 'c',
                Finding::Kernel(_) => 'k',
                Finding::Crossover(_) => 'x',
                Finding::Step(_) => 's',
                Finding::Model(_) => 'm',
                Finding::Scaling(_) => 'w',
                Finding::Exponents(_) => 'e',
                Finding::Skipped(_) => '-',
            });
            text.push_str(&table.lines(finding));
            text.push('\n');
        })
        .unwrap();
        let kinds: String = kinds.into_iter().collect();
        // The CPU has no workgroups; another adapter may lack subgroups.
        let left_out = kinds.matches('-').count();
        assert_eq!(left_out, report.skipped.len());
        match adapter.as_str() {
            "cpu" => assert_eq!(left_out, 3),
            _ => assert!(left_out <= 1),
        }
        assert_eq!(
            kinds.replace('-', ""),
            format!("ac{}ssmwwe", "k".repeat(18)),
            "{adapter}"
        );

        let ceilings = report.ceilings.unwrap();
        for value in [
            ceilings.copy_gb_s.unwrap(),
            ceilings.vec4_loads_gelem_s.unwrap(),
            ceilings.vec4_loads_sequential_gelem_s.unwrap(),
            ceilings.multiply_add_gflop_s.unwrap(),
            ceilings.submit_us.unwrap(),
            ceilings.readback_us.unwrap(),
        ] {
            assert!(value > 0.0 && value.is_finite(), "{adapter}: {value}");
        }
        assert!(ceilings.dispatch_us.unwrap() >= 0.0);
        let together = [
            ceilings.barrier_ns,
            ceilings.sum_memory_ns,
            ceilings.sum_subgroups_ns,
        ];
        assert_eq!(together.iter().flatten().count(), 3 - left_out);
        assert!(together.iter().flatten().all(|ns| *ns >= 0.0));
        // The host's cost of a submission is only reported for adapters.
        assert_eq!(ceilings.encode_us.is_none(), adapter == "cpu");
        let found = 11 - left_out - usize::from(adapter == "cpu");
        assert_eq!(ceilings.spread.len(), found + 2 * ceilings.loads.len());
        let sets: Vec<u64> = ceilings.loads.iter().map(|rate| rate.bytes).collect();
        assert_eq!(sets, options.working_sets);
        for rate in &ceilings.loads {
            let rates = [rate.random_gb_s, rate.sequential_gb_s].map(Option::unwrap);
            assert!(rates.iter().all(|r| *r > 0.0 && r.is_finite()), "{rate:?}");
        }
        let clock = match adapter.as_str() {
            "cpu" => TimedBy::HostClock,
            _ => TimedBy::TimestampsAroundPass,
        };
        // On a busy machine, timestamps of short runs may not be credible compared with the time that passed.
        let timed = |by: Option<TimedBy>| {
            let by = by.unwrap();
            by == clock || (adapter != "cpu" && by == TimedBy::ManyDispatches)
        };
        assert!(timed(ceilings.timed_by), "{:?}", ceilings.timed_by);
        for (name, s) in &ceilings.spread {
            let ordered = s.min <= s.q1 && s.q1 <= s.q3 && s.q3 <= s.max;
            assert!(ordered && s.samples >= 3, "{name}: {s:?}");
        }
        for k in &report.kernels {
            let n = k.n.unwrap();
            let dense = (n * n) as f64;
            let full = k.kernel.starts_with("dense");
            assert_eq!((k.rows, k.cols, full), (n, n, k.loads_gelem_s.is_none()));
            assert_eq!(k.connections as f64, (dense * (1.0 - k.sparsity)).round());
            let operations = 2.0 * (k.connections * k.batch) as f64;
            assert_eq!(k.operations as f64, operations);
            assert!(timed(k.timed_by), "{k:?}");
            assert!((k.bytes as f64 / 1e9 / k.seconds / k.gb_s - 1.0).abs() < 1e-6);
            assert!((k.gflop_s * 1e9 * k.seconds / operations - 1.0).abs() < 1e-9);
            assert!(k.max_error > 0.0 && k.max_error < 1e-4, "{k:?}");
            let spread = k.seconds_spread;
            assert!(spread.q1 <= k.seconds && k.seconds <= spread.q3, "{k:?}");
            // Input and output at least, and all connections.
            let bytes = (k.gb_s * 1e9 * k.seconds).round();
            let connection = if full { 4 } else { 8 };
            assert!(bytes >= (n * 2 * 8 * 4 + connection * k.connections) as f64);
            // On a busy machine with varying speed it may be far from 1, but it is a share.
            let share = k.share_of_ceiling.unwrap();
            assert!(share > 0.0 && share < 100.0, "{k:?}");
            assert!(matches!(
                k.bound,
                Bound::Loads | Bound::Arithmetic | Bound::Dispatch
            ));
        }
        for s in &report.steps {
            assert_eq!(s.layers.iter().sum::<usize>(), s.connections);
            assert!(s.seconds > 0.0 && s.round_seconds > 0.0 && s.max_error < 1e-4);
            assert!((s.round_in_steps * s.seconds / s.round_seconds - 1.0).abs() < 1e-9);
            assert!(s.bytes["connections"] >= 12 * s.connections as u64);
            assert!(s.bytes["data"] >= 3072 * 8 * 4);
        }
        let [model] = &report.models[..] else {
            panic!("{:?}", report.models)
        };
        assert!(model.seconds > 0.0 && model.bytes["activations"] > 0);
        assert!(model.round_seconds > 0.0 && model.round_in_steps > 0.0);
        assert_eq!(model.max_error.is_none(), adapter == "cpu");
        let shares: f64 = model.kernels.iter().map(|k| k.share).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{shares}");
        let clock = match adapter.as_str() {
            "cpu" => TimedBy::HostClock,
            _ => TimedBy::TimestampsInsidePass,
        };
        assert_eq!(model.kernels_timed_by, Some(clock));
        assert!(model.kernels.iter().all(|k| k.bytes > 0));
        let calls = |name: &str| {
            model
                .kernels
                .iter()
                .find(|k| k.kernel == name)
                .unwrap()
                .calls
        };
        assert_eq!(
            (calls("sparse/conv"), calls("sparse/conv_transposed")),
            (19, 18)
        );
        let [narrow, wide] = &report.scaling[..] else {
            panic!("{:?}", report.scaling)
        };
        assert_eq!(narrow.connections, 32 * (32 + 32 + 10));
        assert_eq!(wide.connections, 32 * (64 + 64 + 10));
        assert!(wide.resident_bytes > narrow.resident_bytes);
        assert!(report.exponents.unwrap().resident_bytes < 1.1);
        for heading in [
            "ceilings  ",
            "kernel  ",
            "training step  ",
            "resnet20, batch 6",
            "scaling  ",
            "growth: ",
        ] {
            assert_eq!(text.matches(heading).count(), 1, "{text}");
        }
    }
}

/// Only on the CPU executor and for one layer, because they have their real sizes.
#[test]
fn the_crossover_is_measured_layer_by_layer() {
    let mut options = tiny("cpu");
    options.parts = vec![Part::Crossover];
    options.batch = 4;
    // There is nothing to predict the first one from.
    options.limit = Duration::from_nanos(1);
    let mut table = Table::default();
    let mut text = String::new();
    let report = bench::run(&options, &mut |finding| {
        text.push_str(&table.lines(finding));
    })
    .unwrap();
    let [figure] = &report.crossover[..] else {
        panic!("{:?}", report.crossover)
    };
    assert_eq!(report.skipped.len(), 5);
    assert_eq!((figure.batch, figure.densities.len()), (4, 8));
    let rising = figure.densities.windows(2);
    assert!(
        rising
            .into_iter()
            .all(|pair| pair[0].density < pair[1].density)
    );
    let all = figure.densities.iter();
    assert!(
        all.into_iter()
            .all(|at| at.sparse_seconds > 0.0 && at.dense_seconds > 0.0)
    );
    assert!(
        figure.tie.is_none_or(|tie| (0.1..=1.0).contains(&tie)),
        "{figure:?}"
    );
    assert!(text.contains(&figure.layer), "{text}");
}
