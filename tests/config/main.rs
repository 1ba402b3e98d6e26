//! The configuration: saved and read back, laid together from flags, environment and file, and refused where it is bad.
#![allow(clippy::unwrap_used)]

mod limits;

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use clap::{Args, FromArgMatches, ValueEnum};
use proptest::prelude::*;
use rootlet::engine::tune::Tune;
use rootlet::sparse::Assignment;
use rootlet::topology::{MethodName, Scope};
use rootlet::train::TrainConfig;
use rootlet::train::config::{
    ConfigFlags, DataConfig, MachineConfig, ModelConfig, OptimiserConfig, RunConfig, TopologyConfig,
};

fn parse(text: &str) -> rootlet::Result<TrainConfig> {
    TrainConfig::from_toml(text, Path::new("my.toml"))
}

/// `flags` over `base`, as `rootlet train` does it.
fn over(base: TrainConfig, flags: &[&str]) -> TrainConfig {
    let command = ConfigFlags::augment_args(clap::Command::new("train"));
    let matches = command.try_get_matches_from([&["train"], flags].concat());
    let flags = ConfigFlags::from_arg_matches(&matches.unwrap()).unwrap();
    flags.over(base)
}

/// Runs the command in `folder` and returns what it did.
fn rootlet(folder: &Path, arguments: &[&str]) -> Output {
    Command::cargo_bin("rootlet")
        .unwrap()
        .current_dir(folder)
        .env_remove("ROOTLET_ADAPTER")
        .args(arguments)
        .output()
        .unwrap()
}

/// An option as the command calls it.
fn flag(option: &str) -> String {
    format!("--{}", option.replace('_', "-"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn any_config() -> impl Strategy<Value = TrainConfig> {
    let finite = || prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL;
    let data = (
        "[a-z0-9-]{1,12}",
        prop::option::of("/\\PC{0,20}".prop_map(PathBuf::from)),
        prop::option::of(0..1_000_000_usize),
        prop::collection::vec(0..100_000_usize, 0..4),
    );
    let topology = (
        prop::sample::select(Assignment::value_variants()),
        prop::sample::select(MethodName::value_variants()),
        prop::sample::select(Scope::value_variants()),
        (finite(), finite(), finite(), prop::option::of(finite())),
        0..1_000_000_u64,
    );
    let optimiser = (
        (finite(), finite(), finite(), finite(), finite(), finite()),
        prop::collection::vec(finite(), 0..4),
        (any::<u32>(), any::<u32>(), any::<bool>()),
        (prop::option::of(0..u64::MAX / 2), 0..100_000_usize),
    );
    let machine = ("\\PC{0,20}", 0..64_usize, 0..64_usize);
    (data, topology, optimiser, machine).prop_map(|(data, topology, optimiser, machine)| {
        let (assignment, method, scope, (sparsity, gamma, alpha, round_until), round_every) =
            topology;
        let (rates, milestones, (epochs, seed, nesterov), (steps, batch)) = optimiser;
        let (lr, momentum, weight_decay, label_smoothing, warmup_epochs, lr_decay) = rates;
        TrainConfig {
            data: DataConfig {
                name: data.0,
                dir: data.1,
                limit: data.2,
                augment: format!("{seed}"),
                image_size: batch,
                resize: data.2,
                val_split: gamma,
                skip_bad_images: nesterov,
            },
            model: ModelConfig {
                name: "mlp".into(),
                width: gamma,
                hidden: data.3,
                sparsity,
                connections: steps,
                assignment,
            },
            topology: TopologyConfig {
                method,
                lottery_cycles: seed % 7,
                topkast_backward: gamma,
                scope,
                gamma,
                distinct_candidates: nesterov,
                round_batches: batch,
                alpha,
                round_every,
                round_until,
                statistics: nesterov,
            },
            run: RunConfig {
                epochs,
                steps,
                batch,
                seed,
            },
            optimiser: OptimiserConfig {
                lr,
                momentum,
                nesterov,
                weight_decay,
                label_smoothing,
                warmup_epochs,
                milestones,
                lr_decay,
            },
            machine: MachineConfig {
                tune: Tune::Off,
                micro_batch: data.2,
                checkpoint_activations: nesterov,
                resident: data.2.map(|limit| limit > 9),
                dense_above: round_until,
                adapter: machine.0,
                threads: machine.1,
                workers: machine.2,
            },
        }
    })
}

proptest! {
    #[test]
    fn any_configuration_survives_being_saved(config in any_config()) {
        prop_assert_eq!(parse(&config.to_toml().unwrap()).unwrap(), config);
    }
}

#[test]
fn the_default_is_valid_complete_and_survives_being_saved() {
    let config = TrainConfig::default().resolve().unwrap();
    assert_eq!(
        (config.topology.round_until, config.round_until()),
        (None, 12.0)
    );
    assert_eq!(parse(&config.to_toml().unwrap()).unwrap(), config);
    assert_eq!(config.clone().resolve().unwrap(), config);
}

#[test]
fn the_file_has_every_key_with_its_comment() {
    let text = TrainConfig::default().to_toml().unwrap();
    let flags = ConfigFlags::augment_args(clap::Command::new("train"));
    for flag in flags.get_arguments() {
        let key = flag.get_id().as_str();
        let starts = [
            format!("{key} = "),
            format!("# {key} = "),
            format!("# {key} is not set"),
        ];
        let is_value = |line: &str| starts.iter().any(|start| line.starts_with(start));
        let at = text.lines().position(is_value);
        let at = at.unwrap_or_else(|| panic!("no {key} in\n{text}"));
        let before = text.lines().nth(at - 1).unwrap();
        assert!(before.starts_with("# "), "{key} has no comment in\n{text}");
        // The words of the help, wherever the lines are broken.
        let words = |text: &str| {
            text.replace('#', " ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        let help = flag.get_help().unwrap().to_string();
        let help = words(help.split(" [default: ").next().unwrap());
        assert!(words(&text).contains(&help), "{key}: {help}");
    }
    for expected in [
        "\n# round_until = 12.0\n",
        "\naugment = \"auto\"  # here: \"none\"\n",
        "\n# data_dir is not set\n",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
    let text_in_words = text.replace('#', " ");
    let text_in_words: Vec<&str> = text_in_words.split_whitespace().collect();
    let methods = format!(": {} ", MethodName::NAMES.join(", "));
    assert!(text_in_words.join(" ").contains(&methods), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    // A derived value that someone takes the comment from means the same.
    let written_out = text
        .replace("# round_until =", "round_until =")
        .replace("# resize =", "resize =");
    let written_out = parse(&written_out).unwrap();
    assert_eq!(written_out.topology.round_until, Some(12.0));
    assert_eq!(
        written_out.differences(&TrainConfig::default()).unwrap(),
        [""; 0]
    );
    assert_eq!(
        written_out.with_derived(),
        TrainConfig::default().with_derived()
    );
}

/// What follows from other values follows them too when they are changed over a file that was printed or saved.
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
    // What was said stays.
    std::fs::write(
        folder.path().join("said.toml"),
        print(&["--round-until", "7"]),
    )
    .unwrap();
    let said = print(&["--config", "said.toml", "--epochs", "100"]);
    assert_eq!(parse(&said).unwrap().topology.round_until, Some(7.0));
}

/// What the merging relies on: a flag's id is its key in the file.
#[test]
fn flags_and_file_have_the_same_names() {
    let command = ConfigFlags::augment_args(clap::Command::new("train"));
    for flag in command.get_arguments() {
        let id = flag.get_id().as_str();
        assert_eq!(flag.get_long(), Some(id.replace('_', "-").as_str()));
        let error = parse(&format!("{id} = {{ not = 1 }}")).unwrap_err();
        assert!(!error.to_string().contains("unknown field"), "{error}");
    }
    for name in ["erdos-renyi", "uniform"] {
        assert_eq!(
            over(TrainConfig::default(), &["--assignment", name])
                .model
                .assignment,
            parse(&format!("assignment = '{name}'"))
                .unwrap()
                .model
                .assignment
        );
    }
    assert_eq!(MethodName::value_variants(), MethodName::ALL);
    for method in MethodName::ALL {
        let name = method.to_string();
        assert_eq!(
            over(TrainConfig::default(), &["--method", &name])
                .topology
                .method,
            method
        );
        assert_eq!(
            parse(&format!("method = '{name}'"))
                .unwrap()
                .topology
                .method,
            method
        );
    }
}

#[test]
fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
    let file = "lr = 0.5\nnesterov = true\nmilestones = [8, 12]\nhidden = [64]\nlimit = 100";
    let file = parse(file).unwrap();
    assert_eq!(file.run.batch, TrainConfig::default().run.batch);
    // A flag that repeats the default still overrides the file.
    let default_lr = TrainConfig::default().optimiser.lr.to_string();
    let mixed = over(file.clone(), &["--lr", &default_lr, "--hidden", "32,16"]);
    let mut expected = file.clone();
    expected.optimiser.lr = TrainConfig::default().optimiser.lr;
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
fn a_file_with_a_mistake_is_refused_with_its_line() {
    let cases = [
        (
            "seed = 1\nlrr = 0.1",
            "configuration my.toml, line 2: unknown field `lrr`, expected one of `data`",
        ),
        (
            "method = 'rigle'",
            "line 1: `method`: unknown variant `rigle`, expected one of `static`, `set`, ",
        ),
        (
            "\n\nlr = 'high'",
            "line 3: `lr`: invalid type: string \"high\", expected f64",
        ),
        (
            "epochs = -1",
            "line 1: `epochs`: invalid value: integer `-1`",
        ),
        ("lr = ", "line 1: "),
        ("seed = 1\nseed = 2", "line 2: duplicate key"),
    ];
    for (text, expected) in cases {
        let message = parse(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
    let missing = TrainConfig::load(Path::new("no/such.toml")).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("cannot read no/such.toml: ")
    );
}

#[test]
fn each_bad_value_has_its_message() {
    let cases: &[(&[&str], &str)] = &[
        (
            &["--sparsity", "1"],
            "--sparsity must be at least 0 and below 1, not 1",
        ),
        (&["--sparsity", "-0.1"], "--sparsity must be"),
        (&["--sparsity", "NaN"], "not NaN"),
        (
            &["--hidden", "64,0"],
            "--hidden must list widths from 1 to 4294967291, as in 256,256, or be none, not 64,0",
        ),
        (
            &["--gamma", "0"],
            "--gamma must be a factor above 0 and at most 1000, not 0",
        ),
        (&["--gamma", "inf"], "--gamma must"),
        (
            &["--alpha", "0"],
            "--alpha must be above 0 and at most 1, not 0",
        ),
        (&["--alpha", "1.5"], "--alpha must"),
        (
            &["--round-every", "0"],
            "--round-every must be at least 1 step, not 0",
        ),
        (&["--round-until", "NaN"], "--round-until must"),
        (&["--epochs", "0"], "--epochs must be at least 1, not 0"),
        (
            &["--batch", "0"],
            "--batch must be from 1 to 4294967291 images, not 0",
        ),
        (
            &["--lr", "0"],
            "--lr must be above 0 and at most 1000000, not 0",
        ),
        (&["--lr", "inf"], "not inf"),
        (&["--lr", "1e39"], "--lr must"), // infinite as f32
        (
            &["--momentum", "1"],
            "--momentum must be at least 0 and below 1, not 1",
        ),
        (
            &["--momentum", "0", "--nesterov"],
            "--nesterov needs a momentum above 0, not 0",
        ),
        (&["--weight-decay", "-1"], "--weight-decay must"),
        (&["--label-smoothing", "1"], "--label-smoothing must"),
        (&["--warmup-epochs", "-1"], "--warmup-epochs must"),
        (
            &["--milestones", "12,8"],
            "--milestones must list epochs above 0, up to 4294967295, in ascending order, as in 8,12, or be none, not 12,8",
        ),
        (&["--milestones", "8,NaN"], "--milestones must"),
        (&["--lr-decay", "0"], "--lr-decay must"),
        (&["--adapter", ""], "--adapter must"),
        (
            &["--workers", "0"],
            "--workers must be 1 to 64 threads, not 0",
        ),
    ];
    for (flags, expected) in cases {
        let message = over(TrainConfig::default(), flags)
            .validate()
            .unwrap_err()
            .message(flag);
        assert!(message.contains(expected), "{flags:?}: {message}");
    }
    let limits: [&[&str]; 4] = [
        &["--sparsity", "0"],
        &["--sparsity", "0.999"],
        &["--alpha", "1"],
        &["--hidden", "none", "--round-until", "0"],
    ];
    for flags in limits {
        over(TrainConfig::default(), flags).validate().unwrap();
    }
}

#[test]
fn the_command_refuses_bad_values_with_one_error_and_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (
            &["--sparsity", "1.0"],
            "error: --sparsity must be at least 0",
        ),
        (
            &["--sparsity", "-1"],
            "error: --sparsity must be at least 0",
        ),
        (
            &["--method", "rigle"],
            &format!("[possible values: {}]", MethodName::NAMES.join(", ")),
        ),
        (
            &["--hidden", "64,x"],
            "`x`: it must be a whole number from 0 to",
        ),
        (&["--config", "a", "--resume", "b"], "cannot be used with"),
    ];
    for (flags, expected) in cases {
        let output = rootlet(folder.path(), &[&["train"], *flags].concat());
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {message}");
        assert!(
            message.starts_with("error: ") && message.contains(expected),
            "{flags:?}: {message}"
        );
    }
    assert_eq!(
        folder.path().read_dir().unwrap().count(),
        0,
        "a mistake left something behind"
    );
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

    // More epochs do not move the end of the rounds, by which those before were done.
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

#[test]
fn help_shows_the_defaults_and_a_newcomer_sees_examples() {
    let folder = tempfile::tempdir().unwrap();
    let help = text(&rootlet(folder.path(), &["train", "-h"]).stdout);
    let help: Vec<&str> = help.split_whitespace().collect();
    let help = help.join(" "); // wherever the lines are broken
    for expected in [
        "[default: 256,256]",
        "[default: gse-uniform]",
        "[env: ROOTLET_ADAPTER",
        "[default: none]",
    ] {
        assert!(help.contains(expected), "{expected} is not in\n{help}");
    }
    for name in rootlet::data::NAMES {
        let start = help.find("--data <NAME>").unwrap();
        let listed = &help[start..help.find("--data-dir <DIR>").unwrap()];
        assert!(listed.contains(name), "{name} is not in: {listed}");
    }
    for arguments in [&[][..], &["-h"], &["--help"]] {
        let output = rootlet(folder.path(), arguments);
        let shown = text(&output.stdout) + &text(&output.stderr);
        assert!(shown.contains("Examples:\n  rootlet train\n"), "{shown}");
    }
}

/// The words of the papers for T and T_end.
#[test]
fn interval_and_until_are_names_of_the_rounds_flags() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["train", "--interval", "7", "--until", "3", "--print-config"];
    let output = rootlet(folder.path(), &flags);
    let config = text(&output.stdout);
    assert!(config.contains("round_every = 7\n"), "{config}");
    assert!(config.contains("round_until = 3.0\n"), "{config}");
}

/// What a flag's error says, or nothing where it has an effect.
fn idle(flags: &[&str]) -> Option<String> {
    let command = ConfigFlags::augment_args(clap::Command::new("train"));
    let matches = command.try_get_matches_from([&["train"], flags].concat());
    let given = ConfigFlags::from_arg_matches(&matches.unwrap()).unwrap();
    let config = given.over(TrainConfig::default());
    let refused = given.check_effects(&config).err();
    refused.map(|error| error.to_string())
}

#[test]
fn flags_without_effect_are_refused_with_the_reason() {
    for (flags, part) in [
        (
            &["--method=rigl", "--distinct-candidates"][..],
            "draws no candidates",
        ),
        (
            &["--method=set", "--round-batches=2"],
            "--round-batches has no effect",
        ),
        (
            &["--model=resnet20", "--hidden=64"][..],
            "--hidden has no effect here: the model resnet20",
        ),
        (&["--hidden=none", "--width=2"], "--width has no effect"),
        (&["--data-dir=x"], "name another one with --data"),
        (
            &["--image-size=32"],
            "--image-size has no effect here: the images of digits",
        ),
        (&["--data=mnist", "--resize=32"], "--resize has no effect"),
        (
            &["--data=cifar10", "--val-split=0.2"],
            "--val-split has no effect",
        ),
        (
            &["--data=image-folder", "--resident"],
            "--resident has no effect",
        ),
        (
            &["--method=dense", "--sparsity=0.5"],
            "the method dense has all connections",
        ),
        (
            &["--method=dense", "--connections=5"],
            "the method dense has all connections",
        ),
        (
            &["--sparsity=0.5", "--connections=500"],
            "--connections says",
        ),
        (
            &["--method=snip", "--assignment=uniform"],
            "--assignment has no effect",
        ),
        (&["--lottery-cycles=3"], "for --method lottery"),
        (&["--topkast-backward=3"], "for --method topkast"),
        (
            &["--method=static", "--scope=global"],
            "--scope has no effect",
        ),
        (
            &["--method=topkast", "--scope=global"],
            "--scope has no effect",
        ),
        (&["--method=static", "--gamma=2"], "draws no candidates"),
        (&["--method=rigl", "--gamma=2"], "draws no candidates"),
        (
            &["--method=gradual", "--alpha=0.3"],
            "--alpha has no effect",
        ),
        (
            &["--method=synflow", "--round-every=9"],
            "--round-every has no effect",
        ),
        (
            &["--method=static", "--interval=9"],
            "--round-every has no effect",
        ),
        (
            &["--method=topkast", "--round-until=9"],
            "--round-until has no effect",
        ),
        (&["--lr-decay=0.5"], "there are no --milestones"),
        (
            &["--method=static", "--statistics=false"],
            "no rounds that explore",
        ),
        (
            &["--method=gradual", "--statistics"],
            "no rounds that explore",
        ),
        (
            &["--adapter=0", "--threads=3"],
            "for the built-in CPU executor, and the adapter is 0",
        ),
    ] {
        let message = idle(flags).unwrap_or_else(|| panic!("{flags:?} is taken"));
        assert!(message.contains(part), "{flags:?}: {message}");
        assert!(message.ends_with("leave it out"), "{message}");
    }
    for flags in [
        &["--round-batches=2", "--distinct-candidates"][..],
        &["--method=rigl", "--round-batches=1"],
        &["--hidden=64", "--width=2"][..],
        &["--model=resnet20", "--width=2"],
        &["--data=mnist", "--data-dir=x"],
        &[
            "--data=image-folder",
            "--image-size=32",
            "--resize=40",
            "--val-split=0.2",
        ],
        &["--resident", "--data=cifar10"],
        &["--resident=false", "--data=image-folder"],
        &["--connections=500", "--assignment=uniform"],
        &[
            "--method=set",
            "--gamma=2",
            "--alpha=0.3",
            "--scope=global",
            "--round-every=9",
        ],
        &["--method=rigl", "--alpha=0.3", "--round-until=9"],
        &[
            "--method=gradual",
            "--scope=global",
            "--round-every=9",
            "--round-until=9",
        ],
        &["--method=lottery", "--lottery-cycles=3", "--scope=global"],
        &[
            "--method=topkast",
            "--topkast-backward=3",
            "--round-every=9",
        ],
        &["--lr-decay=0.5", "--milestones=3"],
        &["--nesterov=false", "--statistics=false"],
        &["--adapter=cpu", "--threads=3"],
        &["--adapter=llvmpipe", "--threads=0"],
    ] {
        assert_eq!(idle(flags), None, "{flags:?}");
    }
}
