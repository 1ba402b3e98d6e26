//! Tables that stay in their files: the same samples as in memory, for every format; and weights of rows.

use std::fs;
use std::path::{Path, PathBuf};

use rootlet::data::table::Missing;
use rootlet::data::{self, DataOptions, DataSource, Dataset, Draws, TableOptions};
use tempfile::TempDir;

/// Number of rows: more than are read at once of a sparse table.
const ROWS: usize = 5000;

fn number(row: usize, column: usize) -> f32 {
    ((row * 7919 + column * 104_729) % 1009) as f32 / 8.0 - 50.0
}

fn csv() -> String {
    let mut text = "a,b,colour,weight,y\n".to_owned();
    for row in 0..ROWS {
        let b = match row % 11 {
            0 => String::new(),
            _ => number(row, 1).to_string(),
        };
        let colour = ["red", "green", "\"light, blue\""][row % 3];
        let (a, weight) = (number(row, 0), row % 4);
        text += &format!("{a},{b},{colour},{weight},{}\n", number(row, 2));
    }
    text
}

fn svmlight() -> String {
    let row = |row: usize| {
        let (last, x, y) = (4 + row % 5, number(row, 0), number(row, 1));
        format!("{},{} 1:{x} {last}:{y}\n", row % 3, 3 + row % 2)
    };
    (0..ROWS).map(row).collect()
}

/// The bytes of an `.npy` file of numbers, by rows or by columns.
fn npy(width: usize, by_columns: bool) -> Vec<u8> {
    let order = if by_columns { "True" } else { "False" };
    let header =
        format!("{{'descr': '<f4', 'fortran_order': {order}, 'shape': ({ROWS}, {width}), }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    let mut put = |row, column| file.extend(number(row, column).to_le_bytes());
    match by_columns {
        false => (0..ROWS).for_each(|row| (0..width).for_each(|column| put(row, column))),
        true => (0..width).for_each(|column| (0..ROWS).for_each(|row| put(row, column))),
    }
    file
}

/// A ZIP archive with these files, deflated or stored.
fn zip(files: &[(&str, Vec<u8>)], deflated: bool) -> Vec<u8> {
    use std::io::Write;
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let packed = match deflated {
            false => content.clone(),
            true => {
                let mut encoder =
                    flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
        };
        let at = archive.len() as u32;
        let mut common = vec![20, 0, 0, 0, if deflated { 8 } else { 0 }, 0, 0, 0, 0, 0];
        common.extend(crc32fast::hash(content).to_le_bytes());
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        archive.extend(b"PK\x03\x04");
        archive.extend(&common);
        archive.extend(name.as_bytes());
        archive.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = (files.len() as u16).to_le_bytes();
    let (at, length) = (archive.len() as u32, directory.len() as u32);
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([count, count].concat());
    archive.extend(length.to_le_bytes());
    archive.extend(at.to_le_bytes());
    archive.extend([0, 0]);
    archive
}

fn safetensors() -> Vec<u8> {
    let numbers = |width: usize| -> Vec<u8> {
        let cells = (0..ROWS).flat_map(|row| (0..width).map(move |column| number(row, column)));
        cells.flat_map(f32::to_le_bytes).collect()
    };
    let (x, y) = (numbers(3), numbers(2));
    let view = |shape, data| {
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape, data).unwrap()
    };
    let tensors = [
        ("X", view(vec![ROWS, 3], &x)),
        ("y", view(vec![ROWS, 2], &y)),
    ];
    safetensors::serialize(tensors, None).unwrap()
}

fn file(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

fn options(path: &Path, table: TableOptions) -> DataOptions {
    DataOptions {
        name: path.to_str().unwrap().to_owned(),
        table,
        ..DataOptions::default()
    }
}

fn load(path: &Path, stream: bool) -> Dataset {
    let table = TableOptions {
        missing: Missing::Median,
        stream: Some(stream),
        ..TableOptions::default()
    };
    data::load(&options(path, table)).unwrap()
}

/// Every sample of a source: its class, inputs and values.
fn samples(source: &dyn DataSource) -> Vec<(u32, Vec<u32>, Vec<u32>)> {
    let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect();
    let words = match source.targets() {
        data::TargetKind::Labels => 0,
        kind => kind.words(),
    };
    let one = |number| {
        let (mut inputs, mut values) = (vec![0.0; source.features()], vec![0.0; words]);
        (source.read(number, Draws::default(), &mut inputs, &mut values)).unwrap();
        (source.label(number), bits(&inputs), bits(&values))
    };
    (0..source.len()).map(one).collect()
}

#[test]
fn a_table_in_its_file_has_the_samples_of_one_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let arrays = [("X.npy", npy(3, false)), ("y.npy", npy(1, false))];
    for (name, content) in [
        ("t.csv", csv().into_bytes()),
        ("t.svm", svmlight().into_bytes()),
        ("rows.npy", npy(4, false)),
        ("columns.npy", npy(4, true)),
        ("stored.npz", zip(&arrays, false)),
        ("deflated.npz", zip(&arrays, true)),
        ("t.safetensors", safetensors()),
    ] {
        let path = file(&folder, name, &content);
        let (memory, stored) = (load(&path, false), load(&path, true));
        assert!(
            stored
                .notes
                .iter()
                .any(|note| note.contains("read from a file")),
            "{name}"
        );
        assert!(
            !memory
                .notes
                .iter()
                .any(|note| note.contains("read from a file")),
            "{name}"
        );
        assert_eq!(memory.preprocessing, stored.preprocessing, "{name}");
        let validation = |data: &Dataset| data.validation.as_ref().unwrap().images.clone();
        for (memory, stored) in [
            (memory.train.clone(), stored.train.clone()),
            (validation(&memory), validation(&stored)),
        ] {
            let (memory, stored) = (memory.source(), stored.source());
            assert!(memory.len() >= ROWS / 6, "{name}");
            assert_eq!(samples(memory), samples(stored), "{name}");
            assert_eq!(
                memory.fingerprint().unwrap(),
                stored.fingerprint().unwrap(),
                "{name}"
            );
        }
    }
}

#[test]
fn a_file_that_shrinks_while_its_rows_are_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "rows.npy", &npy(4, false));
    let data = load(&path, true);
    let source = data.train.source();
    let mut inputs = vec![0.0; source.features()];
    let mut values = vec![0.0; 1];
    source
        .read(7, Draws::default(), &mut inputs, &mut values)
        .unwrap();
    fs::write(&path, &npy(4, false)[..9000]).unwrap();
    let error = source
        .read(7, Draws::default(), &mut inputs, &mut values)
        .unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("rows.npy") && error.contains("has changed"),
        "{error}"
    );
}

#[test]
fn rows_have_the_weights_of_a_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "t.csv", csv().as_bytes());
    let weighted = |path: &Path, weight: &str| {
        let table = TableOptions {
            missing: Missing::Mean,
            weight: Some(weight.to_owned()),
            ..TableOptions::default()
        };
        data::load(&options(path, table))
    };
    let data = weighted(&path, "weight").unwrap();
    let rules = data.preprocessing.clone().unwrap();
    let names: Vec<&str> = rules.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        (names, rules.weight.as_deref()),
        (vec!["a", "b", "colour"], Some("weight"))
    );
    let train = data.train.source();
    assert!(train.is_weighted());
    let mut counts = [0; 4];
    (0..train.len()).for_each(|row| counts[train.weight(row) as usize] += 1);
    assert!(
        counts.iter().all(|count| (900..1100).contains(count)),
        "{counts:?}"
    );
    assert!(
        !data
            .validation
            .as_ref()
            .unwrap()
            .images
            .source()
            .is_weighted()
    );
    let plain = load(&path, false);
    assert_ne!(
        train.fingerprint().unwrap(),
        plain.train.source().fingerprint().unwrap()
    );
    for (cells, part) in [
        (
            "-1",
            "row 1, column `w`: the weight is -1, and weights (`weight`) are numbers of 0 or more",
        ),
        (
            "",
            "weights are missing: `w` in 10 rows (the first is row 1)",
        ),
        ("0", "all weights of the training rows are 0 (column `w`)"),
        ("x", "this column has texts, and weights are numbers"),
    ] {
        let text = "a,w,y\n".to_owned() + &format!("1,{cells},2.5\n2,{cells},3.5\n").repeat(5);
        let error = weighted(&file(&folder, "w.csv", text.as_bytes()), "w").unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = weighted(&path, "heavy").unwrap_err().to_string();
    assert!(error.contains("heavy: there is no such column"), "{error}");
    let error = weighted(&path, "y").unwrap_err().to_string();
    assert!(error.contains("column `y`: the weight is -"), "{error}");
}
