//! `rootlet bench compare`: several devices side by side, and impossible files.

use std::path::{Path, PathBuf};

use rootlet::bench::{self, BenchReport, Part};
use serde_json::{Value, json};

use crate::{rootlet, tiny};

/// A report of this build, as from an idle machine.
fn report() -> BenchReport {
    let mut options = tiny("cpu");
    options.parts = vec![Part::Spmm, Part::Sddmm, Part::Step];
    options.sizes = vec![40];
    options.hidden = vec![16];
    let mut report = bench::run(&options, &mut |_| ()).unwrap();
    report.kernels.iter_mut().for_each(|k| k.doubt = None);
    report.steps.iter_mut().for_each(|s| s.doubt = None);
    report
}

fn write(folder: &Path, name: &str, value: &Value) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, value.to_string()).unwrap();
    path
}

fn compare(files: &[&Path], more: &[&str]) -> assert_cmd::assert::Assert {
    let files: Vec<&str> = files.iter().map(|f| f.to_str().unwrap()).collect();
    rootlet(&[&["compare"], &files[..], more].concat())
}

#[test]
fn devices_stand_side_by_side_and_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let cpu = serde_json::to_value(report()).unwrap();
    let mut gpu = cpu.clone();
    gpu["adapter"]["name"] = json!("A <fast> GPU");
    // Four times as fast in one product, without the step, and with a skipped case.
    let kernel = &mut gpu["kernels"][0];
    kernel["gflop_s"] = json!(kernel["gflop_s"].as_f64().unwrap() * 4.0);
    kernel["operations"] = json!(kernel["operations"].as_u64().unwrap() * 4);
    gpu["ceilings"]["submit_us"] = json!(cpu["ceilings"]["submit_us"].as_f64().unwrap() / 2.0);
    gpu["steps"] = json!([]);
    gpu["skipped"] = json!([{"part": "step", "case": "3072-16-16-10", "reason": "no memory"}]);
    let a = write(folder.path(), "first.json", &cpu);
    let b = write(folder.path(), "second.json", &gpu);
    let figure = folder.path().join("devices.svg");
    let output = compare(&[&a, &b], &["-o", figure.to_str().unwrap()]).success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(
        text.contains("B  A <fast> GPU") && text.contains("second"),
        "{text}"
    );
    let line = |start: &str| {
        text.lines()
            .find(|l| l.starts_with(start))
            .unwrap_or_else(|| panic!("{start}: {text}"))
    };
    assert!(
        line("spmm n = 40, batch 6, 90 %").ends_with("4.00×"),
        "{text}"
    );
    assert!(
        line("sddmm n = 40, batch 6, 90 %").ends_with("1.00×"),
        "{text}"
    );
    // Half the time is twice as fast.
    assert!(
        line("dispatch, µs alone, submitted and waited for").ends_with("2.00×"),
        "{text}"
    );
    assert!(
        line("3072-16-16-10, batch 6, 90 %").ends_with('–'),
        "{text}"
    );
    assert!(
        text.contains("B skipped: step, 3072-16-16-10: no memory"),
        "{text}"
    );

    let svg = std::fs::read_to_string(&figure).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    for part in [
        "A &lt;fast&gt; GPU",
        "spmm n = 40, batch 6",
        "Products, GFLOP/s: more is better",
        "Training steps, ms: less is better",
        "prefers-color-scheme:dark",
    ] {
        assert!(svg.contains(part), "no {part:?} in the figure");
    }
    // Dots: two devices with two products at two sparsities each, one of them with the step; two more in the legend.
    let dots = ["d0", "d1"].map(|device| svg.matches(&format!("class=\"{device}\"")).count());
    assert_eq!(dots, [1 + 4 + 1, 1 + 4]);
    // Nothing lies outside the page: places are shares of its width.
    for place in svg
        .split("cx=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once("%\""))
    {
        if let Ok(share) = place.0.parse::<f64>() {
            assert!((38.0..=95.0).contains(&share), "{share}");
        }
    }
}

/// Equally fast devices have dots beside each other.
#[test]
fn no_dot_hides_another() {
    let folder = tempfile::tempdir().unwrap();
    let value = serde_json::to_value(report()).unwrap();
    let files =
        ["a", "b", "c", "d"].map(|name| write(folder.path(), &format!("{name}.json"), &value));
    let figure = folder.path().join("same.svg");
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    compare(&files, &["-o", figure.to_str().unwrap()]).success();
    let svg = std::fs::read_to_string(&figure).unwrap();
    let number = |text: &str, name: &str| -> f64 {
        let rest = text.split_once(&format!(" {name}=\"")).unwrap().1;
        rest.split(['"', '%']).next().unwrap().parse().unwrap()
    };
    let circles = svg.split("<circle").skip(1);
    let dots: Vec<[f64; 3]> = circles
        .map(|circle| circle.split('>').next().unwrap())
        .filter(|dot| dot.contains("%\""))
        .map(|dot| ["cx", "cy", "r"].map(|name| number(dot, name)))
        .collect();
    assert_eq!(dots.len(), 4 * 5);
    for (i, [_, y, r]) in dots.iter().enumerate() {
        for [_, other, _] in &dots[i + 1..] {
            // Whatever their places across.
            assert!((y - other).abs() >= 2.0 * r, "{y} {other}");
        }
    }
}

/// Figures that a busy machine disturbed are not compared, whether withheld or kept.
#[test]
fn what_is_doubtful_is_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = serde_json::to_value(report()).unwrap();
    let mut busy = quiet.clone();
    busy["kernels"][0]["doubt"] = json!("the machine was busy: its threads waited");
    busy["kernels"].as_array_mut().unwrap().remove(1);
    busy["ceilings"]
        .as_object_mut()
        .unwrap()
        .remove("copy_gb_s");
    busy["ceilings"]["doubts"] = json!({"copy_gb_s": "the machine was busy: samples lie apart"});
    let reason = "the machine was busy: its host gave 30 % of its time to others";
    busy["skipped"] = json!([{"part": "spmm", "case": "n = 40", "reason": reason, "busy": true}]);
    let a = write(folder.path(), "quiet.json", &quiet);
    let b = write(folder.path(), "busy.json", &busy);
    let output = compare(&[&a, &b], &[]).success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    let kernel = &quiet["kernels"][0];
    let start = format!("{} n = 40", kernel["kernel"].as_str().unwrap());
    let without = text
        .lines()
        .filter(|l| l.starts_with(&start) && l.ends_with('–'));
    assert!(without.count() >= 1, "{text}");
    let copy = text.lines().find(|l| l.starts_with("copy, GB/s")).unwrap();
    assert!(copy.ends_with('–'), "{copy}");
    for part in [
        "B not measured: ceilings, copy_gb_s: the machine was busy: samples lie apart",
        "B has 1 doubtful figures, which are not compared: the machine was busy",
        &format!("B not measured: spmm, n = 40: {reason}"),
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

#[test]
fn other_schemas_and_other_code_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = serde_json::to_value(report()).unwrap();
    let a = write(folder.path(), "a.json", &good);
    let refuses = |name: &str, change: &dyn Fn(&mut Value), expected: &[&str]| {
        let mut other = good.clone();
        change(&mut other);
        let b = write(folder.path(), name, &other);
        let output = compare(&[&a, &b], &[]).failure().code(1);
        let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert_eq!(message.matches("error").count(), 1, "{message}");
        for part in expected.iter().chain([&name]) {
            assert!(message.contains(part), "no {part:?} in: {message}");
        }
        assert!(output.get_output().stdout.is_empty());
    };
    refuses(
        "schema.json",
        &|v| v["schema"] = json!(99),
        &["schema version 99", "reads 2"],
    );
    refuses(
        "old.json",
        &|v| {
            v.as_object_mut().unwrap().remove("schema");
        },
        &["no schema version"],
    );
    refuses(
        "version.json",
        &|v| v["code"]["version"] = json!("0.0.1"),
        &["rootlet 0.0.1", "one build"],
    );
    refuses(
        "sources.json",
        &|v| v["code"]["sources"] = json!("0123456789abcdef"),
        &["sources 0123456789abcdef"],
    );
    refuses(
        "peer.json",
        &|v| v["code"]["name"] = json!("pytorch"),
        &["pytorch"],
    );
    refuses(
        "fields.json",
        &|v| v["kernels"][0]["seconds"] = json!("fast"),
        &["not what schema 2 says"],
    );
    refuses("list.json", &|v| *v = json!([1, 2]), &["no schema version"]);
    // Figures that no machine can have measured.
    refuses(
        "negative.json",
        &|v| v["kernels"][0]["gflop_s"] = json!(-5.0),
        &["times that cannot be", "spmm 40"],
    );
    refuses(
        "fast.json",
        &|v| v["kernels"][0]["gflop_s"] = json!(1e30),
        &["times that cannot be", "spmm 40"],
    );
    refuses(
        "wrong.json",
        &|v| v["kernels"][0]["max_error"] = json!(0.5),
        &["a wrong result", "spmm 40"],
    );
    refuses(
        "step.json",
        &|v| v["steps"][0]["seconds"] = json!(0.0),
        &["times that cannot be", "a step of 3072-16-16-10"],
    );
    refuses(
        "round.json",
        &|v| v["steps"][0]["round_seconds"] = json!(-1e-3),
        &["times that cannot be", "a round of 3072-16-16-10"],
    );
    refuses(
        "ceiling.json",
        &|v| v["ceilings"]["copy_gb_s"] = json!(-1.0),
        &["a ceiling that cannot be", "copy_gb_s -1"],
    );

    let text = folder.path().join("text.json");
    std::fs::write(&text, "{ half").unwrap();
    let output = compare(&[&a, &text], &[]).failure().code(1);
    let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(message.contains("is no JSON"), "{message}");
    compare(&[&a], &[]).failure().code(2);
    let missing = folder.path().join("missing.json");
    let output = compare(&[&a, &missing], &[]).failure().code(1);
    let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(message.contains("cannot read"), "{message}");
}
