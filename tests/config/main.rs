//! The configuration: saved and read back, laid together from flags, environment and file, and refused where it is bad.
#![allow(clippy::unwrap_used)]

mod laid;
mod limits;
mod refused;

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use clap::{Args, FromArgMatches, ValueEnum};
use proptest::prelude::*;
use rootlet::data::table::Missing;
use rootlet::engine::Precision;
use rootlet::engine::tune::Tune;
use rootlet::optim::{OptimiserName, RateName};
use rootlet::sparse::Assignment;
use rootlet::topology::{MethodName, Scope};
use rootlet::train::TrainConfig;
use rootlet::train::config::{
    ConfigFlags, DataConfig, LossName, MachineConfig, ModelConfig, OptimiserConfig, RunConfig,
    TaskConfig, TaskName, TopologyConfig,
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
    let precision = prop::sample::select(Precision::value_variants());
    let machine = ("\\PC{0,20}", 0..64_usize, 0..64_usize, precision);
    let task = (
        prop::sample::select(TaskName::value_variants()),
        prop::sample::select(LossName::value_variants()),
        finite(),
    );
    let all = (data, task, topology, optimiser, machine);
    all.prop_map(|(data, task, topology, optimiser, machine)| {
        let (assignment, method, scope, (sparsity, gamma, alpha, round_until), round_every) =
            topology;
        let (rates, milestones, (epochs, seed, nesterov), (steps, batch)) = optimiser;
        let (lr, momentum, weight_decay, label_smoothing, warmup_epochs, lr_decay) = rates;
        TrainConfig {
            data: DataConfig {
                name: data.0,
                dir: data.1.clone(),
                limit: data.2,
                augment: format!("{seed}"),
                rand_augment: vec![batch, batch / 2],
                mixup: sparsity,
                cutmix: alpha,
                image_size: batch,
                resize: data.2,
                val_split: Some(gamma),
                target: data.1.as_ref().map(|_| "a,b".to_owned()),
                ignore: data.2.map(|limit| format!("{limit}")),
                weight: data.2.map(|limit| format!("{limit}")),
                missing: Missing::ALL[seed as usize % Missing::ALL.len()],
                test: data.1.clone(),
                skip_bad_images: nesterov,
            },
            task: TaskConfig {
                name: task.0,
                loss: task.1,
                huber_delta: task.2,
                class_weights: format!("{seed}"),
                balance: nesterov,
            },
            model: ModelConfig {
                name: "mlp".into(),
                width: gamma,
                hidden: data.3,
                sparsity,
                connections: steps,
                assignment,
                init: data.1.clone(),
                init_dense: data.1,
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
                best_metric: format!("{seed}"),
                patience: data.2.map(|limit| limit as u32),
            },
            optimiser: OptimiserConfig {
                optimiser: data
                    .2
                    .map(|limit| OptimiserName::ALL[limit % OptimiserName::ALL.len()]),
                lr: nesterov.then_some(lr),
                ema: nesterov.then_some(momentum),
                momentum,
                nesterov,
                beta1: momentum,
                beta2: gamma,
                epsilon: alpha,
                ages: nesterov,
                weight_decay: round_until.map(|_| weight_decay),
                clip_norm: round_until,
                label_smoothing,
                warmup_epochs,
                lr_schedule: RateName::ALL[epochs as usize % RateName::ALL.len()],
                milestones,
                lr_decay,
                lr_end: lr,
            },
            machine: MachineConfig {
                tune: Tune::Off,
                micro_batch: data.2,
                activations: machine.3,
                exchange: match nesterov {
                    true => Precision::Bf16,
                    false => Precision::F32,
                },
                checkpoint_activations: nesterov,
                resident: data.2.map(|limit| limit > 9),
                stream: data.2.map(|limit| limit > 9),
                dense_above: round_until,
                fused: data.2.map(|limit| limit % 2 == 0),
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
