//! The command line: its JSON, its files, and mistakes.

use serde_json::Value;

use crate::rootlet;

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
        "--only",
        "spmm,spmm_transposed,sddmm,step",
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
        "copy_gb_s multiply_add_gflop_s dispatch_us submit_us spread",
    );
    has(&json, "schema date skipped");
    has(&json["code"], "name version sources");
    assert_eq!(json["code"]["sources"].as_str().unwrap().len(), 16);
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
            "kernel n rows cols batch sparsity seconds gflop_s gb_s share_of_copy bound share_of_ceiling max_error",
        );
        has(&kernel["seconds_spread"], "min q1 q3 max samples");
        assert_eq!((&kernel["n"], &kernel["batch"]), (&32.into(), &5.into()));
    }
    let step = &json["steps"][0];
    has(
        step,
        "model sparsity batch seconds seconds_spread round_seconds round_spread round_in_steps connections bytes layers",
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

    // Only what the products are compared with; but for all of them if that is requested.
    for field in [
        "vec4_loads_gelem_s",
        "readback_us",
        "barrier_ns",
        "sum_memory_ns",
    ] {
        assert!(json["ceilings"][field].is_null(), "{field} was measured");
        assert!(
            json["ceilings"]["spread"][field].is_null(),
            "{field} was measured"
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
    fails(
        &["--sizes", "0"],
        "it must be a whole number from 1 to 1048576",
    );
    fails(
        &["--batch", "0"],
        "it must be a whole number from 1 to 65536",
    );
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
    assert!(output.get_output().stdout.is_empty(), "it measured first");
}

/// An impossible case is skipped by name, and the rest is measured.
#[test]
fn a_case_that_cannot_be_takes_no_figures_away() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.json");
    let arguments = [
        "--adapter=cpu",
        "--only=spmm,step,model",
        "--sizes=3,256",
        "--hidden=4",
        "--sparsities=0.9999,0.9",
        "--step-sparsity=0.9999",
        "--models=resnet20",
        "--seconds=0.001",
        "--json",
        file.to_str().unwrap(),
    ];
    rootlet(&arguments).success();
    let json: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    // 3 × 3 at 0.9 has one connection, 256 × 256 at both some.
    assert_eq!(json["kernels"].as_array().unwrap().len(), 3, "{json}");
    let skipped = json["skipped"].as_array().unwrap();
    for (part, case) in [("spmm", "n = 3, sparsity 0.9999"), ("step", "3072-4-4-10")] {
        let of_case = skipped
            .iter()
            .find(|s| s["part"] == part && s["case"] == case);
        let reason = of_case.unwrap_or_else(|| panic!("{case}: {json}"))["reason"].to_string();
        assert!(reason.contains("without a connection"), "{reason}");
    }
    let unknown = rootlet(&["--adapter=cpu", "--models=resnet20,nonsense"])
        .failure()
        .code(2);
    let message = String::from_utf8_lossy(&unknown.get_output().stderr).into_owned();
    assert!(message.contains("nonsense"), "{message}");
    assert!(unknown.get_output().stdout.is_empty(), "it measured first");
}
