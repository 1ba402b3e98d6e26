//! Choosing where to run. Mesa's software adapter llvmpipe must be available: scripts/test installs it.

use crate::{Desk, Done, small, table};
use serde_json::Value;

#[test]
fn adapters_lists_llvmpipe_and_the_cpu() {
    let desk = Desk::new();
    let done = desk.good(&["adapters"]);
    assert!(done.out.contains("llvmpipe"), "{done:?}");
    assert!(done.out.contains("software, vulkan"), "{done:?}");
    assert!(done.out.contains("largest binding"), "{done:?}");
    assert!(
        done.out.lines().any(|line| line.starts_with("cpu  ")),
        "{done:?}"
    );
    assert_eq!(done.out.matches("<- auto").count(), 1, "{done:?}");
    let done = desk.good(&["adapters", "--json"]);
    let list: Vec<Value> = done
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(list.last().unwrap()["name"], "cpu");
    assert_eq!(list.iter().filter(|a| a["chosen"] == true).count(), 1);
    let soft = list
        .iter()
        .find(|a| a["name"].as_str().unwrap().contains("llvmpipe"))
        .unwrap();
    assert_eq!(
        (&soft["kind"], &soft["usable"]),
        (&"software".into(), &true.into())
    );
    assert_eq!(
        soft["chosen"], false,
        "a software adapter is taken only when named"
    );
}

/// A container has no desktop session, and Mesa would complain with lines that look like our errors.
#[test]
fn drivers_are_quiet_without_a_desktop() {
    let desk = Desk::new();
    let output = desk
        .command(&["adapters"])
        .env_remove("XDG_RUNTIME_DIR")
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(!err.contains("error:"), "{err}");
}

#[test]
fn unknown_adapters_list_the_candidates() {
    let desk = Desk::new();
    let candidates = ["cpu (built in)", "llvmpipe"];
    let train = |adapter| desk.run(&["train", "--adapter", adapter, "--steps=1"]);
    for (adapter, told) in [("nonsense", "\"nonsense\""), ("99", "adapter number 99")] {
        let done = train(adapter);
        done.failed(1, &[told, candidates[0], candidates[1]]);
    }
    desk.bad(&["eval", "x", "--adapter="], 2, &["--adapter"]);
    desk.bad(&["train", "--adapter="], 2, &["--adapter"]);
    assert!(
        desk.runs().is_empty(),
        "a mistake leaves no run folder behind"
    );
}

#[test]
fn the_environment_chooses_and_the_flag_goes_before() {
    let desk = Desk::new();
    let run = |adapter: &str, more: &[&str]| {
        let arguments = small(&[&["--steps=2"], more].concat());
        let output = desk
            .command(&arguments)
            .env("ROOTLET_ADAPTER", adapter)
            .output();
        crate::Done::of(output.unwrap())
    };
    run("nonsense", &[]).failed(1, &["\"nonsense\""]);
    let done = run("nonsense", &["--adapter=cpu"]);
    assert!(done.out.contains("adapter      cpu, 2 threads"), "{done:?}");
    let done = run("llvmpipe", &["--method=static", "--threads=0"]);
    assert!(done.out.contains("adapter      llvmpipe"), "{done:?}");
}

#[test]
fn llvmpipe_trains_and_resumes_to_the_bit() {
    let desk = Desk::new();
    let more = ["--adapter=LLVMpipe", "--epochs=2"];
    let unbroken = desk.small(&more);
    let broken = desk.small(&[&more[..], &["--steps=25"]].concat());
    let resume = ["train", "--resume", crate::text(&broken), "--steps=0"];
    let done = desk.good(&[&resume[..], &["--adapter=LLVMpipe"]].concat());
    assert_eq!(done.err, "");
    crate::assert_same(&unbroken, &broken);
    // The environment overrides the configuration file here too, and would have changed the bits.
    let done = desk.good(&[&resume[..], &["--epochs=3"]].concat());
    assert!(
        done.err.starts_with("note: the adapter differs"),
        "{done:?}"
    );
}

#[test]
fn llvmpipe_and_the_cpu_come_to_the_same_figures() {
    let desk = Desk::new();
    // Not to the same bits: an adapter may fuse a multiply with an add.
    let cpu = desk.small(&["--adapter=cpu", "--epochs=2", "--method=static"]);
    let gpu = desk.small(&["--adapter=llvmpipe", "--epochs=2", "--method=static"]);
    let losses = |run: &std::path::Path| -> Vec<f64> {
        let rows = table(run, "metrics.csv");
        rows[1..]
            .iter()
            .map(|row| row[3].parse().unwrap())
            .collect()
    };
    for (a, b) in losses(&cpu).iter().zip(losses(&gpu)) {
        assert!((a - b).abs() < 1e-3 * a, "train loss {a} and {b}");
    }
}

/// The environment overrides the file, so that it is no edit of the checkpoint's configuration.
#[test]
fn the_environment_decides_where_the_file_of_a_resumed_run_was_edited() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=1"]);
    let file = run.join("config.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let edited = text.replace("adapter = \"cpu\"", "adapter = \"elsewhere\"");
    assert_ne!(edited, text);
    std::fs::write(&file, edited).unwrap();
    let resume = ["train", "--resume", crate::text(&run), "--epochs=2"];
    let with = |adapter: &str| {
        let mut command = desk.command(&resume);
        Done::of(command.env("ROOTLET_ADAPTER", adapter).output().unwrap())
    };
    // An empty variable decides nothing.
    with("").failed(2, &["`adapter` is elsewhere there and cpu here"]);
    let done = with("cpu");
    assert_eq!(done.code, Some(0), "{done:?}");
}
