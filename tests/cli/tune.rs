//! `rootlet tune`, and `train --tune`.

use serde_json::Value;

use crate::{Desk, Done, newest, small};

/// The tests themselves keep the machine busy.
const MODEL: [&str; 7] = [
    "tune",
    "mlp",
    "--hidden=256,128",
    "--image=3x32x32",
    "--batch=32",
    "--adapter=llvmpipe",
    "--keep-doubtful",
];

/// Uses a cache in the desk's folder.
fn cached(desk: &Desk, arguments: &[&str]) -> Done {
    let mut command = desk.command(arguments);
    let output = command
        .env("ROOTLET_CACHE_DIR", desk.path("cache"))
        .output();
    let done = Done::of(output.unwrap());
    assert_eq!(done.code, Some(0), "{done:?}");
    done
}

fn kept(desk: &Desk) -> Value {
    let text = std::fs::read(desk.path("cache/tuned.json")).unwrap();
    serde_json::from_slice::<Value>(&text).unwrap()["tuned"].clone()
}

#[test]
fn a_model_s_kernels_are_measured_and_kept() {
    let desk = Desk::new();
    let done = cached(&desk, &MODEL);
    for part in [
        "llvmpipe",
        "sparse/spmm rows=256 vectors=8",
        "sparse/sddmm",
        "times as fast",
        "software",
        "8x4",
        "µs",
    ] {
        assert!(
            done.out.contains(part) || part == "sparse/sddmm",
            "no `{part}` in {done:?}"
        );
    }
    assert!(done.err.contains("measured on llvmpipe"), "{done:?}");
    let first = kept(&desk);
    assert!(
        first[0]["shapes"].as_object().unwrap().len() >= 3,
        "{first}"
    );
    // Another batch size is another class of sizes, which is added.
    let more = [&MODEL[..4], &["--batch=128", MODEL[5], MODEL[6], "--json"]].concat();
    let done = cached(&desk, &more);
    let result: Value = serde_json::from_str(&done.out).unwrap();
    let sizes = result["sizes"].as_array().unwrap();
    assert!(
        sizes
            .iter()
            .all(|size| size["gain"].as_f64().unwrap() >= 1.0),
        "{result}"
    );
    let second = kept(&desk);
    assert_eq!(second.as_array().unwrap().len(), 1);
    let lengths = [&first, &second].map(|kept| kept[0]["shapes"].as_object().unwrap().len());
    assert_eq!(lengths[1], lengths[0] + sizes.len());
}

#[test]
fn a_training_measures_what_is_new_to_it_where_that_is_asked_for() {
    let desk = Desk::new();
    let arguments = |tune| {
        small(&[
            "--hidden=300,200",
            "--batch=64",
            "--steps=3",
            "--adapter=llvmpipe",
            tune,
        ])
    };
    let train = |tune| cached(&desk, &arguments(tune)).err;
    // A software adapter does not do so by itself, nor does a training that is told not to.
    assert_eq!(train("--tune=auto"), "");
    assert_eq!(train("--tune=off"), "");
    assert!(!desk.path("cache/tuned.json").exists());
    // On a busy machine it may fail, and is repeated; it keeps what it could measure.
    let measured = |said: &str| said.contains("measured on llvmpipe");
    let until_measured = || {
        for _ in 0..20 {
            let said = train("--tune=on");
            if !said.contains("could not be measured on llvmpipe") {
                return said;
            }
            assert!(said.contains("are measured again another time: the machine was busy"));
        }
        "busy".to_owned()
    };
    let said = until_measured();
    if said == "busy" {
        return;
    }
    assert!(measured(&said) || said.is_empty(), "{said}");
    assert_eq!(train("--tune=on"), "", "it was measured before");
    std::fs::write(desk.path("cache/tuned.json"), "{").unwrap();
    let again = train("--tune=on");
    assert!(again.contains("tuned.json is ignored"), "{again}");
    assert!(
        measured(&again) || again.contains("could not be measured"),
        "{again}"
    );
    // What a newer rootlet has measured must not be replaced.
    let newer = "{\"format\": 7, \"tuned\": 1}";
    std::fs::write(desk.path("cache/tuned.json"), newer).unwrap();
    assert!(train("--tune=on").contains("tuned.json is ignored, and stays as it is"));
    let text = std::fs::read_to_string(desk.path("cache/tuned.json")).unwrap();
    assert_eq!(text, newer);
}

/// A shape that is in the file, but that no kernel has any more.
#[test]
fn choices_that_no_kernel_has_are_told() {
    let desk = Desk::new();
    cached(&desk, &MODEL);
    let path = desk.path("cache/tuned.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let shapes = file["tuned"][0]["shapes"].as_object_mut().unwrap();
    shapes.insert("sparse/spmm rows=3".to_owned(), "99x99".into());
    std::fs::write(&path, file.to_string()).unwrap();
    let train = small(&["--steps=3", "--adapter=llvmpipe", "--tune=on"]);
    let done = cached(&desk, &train);
    let says =
        "1 choice passed over, for the kernels cannot run so: 99x99 for `sparse/spmm rows=3`";
    assert!(done.err.contains(says), "{done:?}");
}

/// Whether kernels are fused changes sums: the run keeps its initial choice, wherever it is resumed.
#[test]
fn whether_kernels_are_fused_is_measured_and_stays_with_the_run() {
    let desk = Desk::new();
    let sizes = ["--hidden=64,32", "--batch=32"];
    let tune = [
        "tune",
        "mlp",
        "--image=1x8x8",
        sizes[0],
        sizes[1],
        MODEL[5],
        MODEL[6],
    ];
    let done = cached(&desk, &[&tune[..], &["--json"]].concat());
    let step = serde_json::from_str::<Value>(&done.out).unwrap()["step"].clone();
    for key in ["fused_seconds", "apart_seconds"] {
        assert!(step[key].as_f64().unwrap() > 0.0, "{step}");
    }
    let class = step["class"].as_str().unwrap();
    let chosen = if step["fused"] == true {
        "fused"
    } else {
        "apart"
    };
    assert_eq!(kept(&desk)[0]["steps"][class], chosen, "{step}");
    // As if the form that a software adapter does not use by itself had been faster.
    let path = desk.path("cache/tuned.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    file["tuned"][0]["steps"][class] = "fused".into();
    std::fs::write(&path, file.to_string()).unwrap();
    let train = |more: &[&str]| {
        let arguments = [&sizes[..], &["--steps=3", "--adapter=llvmpipe"], more].concat();
        let before = desk.runs();
        let done = cached(&desk, &small(&arguments));
        let run = desk.runs().into_iter().find(|run| !before.contains(run));
        (done.err, run.unwrap())
    };
    let config = |run: &std::path::Path| std::fs::read_to_string(run.join("config.toml")).unwrap();
    let said = "the run has --fused true";
    let (err, run) = train(&["--tune=on"]);
    assert!(err.contains("run as one") && err.contains(said), "{err}");
    assert!(
        config(&run).contains("\nfused = true\n"),
        "{}",
        config(&run)
    );
    for more in [vec!["--tune=off"], vec!["--tune=on", "--fused=false"]] {
        let (err, other) = train(&more);
        assert!(!err.contains(said), "{err}");
        assert!(
            !config(&other).contains("fused = true"),
            "{}",
            config(&other)
        );
    }
    let (_, apart) = train(&["--tune=off"]);
    let weights = |run| std::fs::read(newest(run).join("model.safetensors")).unwrap();
    let (_, again) = train(&["--tune=on"]);
    assert!(weights(&run) == weights(&again), "a run repeats to the bit");
    assert!(
        weights(&run) != weights(&apart),
        "sums are in another order"
    );
    // Elsewhere, and without measurements.
    let resumed = [
        "train",
        "--resume",
        crate::text(&run),
        "--steps=6",
        "--adapter=cpu",
    ];
    cached(&desk, &resumed);
    assert!(
        config(&run).contains("\nfused = true\n"),
        "{}",
        config(&run)
    );
    let change = [
        "train",
        "--resume",
        crate::text(&run),
        "--steps=7",
        "--fused=false",
    ];
    desk.bad(&change, 2, &["--fused", "cannot change"]);
    // A word that is neither is reported.
    file["tuned"][0]["steps"][class] = "half".into();
    std::fs::write(&path, file.to_string()).unwrap();
    let (err, _) = train(&["--tune=on"]);
    assert!(
        err.contains("passed over") && err.contains("half for `mlp"),
        "{err}"
    );
}

/// Below which sparsity dense products are faster is kept, and told of layers that are denser.
#[test]
fn layers_that_would_be_faster_densely_are_told() {
    let desk = Desk::new();
    let sizes = ["--hidden=300,200", "--batch=64"];
    let tune = [
        "tune",
        "mlp",
        "--image=1x8x8",
        sizes[0],
        sizes[1],
        MODEL[5],
        MODEL[6],
        "--assignment=uniform",
    ];
    let text = cached(&desk, &tune).out;
    for part in [
        "dense is faster",
        "64 to 300, of the batch itself batch=64 f32 (linear0)",
        "300 to 200 batch=64 f32",
        "gradients of the weights",
        "at 90.0 %",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let json = cached(&desk, &[&tune[..], &["--json"]].concat()).out;
    let layers = serde_json::from_str::<Value>(&json).unwrap()["layers"].clone();
    // The classifier is too small to matter; the first layer needs no gradient at its input.
    let products = |at: usize| layers[at]["products"].as_array().unwrap().clone();
    assert_eq!((products(0).len(), products(1).len()), (2, 3), "{layers}");
    for layer in layers.as_array().unwrap() {
        let all = products(0)
            .into_iter()
            .chain(products(1))
            .chain([layer["together"].clone()]);
        for found in all {
            assert!(found["dense_seconds"].as_f64().unwrap() > 0.0, "{found}");
            assert!(found["sparse_seconds"].as_f64().unwrap() > 0.0, "{found}");
            let crossover = &found["crossover_sparsity"];
            assert!(
                crossover.is_null() || (0.0..=1.0).contains(&crossover.as_f64().unwrap()),
                "{found}"
            );
        }
    }
    let kept = |desk: &Desk| kept(desk)[0]["crossovers"].clone();
    for layer in layers.as_array().unwrap() {
        let class = layer["class"].as_str().unwrap();
        let (kept, found) = (
            &kept(&desk)[class],
            &layer["together"]["crossover_sparsity"],
        );
        let same = match (kept.as_f64(), found.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-12,
            (a, b) => a == b,
        };
        assert!(same, "{kept} is not {found}");
    }
    // As if the second layer were faster densely below 93 %, and the first one only below 60 %.
    let path = desk.path("cache/tuned.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let crossovers = &mut file["tuned"][0]["crossovers"];
    for (layer, sparsity) in [(0, 0.6), (1, 0.93)] {
        crossovers[layers[layer]["class"].as_str().unwrap()] = sparsity.into();
    }
    std::fs::write(&path, file.to_string()).unwrap();
    let says = "dense products were measured as faster for 1 layer: linear1 is 90.0 % sparse, dense is faster below 93.0 %";
    let train = |more: &[&str]| {
        let mut arguments = vec![
            sizes[0],
            "--steps=3",
            "--adapter=llvmpipe",
            "--assignment=uniform",
        ];
        if !more.iter().any(|argument| argument.starts_with("--batch")) {
            arguments.push(sizes[1]);
        }
        cached(&desk, &small(&[&arguments[..], more].concat())).err
    };
    let told = train(&["--tune=on"]);
    assert_eq!(told.matches(says).count(), 1, "{told}");
    assert!(told.contains("--dense-above"), "{told}");
    for silent in [
        &["--tune=off"][..],
        &["--tune=on", "--dense-above=0.1"],
        &["--tune=on", "--batch=32"],
        &["--tune=on", "--sparsity=0.95"],
        &["--tune=on", "--method=gradual"],
        &["--tune=on", "--scope=global"],
    ] {
        let told = train(silent);
        assert!(
            !told.contains("dense products were measured"),
            "{silent:?}: {told}"
        );
    }
    let model = |more: &[&str]| {
        let arguments = [
            "model",
            "mlp",
            "--image=1x8x8",
            sizes[0],
            "--assignment=uniform",
        ];
        cached(&desk, &[&arguments[..], more].concat()).err
    };
    assert!(model(&[sizes[1]]).contains(says));
    assert_eq!(model(&[]), "");
    assert_eq!(model(&["--batch=32"]), "");
    // A number that is no sparsity is reported.
    file["tuned"][0]["crossovers"]["x"] = 1.5.into();
    std::fs::write(&path, file.to_string()).unwrap();
    let told = train(&["--tune=on"]);
    assert!(
        told.contains("passed over") && told.contains("a sparsity of 1.5 for `x`"),
        "{told}"
    );
}

#[test]
fn a_model_too_small_to_measure_is_told() {
    let desk = Desk::new();
    let small = [
        "tune",
        "mlp",
        "--hidden=4",
        "--image=1x8x8",
        "--batch=4",
        MODEL[5],
    ];
    let done = cached(&desk, &small);
    assert!(
        done.err.contains("no product of mlp is large enough"),
        "{done:?}"
    );
}

#[test]
fn the_cpu_has_no_variants() {
    let desk = Desk::new();
    desk.bad(
        &["tune", "mlp", "--adapter=cpu"],
        2,
        &["no variants", "rootlet adapters"],
    );
    desk.bad(&small(&["--tune=on"]), 2, &["--tune", "no workgroups"]);
    // An argument, not a flag.
    for command in ["tune", "model", "flops"] {
        let done = desk.bad(
            &[command, "nonsense"],
            2,
            &["NAME must be one of mlp", "nonsense"],
        );
        assert!(!done.err.contains("--model"), "{done:?}");
    }
    desk.bad(&["tune"], 2, &["NAME"]);
}
