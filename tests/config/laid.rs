//! Flags, the environment, files and defaults combined.

use assert_cmd::Command;
use rootlet::train::TrainConfig;

use super::{over, parse, rootlet, text};

/// Values that follow from others still follow them when those are changed on top of a printed or saved file.
#[test]
fn derived_values_follow_what_is_laid_over_a_printed_file() {
    let folder = tempfile::tempdir().unwrap();
    let print = |flags: &[&str]| {
        let output = rootlet(
            folder.path(),
            &[&["train", "--print-config"], flags].concat(),
        );
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    std::fs::write(folder.path().join("my.toml"), print(&[])).unwrap();
    let longer = print(&["--config", "my.toml", "--epochs", "100"]);
    assert!(longer.contains("\n# round_until = 60.0\n"), "{longer}");
    assert_eq!(parse(&longer).unwrap().round_until(), 60.0);
    let images = print(&[
        "--config",
        "my.toml",
        "--data=image-folder",
        "--model=resnet18",
        "--image-size=160",
    ]);
    assert!(images.contains("\n# resize = 182\n"), "{images}");
    assert!(
        images.contains("# here: \"resized-crop-flip\"\n"),
        "{images}"
    );
    // An explicit value stays.
    std::fs::write(
        folder.path().join("said.toml"),
        print(&["--round-until", "7"]),
    )
    .unwrap();
    let said = print(&["--config", "said.toml", "--epochs", "100"]);
    assert_eq!(parse(&said).unwrap().topology.round_until, Some(7.0));
}

#[test]
fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
    let file = "lr = 0.5\nnesterov = true\nmilestones = [8, 12]\nhidden = [64]\nlimit = 100";
    let file = parse(file).unwrap();
    assert_eq!(file.run.batch, TrainConfig::default().run.batch);
    // A flag that repeats the default still overrides the file.
    let default_lr = TrainConfig::default().optimiser.lr().to_string();
    let mixed = over(file.clone(), &["--lr", &default_lr, "--hidden", "32,16"]);
    let mut expected = file.clone();
    expected.optimiser.lr = Some(TrainConfig::default().optimiser.lr());
    expected.model.hidden = vec![32, 16];
    assert_eq!(mixed, expected);
    assert_eq!(over(file.clone(), &[]), file);
    // What a file switched on can be switched off.
    let off = over(
        file,
        &["--nesterov=false", "--milestones", "none", "--limit", "0"],
    );
    assert_eq!(
        (off.optimiser.nesterov, off.optimiser.milestones.len()),
        (false, 0)
    );
    assert_eq!(off.resolve().unwrap().data.limit, None);
    assert!(
        over(TrainConfig::default(), &["--nesterov"])
            .optimiser
            .nesterov
    );
}

#[test]
fn the_command_lays_flags_environment_and_file_together() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("my.toml"),
        "adapter = 'from file'\nseed = 7\ndata_dir = 'here'",
    )
    .unwrap();
    let run = |environment: Option<&str>, flags: &[&str]| {
        let mut command = Command::cargo_bin("rootlet").unwrap();
        command
            .current_dir(folder.path())
            .env_remove("ROOTLET_ADAPTER");
        if let Some(adapter) = environment {
            command.env("ROOTLET_ADAPTER", adapter);
        }
        command.args(["train", "--print-config"]).args(flags);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        parse(&text(&output.stdout)).unwrap()
    };
    let file = ["--config", "my.toml"];
    assert_eq!(run(None, &file).machine.adapter, "from file");
    assert_eq!(run(Some("from env"), &file).machine.adapter, "from env");
    assert_eq!(run(Some("from env"), &[]).machine.adapter, "from env");
    let flag = ["--config", "my.toml", "--adapter", "from flag"];
    assert_eq!(run(Some("from env"), &flag).machine.adapter, "from flag");
    let config = run(None, &file);
    assert_eq!((config.run.seed, config.round_until()), (7, 12.0));
    let here = folder.path().canonicalize().unwrap().join("here");
    assert_eq!(config.data.dir, Some(here));
}

#[test]
fn a_resumed_run_keeps_what_its_checkpoint_was_made_for() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let short = [
        "--seed=3",
        "--steps=10",
        "--limit=64",
        "--round-every=5",
        "--adapter=cpu",
    ];
    let done = rootlet(folder.path(), &[&["train"], &short[..]].concat());
    assert!(done.status.success(), "{}", text(&done.stderr));
    let made = folder.path().join("runs").read_dir().unwrap().next();
    std::fs::rename(made.unwrap().unwrap().path(), &run).unwrap();
    let resume = |flags: &[&str]| {
        let output = rootlet(
            folder.path(),
            &[&["train", "--print-config"], flags].concat(),
        );
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };

    let (status, config, error) = resume(&[
        "--resume",
        "run/checkpoints",
        "--steps",
        "20",
        "--seed",
        "3",
    ]);
    assert_eq!(status, Some(0), "{error}");
    let config = parse(&config).unwrap();
    assert_eq!((config.run.seed, config.run.steps), (3, Some(20)));

    // More epochs do not move the end of the rounds, which the earlier ones followed.
    let (status, config, error) = resume(&["--resume", "run", "--epochs", "40"]);
    assert_eq!(status, Some(0), "{error}");
    assert_eq!(parse(&config).unwrap().topology.round_until, Some(12.0));
    let (_, config, _) = resume(&["--resume", "run", "--epochs", "40", "--until", "24"]);
    assert_eq!(parse(&config).unwrap().topology.round_until, Some(24.0));

    let (status, _, error) = resume(&["--resume", "run", "--batch", "64"]);
    assert_eq!(status, Some(2));
    assert!(
        error.contains("--batch cannot change in a resumed run"),
        "{error}"
    );

    let (status, _, error) = resume(&["--resume", "nowhere"]);
    assert_eq!(status, Some(1));
    assert!(error.contains("cannot open the run nowhere: "), "{error}");

    let (status, _, error) = resume(&["--resume", "."]);
    assert_eq!(status, Some(1));
    assert!(
        error.contains("not a run folder: it has no config.toml"),
        "{error}"
    );
}

/// The papers' words for T and T_end.
#[test]
fn interval_and_until_are_names_of_the_rounds_flags() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["train", "--interval", "7", "--until", "3", "--print-config"];
    let output = rootlet(folder.path(), &flags);
    let config = text(&output.stdout);
    assert!(config.contains("round_every = 7\n"), "{config}");
    assert!(config.contains("round_until = 3.0\n"), "{config}");
}
