//! Unwelcome files and surroundings: pipes in place of files, absurd numbers, names that a terminal would obey, empty
//! variables, limits below what is free.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Desk, Done, small, text};

/// Long enough for a busy machine, and short compared with what once hung or worked for minutes.
const SOON: Duration = Duration::from_secs(180);

/// Runs a command that must end by itself.
pub fn soon(mut command: Command) -> Done {
    let mut child = (command.stdout(Stdio::piped()).stderr(Stdio::piped()))
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > SOON {
            child.kill().unwrap();
            panic!("it hangs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Done::of(child.wait_with_output().unwrap())
}

pub fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_file_is_refused_at_once() {
    let desk = Desk::new();
    let refused = |arguments: &[&str], name: &str| {
        let done = soon(desk.command(arguments));
        assert_ne!(done.code, Some(0), "{arguments:?}: {done:?}");
        for part in [name, "not a file"] {
            assert!(done.err.contains(part), "{arguments:?}: {done:?}");
        }
    };
    for name in ["p.mtx", "p.smtx.gz", "p.toml", "p.json"] {
        pipe(&desk.path(name));
    }
    fs::write(desk.path("empty.json"), "{}").unwrap();
    refused(&["bench", "--quick", "--matrix", "p.mtx"], "p.mtx");
    refused(&["bench", "--quick", "--matrix", "p.smtx.gz"], "p.smtx.gz");
    refused(&["train", "--config", "p.toml"], "p.toml");
    refused(&["sweep", "p.toml"], "p.toml");
    refused(&["bench", "compare", "p.json", "p.json"], "p.json");
    refused(&["report", "p.json", "-o", "r.html"], "p.json");
    refused(&["train", "--config", "/dev/zero"], "/dev/zero");

    let run = desk.small(&[]);
    let run = text(&run);
    for name in ["summary.json", "metrics.csv", "topology.csv"] {
        let path = Path::new(run).join(name);
        let sound = fs::read(&path).unwrap();
        pipe(&path);
        // Whatever can be read of a run is shown.
        for arguments in [&["report", run, "-o", "r.html"][..], &["watch", run]] {
            let done = soon(desk.command(arguments));
            let told = done.out.clone() + &done.err;
            assert!(
                told.contains(name) && told.contains("not a file"),
                "{done:?}"
            );
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, sound).unwrap();
    }
    desk.good(&["report", run, "-o", "r.html"]);
    pipe(&Path::new(run).join("config.toml"));
    let told = soon(desk.command(&["watch", run])).out;
    let says = "config.toml is no file; the checkpoint counts";
    assert!(told.contains(says), "{told}");
}

#[test]
fn a_configuration_that_the_shell_hands_over_is_read() {
    let desk = Desk::new();
    let config = desk.good(&["train", "--print-config", "--hidden=7"]).out;
    let mut command = desk.command(&["train", "--config", "/dev/stdin", "--print-config"]);
    let mut child = (command.stdin(Stdio::piped()).stdout(Stdio::piped()))
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, config.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), config);
}

const HEADER: &str = "%%MatrixMarket matrix coordinate real general\n";

fn bench(matrix: &str) -> [&str; 10] {
    [
        "bench",
        "--quick",
        "--seconds",
        "0.001",
        "--only",
        "spmm",
        "--batch",
        "4",
        "--matrix",
        matrix,
    ]
}

#[test]
fn matrices_whose_products_overflow_are_refused_by_their_name() {
    let desk = Desk::new();
    let row = "2 4 4\n1 1 3e38\n1 2 3e38\n1 3 3e38\n1 4 3e38\n";
    fs::write(desk.path("big.mtx"), format!("{HEADER}{row}")).unwrap();
    let sum = "3 3 2\n1 2 3e38\n1 2 3e38\n";
    fs::write(desk.path("sum.mtx"), format!("{HEADER}{sum}")).unwrap();
    desk.bad(
        &bench("big.mtx"),
        1,
        &["big.mtx", "row 1", "too large for 32-bit products"],
    );
    desk.bad(
        &bench("sum.mtx"),
        1,
        &["sum.mtx", "line 4", "too large for 32-bit products"],
    );
}

#[test]
fn matrices_are_read_gzipped_and_with_any_comment() {
    use flate2::{Compression, write::GzEncoder};
    let desk = Desk::new();
    let text = [HEADER.as_bytes(), b"% by Caf\xe9\n3 3 2\n1 2 1.5\n3 1 -2\n"].concat();
    fs::write(desk.path("latin1.mtx"), &text).unwrap();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut packed, &text).unwrap();
    let packed = packed.finish().unwrap();
    fs::write(desk.path("m.mtx.gz"), &packed).unwrap();
    fs::write(desk.path("cut.mtx.gz"), &packed[..packed.len() - 6]).unwrap();
    for name in ["latin1.mtx", "m.mtx.gz"] {
        let done = desk.good(&bench(name));
        assert!(done.out.contains(name), "{done:?}");
    }
    desk.bad(
        &bench("cut.mtx.gz"),
        1,
        &["cut.mtx.gz", "corrupt or truncated"],
    );
    let complex = "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 2\n";
    fs::write(desk.path("c.mtx"), complex).unwrap();
    desk.bad(
        &bench("c.mtx"),
        1,
        &["c.mtx", "complex", "write the real part"],
    );
}

#[test]
fn names_from_files_do_not_reach_the_terminal_as_commands() {
    let desk = Desk::new();
    let name = "\u{1b}]0;owned\u{7}\u{1b}[2J.mtx";
    fs::write(desk.path(name), format!("{HEADER}2 2 1\n1 2 1.5\n")).unwrap();
    let done = desk.good(&bench(name));
    assert!(
        !done.out.contains('\u{1b}') && done.out.contains("\\u{1b}[2J"),
        "{done:?}"
    );
    let done = desk.run(&bench("\u{1b}[2J.mtx"));
    done.failed(1, &["\\u{1b}[2J.mtx"]);
    assert!(!done.err.contains('\u{1b}'), "{done:?}");
    // A run's folder, on the terminal and in the page.
    let run = desk.small(&[]);
    let hostile = run.with_file_name("\u{1b}[31m<b>\u{202e}x");
    fs::rename(&run, &hostile).unwrap();
    let shown = desk.good(&["watch", text(&hostile)]).out;
    assert!(
        !shown.contains('\u{1b}') && shown.contains("\\u{1b}[31m"),
        "{shown}"
    );
    desk.good(&["report", text(&hostile), "-o", "r.html"]);
    let page = fs::read_to_string(desk.path("r.html")).unwrap();
    assert!(!page.contains(['\u{1b}', '\u{202e}']) && !page.contains("<b>\\u"));
    assert!(page.contains("\\u{1b}[31m&lt;b&gt;"));
}

#[test]
fn absurd_figures_of_a_benchmark_are_drawn_or_refused() {
    let desk = Desk::new();
    let quick = [&bench("m.mtx")[..], &["--json", "b.json"]].concat();
    fs::write(desk.path("m.mtx"), format!("{HEADER}2 2 1\n1 2 1.5\n")).unwrap();
    desk.good(&quick);
    let sound = fs::read_to_string(desk.path("b.json")).unwrap();
    for (i, absurd) in ["1e-308", "1e308", "-1e308", "0", "-9223372036854775807"]
        .iter()
        .enumerate()
    {
        let mut json: serde_json::Value = serde_json::from_str(&sound).unwrap();
        let number: serde_json::Value = serde_json::from_str(absurd).unwrap();
        for kernel in json["kernels"].as_array_mut().unwrap() {
            for field in ["gflop_s", "seconds", "share_of_ceiling"] {
                kernel[field] = number.clone();
            }
        }
        let step = serde_json::json!({
            "model": "m", "batch": 1, "sparsity": 0.5, "connections": 1, "seconds": number,
            "seconds_spread": [number, number], "round_seconds": number, "round_in_steps": number,
            "bytes": {"a": u64::MAX, "b": u64::MAX}
        });
        json["steps"] = serde_json::json!([step]);
        let name = format!("{i}.json");
        fs::write(desk.path(&name), json.to_string()).unwrap();
        for arguments in [
            &["bench", "compare", &name, &name, "-o", "f.svg"][..],
            &["report", &name, "-o", "r.html"],
        ] {
            let done = soon(desk.command(arguments));
            assert!(
                [Some(0), Some(1), Some(2)].contains(&done.code),
                "{absurd}: {done:?}"
            );
            assert!(!done.err.contains("panicked"), "{absurd}: {done:?}");
        }
    }
}

#[test]
fn counts_that_add_up_past_64_bits_are_told_with_their_row() {
    let desk = Desk::new();
    let run = desk.small(&[]);
    let path = run.join("topology.csv");
    let sound = fs::read_to_string(&path).unwrap();
    let columns: Vec<&str> = sound.lines().next().unwrap().split(',').collect();
    for column in ["active", "pruned"] {
        let at = columns.iter().position(|name| *name == column).unwrap();
        let mut cells: Vec<String> = sound
            .lines()
            .nth(2)
            .unwrap()
            .split(',')
            .map(str::to_owned)
            .collect();
        cells[at] = u64::MAX.to_string();
        let mut lines: Vec<String> = sound.lines().map(str::to_owned).collect();
        lines[2] = cells.join(",");
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        for arguments in [
            &["watch", text(&run)][..],
            &["report", text(&run), "-o", "r.html"],
        ] {
            let done = desk.run(arguments);
            assert!(!done.err.contains("panicked"), "{done:?}");
            // `watch` shows it as a line of the view, `report` shows it beside the page.
            let told = done.out.clone() + &done.err;
            assert!(
                told.contains("topology.csv") && told.contains("line 3"),
                "{done:?}"
            );
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_whose_name_is_no_text_is_named() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let desk = Desk::new();
    let folder = desk.path("").join(OsStr::from_bytes(b"d\xff"));
    fs::create_dir_all(&folder).unwrap();
    let mut command = desk.command(&["train", "--data=image-folder"]);
    let done = soon({
        command.arg("--data-dir").arg(&folder);
        command
    });
    done.failed(2, &["--data-dir", "d\u{fffd}", "rename it"]);
}

/// Draws seven million connections first.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "a minute where the machine is busy: cargo nextest run --run-ignored all --test cli memory_refused"]
fn memory_refused_by_a_limit_is_told_as_that() {
    let desk = Desk::new();
    let program = assert_cmd::cargo::cargo_bin!("rootlet");
    let line = format!(
        "ulimit -v 400000; exec {} train --epochs 1 --hidden 8192,8192 --adapter cpu --threads 1",
        text(program)
    );
    let mut command = Command::new("sh");
    command.args(["-c", &line]).current_dir(desk.path(""));
    let done = soon(command);
    done.failed(
        1,
        &[
            "was refused",
            "are free, so a limit of the shell or the container",
        ],
    );
}

#[test]
fn the_variable_for_the_adapter_is_like_unset_or_named() {
    let desk = Desk::new();
    let with = |value: &str, arguments: &[&str]| {
        let mut command = desk.command(arguments);
        Done::of(command.env("ROOTLET_ADAPTER", value).output().unwrap())
    };
    let unset = with("", &["train", "--print-config"]);
    assert_eq!(unset.code, Some(0), "{unset:?}");
    assert!(unset.out.contains("adapter = \"auto\""), "{unset:?}");
    fs::write(desk.path("c.toml"), "adapter = \"cpu\"\n").unwrap();
    let file = with("", &["train", "--config", "c.toml", "--print-config"]);
    assert!(file.out.contains("adapter = \"cpu\""), "{file:?}");
    let wrong = with("nonsense", &["train", "--steps=1"]);
    wrong.failed(1, &["ROOTLET_ADAPTER", "\"nonsense\""]);
    let flag = with("nonsense", &["train", "--steps=1", "--adapter=99"]);
    flag.failed(1, &["adapter number 99"]);
    assert!(!flag.err.contains("ROOTLET_ADAPTER"), "{flag:?}");
    let upper = small(&["--adapter=CPU", "--epochs=1"]);
    assert_eq!(with("", &upper).code, Some(0));
}

/// On llvmpipe a binding holds 128 MiB: the layer's 16 GB are refused before a connection is drawn.
#[test]
fn what_does_not_fit_is_refused_before_the_graph_is_drawn() {
    let desk = Desk::new();
    for more in [
        &["--sparsity=0.5"][..],
        &["--method=topkast", "--sparsity=0.9"],
        &["--method=snip"],
        &["--method=dense"],
    ] {
        let arguments = ["train", "--adapter=llvmpipe", "--hidden=20000,20000"];
        let done = soon(desk.command(&[&arguments[..], more].concat()));
        done.failed(1, &["bytes, more than this"]);
    }
}

/// A run that gets no memory is marked, and the others go on.
#[test]
fn a_run_too_large_does_not_end_its_sweep() {
    let desk = Desk::new();
    let sweep = "[[axis]]\nkey = \"hidden\"\nvalues = [[20000, 20000], [16]]\n\
                 [base]\nepochs = 1\nlimit = 200\nsparsity = 0.5\nadapter = \"llvmpipe\"\n";
    fs::write(desk.path("s.toml"), sweep).unwrap();
    let mut command = desk.command(&["sweep", "s.toml", "--quiet"]);
    command.env_remove("ROOTLET_ADAPTER");
    let done = soon(command);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(
        done.err.contains("failed:") && done.err.contains("bytes, more than this"),
        "{done:?}"
    );
    assert!(done.out.contains("results.csv"), "{done:?}");
}
