//! Mistakes on the command line and in a configuration file: one clear error each, and no run folder left behind.

use crate::{Desk, model, names, newest, small, text};
use std::fs;
use std::time::Instant;

#[test]
fn bad_values_name_the_flag_and_what_it_takes() {
    let desk = Desk::new();
    let below_one = "must be at least 0 and below 1";
    for (argument, part) in [
        ("--data=minst", "--data must be one of digits, mnist"),
        ("--method=gsx", "gse-uniform"),
        ("--assignment=x", "erdos-renyi"),
        ("--scope=x", "global"),
        ("--sparsity=1.0", below_one),
        ("--sparsity=-0.1", below_one),
        ("--sparsity=nan", below_one),
        ("--sparsity=inf", below_one),
        ("--sparsity=much", "--sparsity"),
        ("--sparsity=0.99999", "without a connection"),
        ("--hidden=0", "from 1 to 4294967291"),
        (
            "--hidden=16,0",
            "from 1 to 4294967291, as in 256,256, or be none, not 16,0",
        ),
        ("--hidden=a,b", "--hidden"),
        ("--hidden=-5", "--hidden"),
        ("--batch=0", "from 1 to 4294967291 samples"),
        ("--batch=-1", "--batch"),
        ("--epochs=0", "--epochs must be at least 1"),
        ("--lr=0", "--lr"),
        ("--lr=nan", "--lr"),
        ("--momentum=1", "--momentum"),
        ("--weight-decay=-1", "--weight-decay"),
        ("--label-smoothing=1", "--label-smoothing"),
        ("--gamma=0", "--gamma"),
        ("--alpha=0", "--alpha"),
        ("--alpha=1.5", "--alpha"),
        ("--round-every=0", "--round-every"),
        ("--milestones=8,4", "ascending"),
        ("--seed=-1", "--seed"),
        ("--seed=4294967296", "--seed"),
        ("--steps=many", "--steps"),
        ("--workers=0", "--workers"),
        ("--threads=-1", "--threads"),
        (
            "--threads=100000",
            "must be 1 to 1024, or 0 for one per core, not 100000",
        ),
        ("--save-every=0", "--save-every"),
        ("--name=a/b", "letters, digits"),
        ("--name=", "--name"),
        ("--frobnicate", "'--frobnicate'"),
        ("--data=mnist", "needs --data-dir"),
        ("digits", "unexpected argument 'digits'"),
    ] {
        desk.bad(&["train", argument, "--quiet"], 2, &[part]);
    }
    assert!(desk.runs().is_empty(), "{:?}", desk.runs());
}

/// Mistakes in the other commands, which have no configuration.
#[test]
fn numbers_of_every_command_name_their_range() {
    let desk = Desk::new();
    let counts = [
        "bench --sizes",
        "bench --hidden",
        "bench --scaling-sizes",
        "bench --batch",
        "flops --round-every",
        "flops --batch",
    ];
    let threads = ["bench --threads", "eval x --threads", "verify --threads"];
    let reals = [
        "bench --sparsities",
        "bench --seconds",
        "bench --limit",
        "flops --until",
        "flops --width",
        "model mlp --gamma",
    ];
    for (flags, values) in [
        (
            &counts[..],
            &["0", "-1", "1e9", "nan", "99999999999999999999999"][..],
        ),
        (&threads, &["-1", "1025", "1e9", "99999999999999999999999"]),
        (&reals, &["-1", "nan", "inf", "1e30", "much"]),
        (&["eval x --limit", "flops --classes"], &["-1", "1e9"]),
    ] {
        for flag in flags {
            for value in values {
                let mut words: Vec<&str> = flag.split(' ').collect();
                let typed = format!("{}={value}", words.pop().unwrap());
                words.push(&typed);
                let name = typed.split('=').next().unwrap();
                let done = desk.bad(&words, 2, &[name, " must be "]);
                assert!(!done.err.contains("invalid digit"), "{done:?}");
            }
        }
    }
    let part = "--hidden has no effect here: the model resnet20";
    desk.bad(&["model", "resnet20", "--hidden=8"], 2, &[part]);
    desk.good(&["model", "mlp", "--hidden=8,9"]);
}

#[test]
fn bad_commands_and_two_bad_flags_give_one_error() {
    let desk = Desk::new();
    desk.bad(&["trian"], 2, &["'trian'", "train"]);
    desk.bad(
        &["train", "--sparsity=2", "--batch=0"],
        2,
        &["--sparsity must be"],
    );
    desk.bad(&["train", "--foo", "--bar"], 2, &["--foo"]);
    desk.bad(&["train", "--quiet", "--json"], 2, &["--quiet", "--json"]);
    desk.bad(&["train", "--lr"], 2, &["--lr <RATE>"]);
    desk.bad(&["train", "--seed=1", "--seed=2"], 2, &["--seed"]);
    desk.bad(&["eval", "x", "--threads=no"], 2, &["--threads"]);
    desk.bad(&["bench", "--sparsities=1"], 2, &["below 1"]);
    let help = desk.run(&[]);
    assert_eq!(help.code, Some(2));
    assert!(help.err.contains("Usage: rootlet <COMMAND>"), "{help:?}");
}

#[test]
fn help_tells_a_newcomer_what_to_do() {
    let desk = Desk::new();
    let help = desk.good(&["--help"]).out;
    for part in [
        "rootlet train\n",
        "rootlet adapters",
        "rootlet eval runs/",
        "--resume",
    ] {
        assert!(help.contains(part), "no `{part}` in {help}");
    }
    let help = desk.good(&["train", "--help"]).out;
    let config = desk.good(&["train", "--print-config"]).out;
    for name in config.lines().filter_map(|line| line.split_once(" = ")) {
        let key = name.0.trim_start_matches("# ");
        let flag = format!("--{}", key.replace('_', "-"));
        assert!(help.contains(&flag), "no {flag} in {help}");
    }
    assert!(help.contains("exit status 130"), "{help}");
    assert!(desk.good(&["--version"]).out.starts_with("rootlet "));
}

#[test]
fn bad_configuration_files() {
    let desk = Desk::new();
    let write = |text: &str| fs::write(desk.path("my.toml"), text).unwrap();
    let train = ["train", "--config", "my.toml", "--quiet"];
    desk.bad(&train, 1, &["cannot read my.toml"]);
    for (content, parts) in [
        ("sparsity = ", ["my.toml, line 1", ""]),
        (
            "epochs = 2\nsparsty = 0.5\n",
            ["my.toml, line 2", "sparsty"],
        ),
        ("epochs = \"two\"\n", ["my.toml, line 1", "string"]),
        (
            "epochs = 2\nsparsity = 1.0\n",
            ["my.toml: `sparsity` must be", "not 1"],
        ),
        ("method = \"gsx\"\n", ["my.toml, line 1", "gse-uniform"]),
        ("[train]\nepochs = 2\n", ["my.toml, line 1", "train"]),
        ("data = \"minst\"\n", ["not minst", "digits"]),
    ] {
        write(content);
        desk.bad(&train, 2, &parts);
    }
    fs::write(desk.path("my.toml"), [0xff, 0xfe, 0x00]).unwrap();
    desk.bad(&train, 1, &["my.toml"]);
    desk.bad(&["train", "--config", "."], 1, &["cannot read ."]);
    // Values that it leaves out have their defaults, and flags override it.
    write("epochs = 1\nhidden = [8]\n");
    desk.good(&[&train[..], &["--limit=64"]].concat());
}

#[test]
fn a_model_too_large_is_refused_before_it_eats_the_memory() {
    let desk = Desk::new();
    let started = Instant::now();
    let dense = ["train", "--sparsity=0", "--quiet"];
    for adapter in ["--adapter=cpu", "--adapter=llvmpipe"] {
        let large = ["--hidden=200000,200000", adapter];
        desk.bad(
            &[&dense[..], &large].concat(),
            2,
            &["2^32", "--sparsity", "--hidden"],
        );
    }
    // Few enough to count, but more than any machine that runs this can hold.
    let large = ["--hidden=60000,60000", "--adapter=cpu"];
    let done = desk.run(&[&dense[..], &large].concat());
    done.failed(
        1,
        &[
            "`connections` needs 144177600000 bytes",
            "free memory",
            "--sparsity",
        ],
    );
    let widest = "--hidden=4000000000,4000000000";
    desk.bad(&["train", widest], 2, &["--hidden"]);
    // A plane of a single 8192×8192 image is more than llvmpipe binds.
    for split in ["train", "val"] {
        let class = desk.path("images").join(split).join("class");
        fs::create_dir_all(&class).unwrap();
        // Only named, never read: the sizes are checked before the images.
        fs::write(class.join(format!("{split}.png")), []).unwrap();
    }
    let folder = format!("--data-dir={}", desk.path("images").display());
    desk.bad(
        &[
            "train",
            "--adapter=llvmpipe",
            "--data=image-folder",
            &folder,
            "--image-size=8192",
            "--resize=8192",
            "--model=resnet20",
        ],
        1,
        &[
            "activations of resnet20 for a single sample",
            "largest storage binding",
        ],
    );
    assert!(started.elapsed().as_secs() < 180, "{:?}", started.elapsed());
    assert!(desk.runs().is_empty());
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_what_was_saved() {
    let desk = Desk::new();
    let done = desk.bad(
        &["train", "--lr=1e6"],
        1,
        &["the loss became", "at step 3", "--lr"],
    );
    assert!(!done.out.contains("test accuracy"), "{done:?}");
    // A sound start, then a rate that no network survives: the earlier checkpoint stays as it was.
    let run = desk.small(&["--epochs=2"]);
    let (checkpoint, before) = (newest(&run), model(&run));
    let resume = [
        "train",
        "--resume",
        text(&run),
        "--epochs=6",
        "--lr=1e6",
        "--quiet",
    ];
    desk.bad(
        &resume,
        1,
        &[
            "the loss became",
            "at step 41",
            "checkpoints saved before are kept",
        ],
    );
    assert_eq!(newest(&run), checkpoint);
    assert!(
        model(&run) == before,
        "the last good checkpoint was touched"
    );
    assert_eq!(names(&run.join("checkpoints")).len(), 2);
    desk.good(&["eval", text(&run)]);
    // And it continues from there with a better one, as if nothing had happened.
    let better = ["--lr=0.1", "--epochs=6", "--quiet"];
    desk.good(&[&["train", "--resume", text(&run)][..], &better].concat());
    crate::assert_same(&desk.small(&[]), &run);
}

/// A suggestion for a wrong name is a similar one: all of them would fill a page.
#[test]
fn an_unknown_kernel_is_answered_by_those_most_like_it() {
    let desk = Desk::new();
    for (typed, meant) in [
        ("smpm", "sparse/spmm"),
        ("Sparse/Conv_ddsmm", "sparse/conv_sddmm"),
    ] {
        let check = format!("--check={typed}");
        let done = desk.bad(
            &small(&[&check]),
            2,
            &["no kernel's name contains it", meant],
        );
        assert_eq!(
            done.err.matches('/').count() - typed.matches('/').count(),
            4,
            "{done:?}"
        );
    }
}
