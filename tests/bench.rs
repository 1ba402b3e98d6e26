//! The benchmark: its JSON is complete, its figures hang together, its kernels agree with their twins, its mistakes are errors.

use std::time::Duration;

use assert_cmd::Command;
use rootlet::bench::{
    self, BenchOptions, Bound, Copy, CopyParams, Count, CountParams, Finding, Load, LoadParams,
    MultiplyAdd, MultiplyAddParams, Part, Table,
};
use rootlet::engine::{AdapterSummary, Class, Device, DeviceOptions, Grid, Plan, adapter};
use serde_json::Value;

/// The usable wgpu adapters. Having none is a failure: nothing would be tested.
fn adapters() -> Vec<AdapterSummary> {
    let usable: Vec<_> = adapter::list().into_iter().filter(|a| a.usable).collect();
    assert!(
        !usable.is_empty(),
        "no usable wgpu adapter; on Debian or Ubuntu `apt-get install mesa-vulkan-drivers libvulkan1` installs one"
    );
    usable
}

/// What to pass as `--adapter`: the CPU executor, and every adapter.
fn choices() -> Vec<String> {
    let indices = adapters().into_iter().map(|a| a.index.to_string());
    std::iter::once("cpu".to_owned()).chain(indices).collect()
}

fn tiny(adapter: &str) -> BenchOptions {
    BenchOptions {
        adapter: adapter.to_owned(),
        threads: 2,
        sizes: vec![40, 100],
        sparsities: vec![0.0, 0.9],
        step_sparsity: 0.9,
        scaling_sizes: vec![32, 64],
        batch: 6,
        models: vec!["resnet20".to_owned()],
        checkpoint_activations: false,
        budget: Duration::from_millis(2),
        parts: Part::ALL.to_vec(),
    }
}

#[test]
fn every_part_is_measured_on_every_adapter() {
    for adapter in choices() {
        let options = tiny(&adapter);
        let mut table = Table::default();
        let mut text = String::new();
        let mut kinds = Vec::new();
        let report = bench::run(&options, &mut |finding| {
            kinds.push(match finding {
                Finding::Adapter(_) => 'a',
                Finding::Ceilings(_) => 'c',
                Finding::Kernel(_) => 'k',
                Finding::Step(_) => 's',
                Finding::Model(_) => 'm',
                Finding::Scaling(_) => 'w',
                Finding::Exponents(_) => 'e',
            });
            text.push_str(&table.lines(finding));
            text.push('\n');
        })
        .unwrap();
        let kinds: String = kinds.into_iter().collect();
        assert_eq!(kinds, "ackkkkkkkkkkkkssmwwe", "{adapter}");

        let ceilings = report.ceilings.unwrap();
        for value in [
            ceilings.copy_gb_s,
            ceilings.vec4_loads_gelem_s,
            ceilings.vec4_loads_sequential_gelem_s,
            ceilings.multiply_add_gflop_s,
            ceilings.submit_us,
            ceilings.readback_us,
        ] {
            assert!(value > 0.0 && value.is_finite(), "{adapter}: {value}");
        }
        assert!(ceilings.dispatch_us >= 0.0);
        for k in &report.kernels {
            let dense = (k.n * k.n) as f64;
            assert_eq!(k.connections as f64, (dense * (1.0 - k.sparsity)).round());
            let operations = 2.0 * (k.connections * k.batch) as f64;
            assert!((k.gflop_s * 1e9 * k.seconds / operations - 1.0).abs() < 1e-9);
            assert!(k.max_error > 0.0 && k.max_error < 1e-4, "{k:?}");
            // Far from 1 where a busy machine was slower at one time than at another, but a share.
            assert!(
                k.share_of_ceiling > 0.0 && k.share_of_ceiling < 100.0,
                "{k:?}"
            );
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
        let shares: f64 = model.kernels.iter().map(|k| k.share).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{shares}");
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
            "ceilings\n",
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

fn rootlet(arguments: &[&str]) -> assert_cmd::assert::Assert {
    Command::new(env!("CARGO_BIN_EXE_rootlet"))
        .env_remove("ROOTLET_ADAPTER")
        .arg("bench")
        .args(arguments)
        .assert()
}

/// Every field that `benches/peers/README.md` names.
#[test]
fn the_json_holds_what_the_comparison_expects() {
    let small = [
        "--adapter",
        "cpu",
        "--threads",
        "2",
        "--sizes",
        "32",
        "--sparsities",
        "0.5,0.75",
        "--batch",
        "5",
        "--seconds",
        "0.001",
        "--scaling",
        "--scaling-sizes",
        "16,32",
        "--step-sparsity",
        "0.9",
    ];
    let output = rootlet(&[&small[..], &["--json", "-"]].concat()).success();
    let json: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let has = |object: &Value, fields: &str| {
        for field in fields.split(' ') {
            assert!(!object[field].is_null(), "{field} is missing in {object}");
        }
    };
    has(&json["adapter"], "name backend device_type driver");
    has(
        &json["ceilings"],
        "copy_gb_s vec4_loads_gelem_s multiply_add_gflop_s dispatch_us readback_us",
    );
    let kernels = json["kernels"].as_array().unwrap();
    let names: Vec<_> = kernels
        .iter()
        .map(|k| k["kernel"].as_str().unwrap())
        .collect();
    let expected = ["spmm", "spmm_transposed", "sddmm"];
    assert_eq!(names, [expected, expected].concat());
    for kernel in kernels {
        has(
            kernel,
            "kernel n batch sparsity seconds gflop_s bound share_of_ceiling max_error",
        );
        assert_eq!((&kernel["n"], &kernel["batch"]), (&32.into(), &5.into()));
    }
    let step = &json["steps"][0];
    has(
        step,
        "model sparsity batch seconds round_seconds round_in_steps connections bytes layers",
    );
    assert_eq!(step["model"], "3072-32-32-10");
    has(&step["bytes"], "connections activations data scratch");
    let scaling = json["scaling"].as_array().unwrap();
    assert_eq!(scaling.len(), 2);
    for entry in scaling {
        has(
            entry,
            "n connections step_seconds round_seconds resident_bytes",
        );
    }

    // To a file, with the table on standard output; one part only.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cpu.json");
    let name = file.to_str().unwrap();
    let narrow = [
        "--adapter",
        "cpu",
        "--only",
        "step",
        "--sizes",
        "16",
        "--seconds",
        "0.001",
        "--json",
        name,
    ];
    let output = rootlet(&narrow).success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(
        text.contains("training step") && !text.contains("ceilings"),
        "{text}"
    );
    let json: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert!(json.get("ceilings").is_none());
    assert_eq!(json["kernels"], Value::Array(vec![]));
    assert_eq!(json["steps"].as_array().unwrap().len(), 1);
}

#[test]
fn a_bad_value_is_one_clear_error() {
    let fails = |arguments: &[&str], expected: &str| {
        let output = rootlet(arguments).failure().code(2);
        let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(message.contains(expected), "{arguments:?}: {message}");
        assert_eq!(message.matches("error").count(), 1, "{message}");
    };
    fails(&["--only", "spmv"], "possible values: ceilings, spmm,");
    fails(&["--sparsities", "1.0"], "a number from 0 to below 1");
    fails(&["--step-sparsity", "-0.1"], "a number from 0 to below 1");
    fails(&["--sizes", "0"], "0 is not in 1..=1048576");
    fails(&["--batch", "0"], "0 is not in 1..=65536");
    fails(&["--seconds", "0"], "a number of seconds above 0");
    fails(&["--seconds", "NaN"], "a number of seconds above 0");
    let sparse = [
        "--adapter",
        "cpu",
        "--only",
        "spmm",
        "--sizes",
        "2",
        "--sparsities",
        "0.99",
        "--seconds",
        "0.001",
    ];
    fails(&sparse, "without a connection");
    let output = rootlet(&["--adapter", "no such adapter"]).failure().code(1);
    let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(message.contains("choose one of: cpu"), "{message}");
    let nowhere = [
        "--adapter",
        "cpu",
        "--only",
        "step",
        "--sizes",
        "8",
        "--seconds",
        "0.001",
        "--json",
        "/no/such/x.json",
    ];
    let output = rootlet(&nowhere).failure().code(1);
    let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(
        message.contains("cannot write /no/such/x.json"),
        "{message}"
    );
}

/// A library user's options are checked as the command line's are.
#[test]
fn options_are_checked() {
    let refuse = |change: fn(&mut BenchOptions), expected: &str| {
        let mut options = tiny("cpu");
        change(&mut options);
        let message = bench::run(&options, &mut |_| ()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    refuse(
        |o| {
            o.parts.clear();
            o.models.clear();
        },
        "nothing to measure",
    );
    refuse(|o| o.batch = 0, "start at 1");
    refuse(|o| o.sizes.push(0), "start at 1");
    refuse(|o| o.sparsities.push(f64::NAN), "outside [0, 1)");
    refuse(|o| o.step_sparsity = 1.0, "outside [0, 1)");
}

/// The ceilings' kernels on their CPU twins, over outputs full of noise.
#[test]
fn kernels_agree_with_their_twins() {
    for choice in choices() {
        let device = Device::open(&choice, &DeviceOptions::default()).unwrap();
        let noise = |words: usize, key: u32| -> Vec<f32> {
            (0..words as u32)
                .map(|i| {
                    (i.wrapping_mul(2_654_435_761).wrapping_add(key) >> 8) as f32 / 8_388_608.0
                        - 1.0
                })
                .collect()
        };
        let filled = |label: &str, words: usize, key: u32| {
            device
                .buffer_with(label, Class::Scratch, &noise(words, key))
                .unwrap()
        };
        let mut plan = Plan::new("bench kernels");
        for vectors in [1, 63, 257, 5000] {
            let copy = Copy {
                params: CopyParams { vectors },
                input: filled("input", 20_004, 1).all(),
                output: filled("output", 20_004, 2).all(),
            };
            plan.dispatch(copy, Grid::Items(vectors as usize)).unwrap();
            let chains = MultiplyAdd {
                params: MultiplyAddParams {
                    vectors,
                    iterations: 40,
                    factor: 0.97,
                    summand: 0.3,
                },
                output: filled("output", 20_004, 3).all(),
            };
            plan.dispatch(chains, Grid::Items(vectors as usize))
                .unwrap();
        }
        for (rows, vectors, input_rows, terms) in [
            (1, 1, 1, 1),
            (37, 3, 29, 5),
            (70, 32, 300, 0),
            (33, 37, 1000, 64),
            (5, 33, 65_536, 9),
        ] {
            for (multiplier, increment) in [(1_664_525, 1_013_904_223), (1, 1 << 20)] {
                let load = Load {
                    params: LoadParams {
                        rows,
                        vectors,
                        input_rows,
                        terms,
                        multiplier,
                        increment,
                    },
                    input: filled("input", (input_rows * vectors * 4) as usize, 4).all(),
                    output: filled("output", (rows * vectors * 4) as usize, 5).all(),
                };
                plan.dispatch(load, Grid::Rows(rows as usize)).unwrap();
            }
        }
        let counter = device
            .buffer_with("counter", Class::Scratch, &[7u32, 8, 9, 10])
            .unwrap();
        for step in [1, 5] {
            let count = Count {
                params: CountParams { step },
                counter: counter.all(),
            };
            plan.dispatch(count, Grid::Groups(1)).unwrap();
        }
        let program = device.prepare(&plan).unwrap();
        let checks = device.run_checked(&program, "").unwrap();
        assert_eq!(checks.len(), plan.dispatches().len());
        for check in checks {
            check.verdict().unwrap();
        }
        assert_eq!(
            device.download::<u32>(&counter.all()).unwrap(),
            [13, 8, 9, 10]
        );
    }
    assert_eq!(bench::kernels().len(), 4);
}
