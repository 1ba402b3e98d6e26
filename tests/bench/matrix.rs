//! Matrices from files: the layers made of them, the products with them, and wrong files.

use std::path::{Path, PathBuf};

use rootlet::bench::{self, BenchOptions, Part, read_matrix};
use rootlet::sparse::LayerState;
use serde_json::Value;

use crate::{choices, rootlet, tiny};

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// 5 × 3 with an empty row, an empty column, and a pair given twice.
const RECTANGLE: &str = "\
%%MatrixMarket matrix coordinate real general
% rows are outputs
5 3 6
5 1 4.0
1 1 -1.5
1 3 2.0

4 3 0.5
1 3 -0.75
2 1 1e1
";

const SYMMETRIC: &str = "\
%%MatrixMarket matrix coordinate integer symmetric
4 4 4
2 1 3
3 3 -2
4 1 5
4 3 7
";

const SKEW: &str = "%%MatrixMarket matrix coordinate real skew-symmetric\n3 3 2\n2 1 0.5\n3 2 -2\n";
const PATTERN: &str = "%%MatrixMarket matrix coordinate pattern general\n2 4 3\n1 4\n2 1\n2 2\n";
const SMTX: &str = "3, 6, 5\n0 3 3 5\n5 0 2 1 4\n";

/// As a dense matrix of rows.
fn dense(layer: &LayerState) -> Vec<Vec<f32>> {
    let mut rows = vec![vec![0.0; layer.n_in]; layer.n_out];
    for (j, (b, a)) in layer.pairs().enumerate() {
        rows[b as usize][a as usize] = layer.values[j];
    }
    rows
}

#[test]
fn files_become_the_matrices_that_they_describe() {
    let folder = tempfile::tempdir().unwrap();
    let read =
        |name: &str, text: &str| dense(&read_matrix(&write(folder.path(), name, text)).unwrap());
    assert_eq!(
        read("a.mtx", RECTANGLE),
        [
            [-1.5, 0.0, 1.25],
            [10.0, 0.0, 0.0],
            [0.0; 3],
            [0.0, 0.0, 0.5],
            [4.0, 0.0, 0.0]
        ]
    );
    assert_eq!(
        read("b.MTX", SYMMETRIC),
        [
            [0.0, 3.0, 0.0, 5.0],
            [3.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, -2.0, 7.0],
            [5.0, 0.0, 7.0, 0.0]
        ]
    );
    assert_eq!(
        read("c.mtx", SKEW),
        [[0.0, -0.5, 0.0], [0.5, 0.0, 2.0], [0.0, -2.0, 0.0]]
    );
    assert_eq!(
        read("d.mtx", PATTERN),
        [[0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]]
    );
    let smtx = read("e.smtx", SMTX);
    let present: Vec<Vec<bool>> = smtx
        .iter()
        .map(|row| row.iter().map(|x| *x != 0.0).collect())
        .collect();
    assert_eq!(present[0], [true, false, true, false, false, true]);
    assert_eq!(present[1], [false; 6]);
    assert_eq!(present[2], [false, true, false, false, true, false]);
}

/// The products with a matrix of each kind, each checked against f64 inside the bench, on every adapter.
#[test]
fn products_with_matrices_are_right_on_every_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = [
        ("a.mtx", RECTANGLE),
        ("b.mtx", SYMMETRIC),
        ("c.mtx", SKEW),
        ("d.mtx", PATTERN),
        ("e.smtx", SMTX),
    ]
    .into_iter()
    .map(|(name, text)| write(folder.path(), name, text))
    .collect();
    for adapter in choices() {
        let options = BenchOptions {
            matrices: files.clone(),
            sizes: Vec::new(),
            parts: Part::PRODUCTS.to_vec(),
            ..tiny(&adapter)
        };
        let report = bench::run(&options, &mut |_| ()).unwrap();
        assert_eq!(report.kernels.len(), 3 * files.len());
        let first = &report.kernels[0];
        assert_eq!((first.matrix.as_deref(), first.n), (Some("a.mtx"), None));
        assert_eq!((first.rows, first.cols, first.connections), (5, 3, 5));
        assert!((first.sparsity - 10.0 / 15.0).abs() < 1e-12);
        for k in &report.kernels {
            assert!(k.max_error < 1e-6 && k.seconds > 0.0, "{k:?}");
        }
    }
}

#[test]
fn the_command_measures_matrices_alone() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        write(folder.path(), "a.mtx", RECTANGLE),
        write(folder.path(), "e.smtx", SMTX),
    ];
    let [a, e] = files.each_ref().map(|f| f.to_str().unwrap());
    let fast = [
        "--adapter",
        "cpu",
        "--threads",
        "1",
        "--seconds",
        "0.001",
        "--batch",
        "3",
    ];
    let output = rootlet(&[&fast[..], &["--matrix", a, e, "--json", "-"]].concat()).success();
    let json: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let kernels = json["kernels"].as_array().unwrap();
    let found: Vec<_> = kernels
        .iter()
        .map(|k| (k["matrix"].as_str().unwrap(), k["kernel"].as_str().unwrap()))
        .collect();
    let kinds = ["spmm", "spmm_transposed", "sddmm"];
    let expected: Vec<_> = ["a.mtx", "e.smtx"]
        .iter()
        .flat_map(|m| kinds.map(|k| (*m, k)))
        .collect();
    assert_eq!(found, expected);
    assert!(json["steps"].as_array().unwrap().is_empty());
    let output = rootlet(&[&fast[..], &["--only", "sddmm", "--matrix", a]].concat()).success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(text.contains("a.mtx, 5 × 3\nsddmm"), "{text}");
}

#[test]
fn a_wrong_file_is_one_error_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let fails = |name: &str, text: &[u8], expected: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let arguments = [
            "--adapter",
            "cpu",
            "--only",
            "spmm",
            "--seconds",
            "0.001",
            "--matrix",
        ];
        let output = rootlet(&[&arguments[..], &[path.to_str().unwrap()]].concat());
        let output = output.failure().code(1);
        let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(
            message.contains(expected) && message.contains(name),
            "{message}"
        );
        assert_eq!(message.matches("error").count(), 1, "{message}");
        assert!(!message.contains("panicked"), "{message}");
    };
    let cut = RECTANGLE.replace("2 1 1e1\n", "");
    fails(
        "cut.mtx",
        cut.as_bytes(),
        "line 9: the file ends after 5 of 6 entries",
    );
    fails(
        "out.mtx",
        RECTANGLE.replace("4 3 0.5", "4 9 0.5").as_bytes(),
        "line 8: the column is 9, outside 1 to 3",
    );
    fails(
        "array.mtx",
        b"%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n",
        "line 1: only sparse matrices",
    );
    fails(
        "huge.mtx",
        b"%%MatrixMarket matrix coordinate real general\n4000000000 4000000000 1\n1 1 1\n",
        "line 2: a matrix of",
    );
    fails(
        "promise.mtx",
        b"%%MatrixMarket matrix coordinate real general\n2 2 18446744073709551615\n1 1 1\n",
        "line 3: the file ends after 1",
    );
    fails(
        "binary.mtx",
        b"%%MatrixMarket matrix coordinate real general\n2 2 1\n\xff\xfe\n",
        "line 3: the row is",
    );
    fails(
        "none.mtx",
        b"%%MatrixMarket matrix coordinate real general\n2 2 0\n",
        "no entries",
    );
    fails("empty.smtx", b"", "line 1: the number of rows is missing");
    fails(
        "columns.smtx",
        b"2, 2, 1\n0 1 1\n2\n",
        "line 3: row 0 has column 2",
    );
    fails("matrix.csv", b"1,2\n", "neither .mtx");
    let output = rootlet(&["--adapter", "cpu", "--matrix", "/no/such.mtx"])
        .failure()
        .code(1);
    let message = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(message.contains("cannot read /no/such.mtx"), "{message}");
}
