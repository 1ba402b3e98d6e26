//! What is refused: mistakes in files, bad values, flags without effect.

use std::path::Path;

use clap::{Args, FromArgMatches};
use rootlet::topology::MethodName;
use rootlet::train::TrainConfig;
use rootlet::train::config::ConfigFlags;

use super::{flag, over, parse, rootlet, text};

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
            "--batch must be from 1 to 4294967291 samples, not 0",
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
            "--milestones must list epochs above 0, up to 4294967295, in ascending order, as in 8,12, or be none, not \
             12,8",
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

/// The error for a flag, or nothing if it has an effect.
fn idle(flags: &[&str]) -> Option<String> {
    rootlet::error::name_options(flag);
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
