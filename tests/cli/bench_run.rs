//! `rootlet bench --run`: how fast a trained network answers.

use crate::{Desk, text};

/// The lines of the table, in words.
fn lines(table: &str) -> Vec<Vec<&str>> {
    table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect()
}

#[test]
fn one_sample_and_many_are_timed() {
    let desk = Desk::new();
    let run = desk.small(&["--epochs=1"]);
    let mut command = desk.command(&["bench", "--run", text(&run), "--quick", "--keep-doubtful"]);
    let done = crate::Done::of(command.env("ROOTLET_PYTHON", "no-python").output().unwrap());
    assert_eq!(done.code, Some(0), "{done:?}");
    for part in [
        "the latency of one sample alone",
        "no-python has no onnxruntime to compare with",
    ] {
        assert!(done.err.contains(part), "no `{part}` in {}", done.err);
    }
    let table = lines(&done.out);
    assert_eq!(table[0], ["batch", "ms", "samples/s"]);
    let rows: Vec<[f64; 3]> = (table[1..].iter())
        .map(|row| [0, 1, 2].map(|at| row[at].parse().unwrap()))
        .collect();
    assert_eq!([rows[0][0], rows[1][0]], [1.0, 128.0]);
    for [batch, milliseconds, samples] in rows {
        // Both are rounded.
        let expected = batch / milliseconds * 1e3;
        assert!(
            (samples / expected - 1.0).abs() < 0.1,
            "{samples} {expected}"
        );
    }
    desk.bad(&["bench", "--run", "no-such-run"], 1, &["no-such-run"]);
}
