//! `rootlet tune`, and `train --tune`.

use serde_json::Value;

use crate::{Desk, Done, small};

const MODEL: [&str; 6] = [
    "tune",
    "mlp",
    "--hidden=256,128",
    "--image=3x32x32",
    "--batch=32",
    "--adapter=llvmpipe",
];

/// With the cache in the desk's folder.
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
    // Another batch is other sizes, which are added.
    let more = [&MODEL[..4], &["--batch=128", MODEL[5], "--json"]].concat();
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
    // A software adapter by itself does not, nor a training that is told not to.
    assert_eq!(train("--tune=auto"), "");
    assert_eq!(train("--tune=off"), "");
    assert!(!desk.path("cache/tuned.json").exists());
    assert!(train("--tune=on").contains("measured on llvmpipe"));
    assert_eq!(train("--tune=on"), "", "it was measured before");
    std::fs::write(desk.path("cache/tuned.json"), "{").unwrap();
    let again = train("--tune=on");
    assert!(
        again.contains("tuned.json is ignored") && again.contains("measured on"),
        "{again}"
    );
    assert_eq!(train("--tune=on"), "");
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
    desk.bad(&["tune", "nonsense"], 2, &["nonsense"]);
    desk.bad(&["tune"], 2, &["NAME"]);
}
