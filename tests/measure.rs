//! `benches/gpu/measure`: its files are complete on working adapters, and it continues if parts fail.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

fn measure(rootlet: &Path, out: &Path, arguments: &[&str]) -> Output {
    command(rootlet, out, arguments).output().unwrap()
}

fn command(rootlet: &Path, out: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/gpu/measure"))
        .args(["--rootlet", rootlet.to_str().unwrap()])
        .args(["--out", out.to_str().unwrap()])
        .args(arguments)
        .env_remove("ROOTLET_ADAPTER")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// The parts by name, and the table.
fn found(out: &Path) -> (Value, String) {
    let json = fs::read_to_string(out.join("measure.json")).unwrap();
    let whole: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(whole["measure"], 1);
    (whole, fs::read_to_string(out.join("measure.md")).unwrap())
}

fn part<'a>(whole: &'a Value, name: &str) -> &'a Value {
    let parts = whole["parts"].as_array().unwrap();
    let part = parts.iter().find(|part| part["name"] == name);
    part.unwrap_or_else(|| panic!("no part {name}: {whole:#}"))
}

/// A small run on the CPU executor and on a software adapter.
#[test]
fn it_measures_small_cases_on_any_adapter() {
    let rootlet = Path::new(env!("CARGO_BIN_EXE_rootlet"));
    let folder = tempfile::tempdir().unwrap();
    for (adapter, only) in [
        ("cpu", "adapters,torch,ceilings,products 256,step mlp"),
        ("llvmpipe", "products 64,step mlp"),
    ] {
        let out = folder.path().join(adapter);
        let small = [
            "--small",
            "--minutes",
            "4",
            "--adapter",
            adapter,
            "--only",
            only,
        ];
        let output = measure(rootlet, &out, &small);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let (whole, table) = found(&out);
        assert!(output.status.success(), "{said}\n{table}");
        for key in ["date", "system", "processor", "cores", "load", "python"] {
            assert!(!whole["machine"][key].is_null(), "{key}");
        }
        let sha256 = whole["machine"]["rootlet"]["sha256"].as_str().unwrap();
        assert_eq!(sha256.len(), 64);
        for name in only.split(',').filter(|name| *name != "torch") {
            let part = part(&whole, name);
            assert_eq!(part["status"], "done", "{part:#}");
            assert!(part["seconds"].as_f64().unwrap() > 0.0);
            assert!(!part["result"].is_null() && said.contains(name));
        }
        let n = if adapter == "cpu" { 256 } else { 64 };
        let products = &part(&whole, &format!("products {n}"))["result"];
        assert_eq!(products["kernels"].as_array().unwrap().len(), 6);
        assert!(products["kernels"][0]["share_of_ceiling"].as_f64().unwrap() > 0.0);
        let step = &part(&whole, "step mlp")["result"]["steps"][0];
        assert!(step["seconds"].as_f64().unwrap() > 0.0);
        for line in ["## Products", "| SpMM |", "3072-64-64-10", "## How it went"] {
            assert!(table.contains(line), "no {line:?} in {table}");
        }
        if adapter == "cpu" {
            assert!(table.contains("copy, read and written") && table.contains("from 256 KiB"));
            // It may be available or not; either way the others were measured.
            assert!(!part(&whole, "torch")["status"].is_null());
        }
    }
}

/// A program in place of rootlet.
fn stand_in(folder: &Path, script: &str) -> std::path::PathBuf {
    let path = folder.join("rootlet");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_part_that_fails_is_recorded_and_the_next_begins() {
    let folder = tempfile::tempdir().unwrap();
    let rootlet = stand_in(
        folder.path(),
        r#"case "$*" in
            --version) echo rootlet 9 ;;
            *--help) echo crossover --tune --activations ;;
            adapters*) echo '{"name": "A GPU", "chosen": true}' ;;
            verify*) echo 'error: bench/copy | wrong' >&2; exit 1 ;;
            *ceilings*) kill -SEGV $$ ;;
            *dense*) echo '{ half' >"$8" ;;
            *"--sizes 256"*) exit 0 ;;
            *crossover*) echo '{"code": {"version": "9"}, "adapter": {"name": "A GPU"}, "kernels": [{"odd": 1}]}' >"$8" ;;
            *) echo '{"code": {"version": "9"}, "adapter": {"name": "A GPU"}}' >"$8" ;;
        esac"#,
    );
    let out = folder.path().join("out");
    let output = measure(&rootlet, &out, &["--small", "--minutes", "2"]);
    let (whole, table) = found(&out);
    assert!(output.status.success(), "{whole:#}");
    let told = |name: &str| {
        let part = part(&whole, name);
        let of = |key: &str| part[key].as_str().unwrap().to_owned();
        (of("status"), of("message"))
    };
    assert_eq!(told("adapters").0, "done");
    let (status, message) = told("verify");
    assert!(
        status == "failed" && message.contains("bench/copy | wrong"),
        "{message}"
    );
    assert!(told("ceilings").1.contains("-11"), "{:?}", told("ceilings"));
    for name in ["products 256", "products dense"] {
        let (status, message) = told(name);
        assert!(
            status == "failed" && message.contains("cannot be read"),
            "{message}"
        );
    }
    assert_eq!(told("step mlp").0, "done");
    assert_eq!(told("step resnet20, tune off").0, "done");
    assert_eq!(told("step resnet20, activations f16").0, "done");
    // If no table can be made, nothing else is lost.
    assert!(table.contains("The table cannot be made"), "{table}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("not measured: ") && said.contains("verify"),
        "{said}"
    );
}

#[test]
fn what_hangs_is_ended_and_no_time_means_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let rootlet = stand_in(
        folder.path(),
        r#"case "$*" in
            --version) echo rootlet 9 ;;
            *--help) ;;
            adapters*) echo '{"name": "A GPU", "chosen": true}' ;;
            *) echo begun; trap '' TERM; while :; do sleep 0.1; done ;;
        esac"#,
    );
    let out = folder.path().join("out");
    let output = measure(&rootlet, &out, &["--small", "--minutes", "0.1"]);
    assert_eq!(output.status.code(), Some(1), "nothing was measured");
    let (whole, table) = found(&out);
    let verify = part(&whole, "verify");
    assert_eq!(verify["status"], "timed out", "{verify:#}");
    let late = part(&whole, "step mlp");
    assert_eq!(late["status"], "left out");
    assert!(late["message"].as_str().unwrap().contains("--minutes"));
    assert!(table.contains("timed out"), "{table}");
}

#[test]
fn without_a_gpu_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let rootlet = stand_in(
        folder.path(),
        r#"case "$*" in
            adapters*) echo '{"name": "cpu", "chosen": true}' ;;
        esac"#,
    );
    let out = folder.path().join("out");
    let output = measure(&rootlet, &out, &["--minutes", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let (whole, _) = found(&out);
    let ceilings = part(&whole, "ceilings");
    assert_eq!(ceilings["status"], "left out");
    assert!(
        ceilings["message"]
            .as_str()
            .unwrap()
            .contains("finds no GPU")
    );

    let nowhere = measure(Path::new("/no/such/rootlet"), &out, &[]);
    assert_eq!(nowhere.status.code(), Some(2));
    let message = String::from_utf8_lossy(&nowhere.stderr).into_owned();
    assert!(message.contains("there is no such file"), "{message}");
}

/// A training that runs out of time has saved, and the next call resumes it.
#[test]
fn training_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let rootlet = stand_in(
        folder.path(),
        r#"case "$*" in
            train*--resume*/1-measure*) echo '{"event": "resumed"}' ;;
            train*) for word; do
                    [ "$before" != --runs ] || mkdir -p "$word/1-measure"
                    before=$word
                done
                trap 'exit 75' TERM
                while :; do sleep 0.1; done ;;
        esac"#,
    );
    let out = folder.path().join("out");
    let train = [
        "--only",
        "adapters",
        "--train",
        "0.05",
        "--data-dir",
        "data",
    ];
    for (message, events) in [("ended in good order", 0), ("", 1)] {
        let output = measure(&rootlet, &out, &train);
        let (whole, _) = found(&out);
        assert!(output.status.success(), "{whole:#}");
        let train = part(&whole, "train");
        assert_eq!(train["status"], "done", "{train:#}");
        assert!(train["message"].as_str().unwrap().contains(message));
        assert_eq!(train["result"]["events"].as_array().unwrap().len(), events);
    }
}

#[test]
fn a_name_that_no_part_begins_with_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rootlet = stand_in(folder.path(), "exit 0");
    let out = folder.path().join("out");
    for only in ["foo", "products,foo", "products,"] {
        let output = measure(&rootlet, &out, &["--only", only]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("no part's name begins with"), "{message}");
        assert!(message.contains("products 4096"), "{message}");
        assert!(!out.exists(), "nothing was measured");
    }
}

/// Whatever ends it also ends the current part, and leaves no files except the results.
#[test]
#[cfg(target_os = "linux")]
fn what_ends_it_ends_its_part() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("pid");
    let rootlet = stand_in(
        folder.path(),
        &format!(
            r#"case "$*" in
                *--help|--version) ;;
                adapters*) echo '{{"name": "A GPU", "chosen": true}}' ;;
                *) echo $$ >{0}.new; mv {0}.new {0}; exec sleep 60 ;;
            esac"#,
            note.display()
        ),
    );
    let out = folder.path().join("out");
    let small = ["--small", "--python", "/bin/false"];
    let runs = |process: &str| {
        let state = fs::read_to_string(format!("/proc/{process}/stat"));
        // A process that nobody has waited for yet is a zombie.
        state.is_ok_and(|state| !state.contains(") Z "))
    };
    let within_seconds = |what: &str, done: &dyn Fn() -> bool| {
        let begin = Instant::now();
        while !done() {
            assert!(begin.elapsed() < Duration::from_secs(20), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    for (signal, status) in [("KILL", None), ("TERM", Some(143)), ("INT", Some(130))] {
        let _ = fs::remove_file(&note);
        let mut call = command(&rootlet, &out, &small);
        let mut running = call.stdout(std::process::Stdio::null()).spawn().unwrap();
        within_seconds("a part begins", &|| note.exists());
        let part = fs::read_to_string(&note).unwrap().trim().to_owned();
        assert!(runs(&part));
        let second = measure(&rootlet, &out, &small);
        let message = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(message.contains("another measurement"), "{message}");
        let process = running.id().to_string();
        Command::new("kill")
            .args(["-s", signal, &process])
            .status()
            .unwrap();
        assert_eq!(running.wait().unwrap().code(), status);
        within_seconds(signal, &|| !runs(&part));
        let (whole, _) = found(&out);
        assert_eq!(self::part(&whole, "adapters")["status"], "done");
        assert_eq!(out.join("parts").exists(), status.is_none());
    }
}
