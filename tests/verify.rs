//! `rootlet verify` reaches every kernel, passes on this machine's adapters, and catches what is broken.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use rootlet::engine::{Device, DeviceOptions, Pace, WorkgroupShape};
use rootlet::kernels::kernels;
use rootlet::verify::{Depth, Report, verify, verify_devices};

fn quietly(_: &str, _: f64) -> rootlet::Result<()> {
    Ok(())
}

fn assert_whole(report: &Report) {
    println!("{report}");
    let reached: BTreeSet<&str> = report.kernels.0.keys().map(String::as_str).collect();
    let all: BTreeSet<&str> = kernels().iter().map(|k| k.name).collect();
    // They take the place of recorded ones in other shapes: tests/training/variants.rs runs them.
    let replacing = kernels().into_iter().filter_map(|k| k.variants.subgroups);
    let replacing: BTreeSet<&str> = replacing.map(|kernel| kernel.name).collect();
    let missed = all.difference(&reached);
    let missed: Vec<_> = missed.filter(|name| !replacing.contains(*name)).collect();
    assert!(missed.is_empty(), "no problem reaches {missed:?}");
    assert!(reached.is_subset(&all), "{reached:?}");
    report.verdict().unwrap();
}

/// What a first training on an adapter runs.
#[test]
fn the_quick_form_reaches_every_kernel() {
    for adapter in common::adapters() {
        let choice = adapter.index.to_string();
        assert_whole(&verify(&choice, 2, Depth::Quick, &mut quietly).unwrap());
    }
}

/// Every dispatch of every kernel in ranges of its workgroups, as hardware runs those that would take too long.
#[test]
fn every_kernel_in_ranges_agrees_with_its_twin() {
    for adapter in common::adapters() {
        let options = DeviceOptions {
            pace: Some(Pace::Ranges(3)),
            shape: Some(WorkgroupShape::HARDWARE),
            ..DeviceOptions::default()
        };
        let device = Device::open(&adapter.index.to_string(), &options).unwrap();
        assert_whole(&verify_devices(&[device], 2, Depth::Quick, &mut quietly).unwrap());
    }
}

/// `rootlet verify` itself; about half a minute.
#[test]
#[ignore = "half a minute an adapter: cargo nextest run --test verify --run-ignored all"]
fn the_full_form_passes() {
    for adapter in common::adapters() {
        let choice = adapter.index.to_string();
        assert_whole(&verify(&choice, 2, Depth::Full, &mut quietly).unwrap());
    }
}

/// Opens llvmpipe with shaders that `rewrite` changes.
fn broken(rewrite: fn(&str, String) -> String) -> Device {
    let options = DeviceOptions {
        rewrite: Some(rewrite),
        ..DeviceOptions::default()
    };
    Device::open(&common::adapters()[0].index.to_string(), &options).unwrap()
}

/// The kernels that a verification of `device` finds at fault.
fn found(device: Device) -> (BTreeSet<String>, Report) {
    let report = verify_devices(&[device], 2, Depth::Quick, &mut quietly).unwrap();
    let failed = report.kernels.failed().map(|(name, _)| name.clone());
    (failed.collect(), report)
}

/// Errors like those of drivers: a product's tail lost, a sum off by one, a barrier that orders nothing.
#[test]
fn broken_kernels_are_caught_and_named() {
    let (failed, report) = found(broken(|kernel, source| match kernel {
        // The last connection of each row, if the batch is not a multiple of the lanes.
        "sparse/spmm" => source.replacen(
            "} else {",
            "} else if params.vectors == 1u {\n let _x = 0u; } else {",
            1,
        ),
        "layer/bias_gradient" => source.replacen("sum.z + sum.w", "sum.z + sum.z", 1),
        "primitive/scan_sums" => source.replacen("before += value", "before += value & 0xffffu", 1),
        _ => source,
    }));
    println!("{report}");
    let requested = ["layer/bias_gradient", "sparse/spmm"];
    assert!(requested.iter().all(|k| failed.contains(*k)), "{failed:?}");
    let verdict = report.verdict().unwrap_err().to_string();
    assert!(verdict.contains("computes wrongly"), "{verdict}");
    for line in report
        .to_string()
        .lines()
        .filter(|l| l.starts_with("FAILED"))
    {
        assert!(line.contains("shape") || line.contains("kernel"), "{line}");
    }
}

/// A shader that the driver refuses is reported, and the rest still runs.
#[test]
fn a_shader_that_is_refused_hides_nothing() {
    let (failed, report) = found(broken(|kernel, source| match kernel {
        "layer/gelu" => "this is no WGSL".to_owned(),
        "optim/sgd" => source.replacen("params.momentum", "(params.momentum * 0.5)", 1),
        _ => source,
    }));
    assert_eq!(failed.into_iter().collect::<Vec<_>>(), ["optim/sgd"]);
    assert!(report.errors.iter().any(|e| e.contains("layer/gelu")));
}

/// Whatever changes a kernel, or what is checked, changes the hash by which an adapter that passed is remembered:
/// everything in `src` that has kernels, or that a verification uses.
#[test]
fn the_hash_of_the_sources_has_all_that_a_verification_runs() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let hashed = std::fs::read_to_string(root.join("build.rs")).unwrap();
    let mut requested = BTreeSet::from(["verify".to_owned()]);
    let entries = std::fs::read_dir(root.join("src")).unwrap();
    for folder in entries.map(|entry| entry.unwrap().path()) {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let texts = sources(&folder);
        if folder.is_dir() && texts.iter().any(|text| text.contains("crate::kernel! {")) {
            requested.insert(name.clone());
        }
        if name == "verify" {
            let used = texts
                .iter()
                .flat_map(|text| text.split("use crate::").skip(1));
            let module = |path: &str| path.split([':', ';']).next().unwrap().to_owned();
            requested.extend(
                used.map(module)
                    // The texts of errors change no number.
                    .filter(|module| module != "error" && root.join("src").join(module).is_dir()),
            );
        }
    }
    assert!(requested.len() > 8, "{requested:?}");
    let missing: Vec<_> = requested
        .iter()
        .filter(|name| !hashed.contains(&format!("\"src/{name}\"")))
        .collect();
    assert!(missing.is_empty(), "build.rs leaves out {missing:?}");
}

/// The text of a source file, or of all below a folder.
fn sources(path: &std::path::Path) -> Vec<String> {
    if path.extension().is_some_and(|ending| ending == "rs") {
        return vec![std::fs::read_to_string(path).unwrap()];
    } else if !path.is_dir() {
        return Vec::new();
    }
    let entries = std::fs::read_dir(path).unwrap();
    entries
        .flat_map(|entry| sources(&entry.unwrap().path()))
        .collect()
}
