//! Flags without effect, and arguments without contents: refused before anything is done.

use std::fs;

use crate::{Desk, text};

#[test]
fn flags_without_effect_are_refused_by_every_command() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=1"]);
    let run = text(&run);
    let cpu = "it is for the built-in CPU executor, and the adapter is llvmpipe";
    for (arguments, part) in [
        (&["train", "--adapter=llvmpipe", "--threads=3"][..], cpu),
        (&["eval", run, "--adapter=llvmpipe", "--threads=3"], cpu),
        (&["bench", "--adapter=llvmpipe", "--threads=3"], cpu),
        (
            &["train", "--method=static", "--statistics=false"],
            "--statistics has no effect here: the method static",
        ),
        (
            &["eval", run, "--data-dir=x"],
            "--data-dir has no effect here: the data set digits",
        ),
        (&["train", "--print-config", "--name=x"], "--name"),
        (
            &["train", "--print-config", "--runs=x"],
            "--runs has no effect here: --print-config",
        ),
        (
            &["train", "--sparsity=0", "--assignment=uniform"],
            "--assignment has no effect here: at --sparsity 0",
        ),
        (
            &["train", "--print-config", "--no-verify"],
            "--no-verify has no effect here: --print-config",
        ),
        (
            &["train", "--model=mlp", "--checkpoint-activations"],
            "--checkpoint-activations has no effect here: the model mlp",
        ),
        (
            &["train", "--adapter=cpu", "--no-verify"],
            "--no-verify has no effect here: the CPU executor",
        ),
        (
            &["train", "--adapter=cpu", "--check=all"],
            "--check all has no effect here: the CPU executor",
        ),
        (
            &["sweep", "x.toml", "--table", "--no-verify"],
            "--no-verify has no effect here: --table",
        ),
        (
            &["sweep", "x.toml", "--table", "--adapter=nonsense"],
            "--adapter has no effect here: --table",
        ),
        (
            &["sweep", "x.toml", "--table", "--save-every=3"],
            "--save-every",
        ),
        (
            &["sweep", "x.toml", "--dry-run", "--no-verify"],
            "--no-verify has no effect here: --dry-run",
        ),
        (&["train", "--print-config", "--json"], "--json"),
        (&["sweep", "x.toml", "--table", "--quiet"], "--quiet"),
        (
            &["sweep", "x.toml", "--dry-run", "--tensorboard"],
            "--tensorboard",
        ),
        (&["report", run, "--png-scale=2"], "--png"),
        (&["model", "--sparsity=0.5"], "NAME"),
        (&["model", "--json"], "NAME"),
        (&["model", "--hidden=7"], "NAME"),
        (
            &["flops", "--methods=rigl,dense", "--gamma=2"],
            "--gamma has no effect here",
        ),
        (
            &["flops", "--methods=snip,dense", "--round-every=9"],
            "--round-every has no effect here",
        ),
        (
            &["flops", "--methods=snip,dense", "--until=0.5"],
            "--until has no effect here",
        ),
        (
            &["bench", "--only=spmm", "--hidden=64"],
            "--hidden has no effect here: it is for the part step",
        ),
        (
            &["bench", "--only=ceilings", "--checkpoint-activations"],
            "--checkpoint-activations has no",
        ),
        (
            &["bench", "--only=ceilings", "--sizes=8"],
            "--sizes has no effect here",
        ),
        (
            &["bench", "--only=step", "--hidden=8", "--sizes=8"],
            "--sizes has no effect here",
        ),
        (
            &["bench", "--only=dense", "--sparsities=0.5"],
            "--sparsities has no effect here",
        ),
        (
            &["bench", "--matrix=x.mtx", "--sparsities=0.5"],
            "--sparsities has no effect here",
        ),
        (
            &["bench", "--only=step", "--matrix=x.mtx"],
            "--matrix has no effect here",
        ),
        (
            &["bench", "--only=spmm", "--step-sparsity=0.5"],
            "--step-sparsity has no effect here",
        ),
        (
            &["bench", "--only=spmm", "--scaling-sizes=8"],
            "--scaling-sizes has no effect here",
        ),
        (
            &["bench", "--only=ceilings", "--batch=8"],
            "--batch has no effect here",
        ),
        (
            &["bench", "--only=ceilings", "--limit=8"],
            "--limit has no effect here",
        ),
        (&["bench", "--scaling"], "--scaling has no effect here"),
    ] {
        desk.bad(arguments, 2, &[part]);
    }
    assert_eq!(desk.runs().len(), 1);
    desk.good(&[
        "flops",
        "--methods=gse,dense",
        "--gamma=2",
        "--sparsities=0.9",
    ]);
    desk.good(&["model", "resnet20", "--gamma=2"]);
}

#[test]
fn arguments_without_contents_are_refused() {
    let desk = Desk::new();
    for (arguments, flag) in [
        (&["train", "--hidden", ""][..], "--hidden"),
        (&["train", "--milestones", " "], "--milestones"),
        (&["train", "--adapter", " "], "--adapter"),
        (&["train", "--adapter="], "--adapter"),
        (&["train", "--data-dir="], "--data-dir"),
        (&["train", "--runs="], "--runs"),
        (&["bench", "--adapter", " "], "--adapter"),
        (&["bench", "--json="], "--json"),
        (&["eval", "run", "--adapter", ""], "--adapter"),
        (&["eval", ""], "<CHECKPOINT>"),
        (&["sweep", "x.toml", "--out", ""], "--out"),
        (&["report", "run", "-o", ""], "--output"),
        (&["data", "check", "--data-dir", ""], "--data-dir"),
    ] {
        desk.bad(arguments, 2, &[flag]);
    }
    fs::write(desk.path("c.toml"), "data = \"\"\n").unwrap();
    desk.bad(
        &["train", "--config=c.toml"],
        2,
        &["c.toml: `data` must name a data set"],
    );
    for (line, says) in [
        ("model = \"\"", "c.toml: `model` must be one of"),
        ("model = \"\"", "or auto, not nothing"),
        (
            "augment = \"foo\"",
            "c.toml: `augment` must be one of none, flip",
        ),
        ("augment = \"foo\"", "or auto, not foo"),
    ] {
        fs::write(desk.path("c.toml"), line).unwrap();
        desk.bad(&["train", "--config=c.toml"], 2, &[says]);
    }
    fs::write(desk.path("c.toml"), "lr = 0\n").unwrap();
    desk.bad(&["train", "--config=c.toml"], 2, &["c.toml: `lr` must"]);
    desk.bad(&["train", "--config=c.toml", "--lr=-1"], 2, &["--lr must"]);
    assert!(desk.runs().is_empty());
}

#[test]
fn a_switch_of_the_environment_is_on_or_off() {
    let desk = Desk::new();
    let print = |value: &str| {
        let mut command = desk.command(&["train", "--print-config"]);
        crate::Done::of(command.env("ROOTLET_NO_VERIFY", value).output().unwrap())
    };
    for value in ["1", "true", "Yes", "on", "0", "false", "no", "OFF", ""] {
        assert_eq!(print(value).code, Some(0), "{value}");
    }
    for value in ["banana", "2", "y es"] {
        print(value).failed(2, &["ROOTLET_NO_VERIFY must be 1, true"]);
    }
}

#[test]
fn messages_speak_of_what_was_typed() {
    let desk = Desk::new();
    desk.bad(&["train", "--width=1e300"], 2, &["not 1e300"]);
    desk.bad(&["train", "--lr=1e-300"], 2, &["not 1e-300"]);
    desk.bad(&["train", "--milestones=3,1e300"], 2, &["not 3,1e300"]);
    desk.bad(
        &["train", "--connections=1"],
        2,
        &["--connections 1 leave a layer of the model without any"],
    );
    for set in ["mnist", "cifar10", "image-folder"] {
        let flag = format!("--data={set}");
        desk.bad(
            &["train", &flag, "--data-dir=nowhere"],
            1,
            &["nowhere: there is no such folder"],
        );
    }
    fs::write(desk.path("c.toml"), "epochs = 1\nadapter = 3\n").unwrap();
    desk.bad(
        &["train", "--config=c.toml"],
        2,
        &["c.toml, line 2: `adapter`: invalid type: integer"],
    );
    // Values that a file leaves out are not requested.
    let run = desk.small(&["--epochs=1"]);
    fs::write(run.join("config.toml"), "epochs = 1\n").unwrap();
    let done = desk.bad(
        &["train", "--resume", text(&run)],
        2,
        &["is not the configuration of the checkpoint"],
    );
    assert!(!done.err.contains("=0"), "{done:?}");
}
