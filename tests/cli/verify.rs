//! `rootlet verify`, and what a first training on an adapter does.

use std::fs;

use serde_json::Value;

use crate::{Desk, Done, small};

#[test]
fn verify_tells_what_belongs_into_a_bug_report() {
    let desk = Desk::new();
    let done = desk.good(&["verify", "--quick", "--adapter=llvmpipe"]);
    for part in [
        "adapter    llvmpipe",
        "software, vulkan",
        "driver     ",
        "shapes     software",
        "tolerance  1e-4",
        "largest    ",
        "result     every kernel computes what its CPU twin computes",
    ] {
        assert!(done.out.contains(part), "no `{part}` in {done:?}");
    }
    assert_eq!(done.err, "");
}

#[test]
fn the_cpu_has_nothing_to_be_compared_with() {
    let desk = Desk::new();
    let parts = ["twins themselves", "--adapter", "rootlet adapters"];
    desk.bad(&["verify", "--adapter=cpu"], 2, &parts);
    desk.bad(&["verify", "--adapter=nonsense"], 1, &["\"nonsense\""]);
}

/// A training with a cache in the desk's folder, without the flag that skips the verification.
fn train(desk: &Desk, adapter: &str, more: &[&str]) -> Done {
    let adapter = format!("--adapter={adapter}");
    let arguments = [&["--steps=2", &adapter], more].concat();
    let output = desk
        .command(&small(&arguments))
        .env_remove("ROOTLET_NO_VERIFY")
        .env("ROOTLET_CACHE_DIR", desk.path("cache"))
        .output();
    let done = Done::of(output.unwrap());
    assert_eq!(done.code, Some(0), "{done:?}");
    done
}

#[test]
fn the_first_training_on_an_adapter_verifies_it() {
    let desk = Desk::new();
    let file = desk.path("cache/verified.json");
    // A cache that cannot be read is reported and replaced.
    fs::create_dir(desk.path("cache")).unwrap();
    fs::write(&file, "{").unwrap();
    let done = train(&desk, "llvmpipe", &["--no-verify"]);
    assert_eq!(done.err, "");
    let done = train(&desk, "cpu", &[]);
    assert_eq!(done.err, "");
    let done = train(&desk, "llvmpipe", &[]);
    for part in [
        "verified.json is ignored",
        "first training on llvmpipe",
        "passed in",
    ] {
        assert!(done.err.contains(part), "no `{part}` in {done:?}");
    }
    let seen: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(seen["verified"].as_array().unwrap().len(), 1, "{seen}");
    let done = train(&desk, "llvmpipe", &[]);
    assert_eq!(done.err, "", "it was seen before");
    // Another driver is another adapter.
    let old = fs::read_to_string(&file).unwrap();
    let driver = seen["verified"][0]["driver"].as_str().unwrap();
    fs::write(&file, old.replace(driver, "llvmpipe of old")).unwrap();
    let done = train(&desk, "llvmpipe", &[]);
    assert!(done.err.contains("first training"), "{done:?}");
}
