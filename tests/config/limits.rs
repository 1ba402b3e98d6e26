//! Every flag that takes a number, with numbers that are out of its range.

use clap::{Arg, Args, FromArgMatches};
use rootlet::train::TrainConfig;
use rootlet::train::config::ConfigFlags;

/// Values that hardly any flag has a use for.
const EXTREMES: [&str; 9] = [
    "0",
    "-1",
    "NaN",
    "inf",
    "-inf",
    "1e9",
    "1e30",
    "1000000000",
    "99999999999999999999999",
];

/// What is wrong with a value of a flag; nothing if it is taken.
fn refusal(flag: &str, value: &str) -> Option<String> {
    let command = ConfigFlags::augment_args(clap::Command::new("train"));
    let typed = format!("--{flag}={value}");
    let matches = match command.try_get_matches_from(["train", &typed]) {
        Ok(matches) => matches,
        Err(error) => return Some(error.to_string()),
    };
    let flags = ConfigFlags::from_arg_matches(&matches).unwrap();
    let config = flags.over(TrainConfig::default());
    let error = config.validate().err()?;
    Some(error.message(super::flag))
}

/// Each is refused with the flag, what it takes and the value; or it is among those that mean something there.
#[test]
fn numbers_out_of_range_name_the_flag_and_its_range() {
    let taken = |flag: &str| -> &[&str] {
        match flag {
            // 0 means none.
            "limit" | "connections" | "steps" | "patience" => &["0", "1000000000"],
            "seed" => &["0", "1000000000"],
            "epochs" | "round-every" | "batch" => &["1000000000"],
            "hidden" => &["1000000000"],
            "threads" | "sparsity" | "momentum" | "label-smoothing" | "weight-decay" | "beta1"
            | "beta2" | "lr-end" | "ema" | "mixup" | "cutmix" => &["0"],
            "round-until" | "warmup-epochs" => &["0", "1e9", "1000000000"],
            "milestones" => &["1e9", "1000000000"],
            "huber-delta" => &["1e9", "1000000000"],
            "class-weights" => &["1e9", "1e30", "1000000000", "99999999999999999999999"],
            // Above 1 is never.
            "dense-above" => &["0", "1e9", "1e30", "1000000000", "99999999999999999999999"],
            _ => &[],
        }
    };
    let words = [
        "data",
        "data-dir",
        "target",
        "ignore",
        "test",
        "weight",
        "augment",
        "model",
        "adapter",
        "best-metric",
        "init",
        "init-dense",
    ];
    let command = ConfigFlags::augment_args(clap::Command::new("train"));
    let switch = |flag: &&Arg| {
        flag.get_value_names()
            .is_some_and(|names| names[0] == "BOOL")
    };
    let numbers: Vec<&str> = command
        .get_arguments()
        .filter(|flag| !switch(flag) && flag.get_possible_values().is_empty())
        .filter_map(Arg::get_long)
        .filter(|name| !words.contains(name))
        .collect();
    assert!(numbers.len() > 25, "{numbers:?}");
    let mut wrong = Vec::new();
    for flag in numbers {
        for value in EXTREMES {
            let refusal = refusal(flag, value);
            let expected = !taken(flag).contains(&value);
            let clear = refusal.as_ref().is_none_or(|text| {
                text.contains(&format!("--{flag}"))
                    && text.contains("must")
                    && !text.contains("invalid digit")
            });
            if refusal.is_some() != expected || !clear {
                wrong.push(format!("--{flag}={value}: {refusal:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The last value that is taken, and the first that is not.
#[test]
fn the_ends_of_the_ranges_are_as_the_messages_say() {
    for (flag, last, past, range) in [
        (
            "width",
            "1000",
            "1000.5",
            "above 0 and at most 1000, not 1000.5",
        ),
        ("gamma", "1000", "1001", "above 0 and at most 1000"),
        ("lr", "1000000", "1000001", "above 0 and at most 1000000"),
        ("lr-decay", "1e6", "2e6", "above 0 and at most 1000000"),
        (
            "weight-decay",
            "1e6",
            "2e6",
            "at least 0 and at most 1000000",
        ),
        (
            "topkast-backward",
            "1e6",
            "2e6",
            "at least 1 and at most 1000000",
        ),
        ("workers", "64", "65", "must be 1 to 64 threads, not 65"),
        (
            "threads",
            "1024",
            "1025",
            "must be 1 to 1024, or 0 for one per core",
        ),
        ("round-batches", "65536", "65537", "1 to 65536"),
        ("lottery-cycles", "100", "101", "1 to 100"),
        ("image-size", "224", "16385", "1 to 16384"),
        (
            "micro-batch",
            "32",
            "33",
            "at least 1 sample and divide the batch of 32",
        ),
        // Near enough to 1 to be 1 on the device.
        ("momentum", "0.9999", "0.99999999", "at least 0 and below 1"),
        ("label-smoothing", "0.9999", "0.99999999", "below 1"),
        ("huber-delta", "1e18", "2e18", "above 0 and at most 1e18"),
        (
            "class-weights",
            "0,1",
            "0,0",
            "0 or above and one of them above",
        ),
    ] {
        assert_eq!(refusal(flag, last), None, "--{flag}={last}");
        let message = refusal(flag, past).unwrap_or_else(|| panic!("--{flag}={past} is taken"));
        assert!(message.contains(range), "{message}");
    }
}
