//! Files of named arrays as tables: one array has the inputs, others the targets and the weights.

use std::collections::HashMap;

use super::Watch;
use super::arrays::{Array, SideBySide};
use super::cells::{Cells, Column, StoredCells, Table, in_order};
use super::how::How;
use super::stored::{Gathered, StoredWords};
use crate::words::listed;

/// The usual names of an array of targets.
const TARGETS: [&str; 5] = ["y", "target", "targets", "labels", "label"];
/// The usual names of an array of inputs.
const INPUTS: [&str; 8] = [
    "x", "X", "data", "features", "inputs", "input", "x_train", "X_train",
];
/// Size of the cells that are read at once.
const BLOCK: usize = 8 << 20;
/// The same for arrays whose rows are scattered over the file: each of their columns is read for each block.
const SCATTERED: usize = 256 << 20;

/// Makes a table of arrays: the target is the array that `how` names, or one with a usual name; the inputs are the
/// array with a usual name, or the only other one. A single array is a table by itself.
pub(super) fn table(
    arrays: Vec<Array>,
    how: How<'_>,
    format: &'static str,
    watch: Watch<'_>,
) -> Result<Table, String> {
    let all: Vec<String> = arrays.iter().map(Array::described).collect();
    let all = || listed(all.len() as u64, &all);
    let named = |names: &[&str]| {
        let array = |name: &&str| arrays.iter().position(|array| array.name == *name);
        names.iter().find_map(array)
    };
    let target = match how.target {
        Some(name) => named(&[name]),
        None => named(&TARGETS),
    };
    let weight = how.weight.and_then(|name| named(&[name]));
    let others: Vec<usize> = (0..arrays.len())
        .filter(|&at| Some(at) != target && Some(at) != weight)
        .collect();
    let inputs = match others[..] {
        [only] => only,
        _ => named(&INPUTS).filter(|at| others.contains(at)).ok_or_else(|| {
            format!(
                "it has the arrays {}; call the one with the inputs X, and the one with the targets y",
                all()
            )
        })?,
    };
    let x = &arrays[inputs];
    let rows = x.rows();
    let width = |array: &Array| {
        array.width().filter(|&width| width > 0).ok_or_else(|| {
            format!(
                "the array {} is no table of rows and columns; give it 2 dimensions",
                array.described()
            )
        })
    };
    if x.kind.is_text() {
        return Err(format!(
            "the inputs {} are texts, not numbers",
            x.described()
        ));
    }
    let mut columns: Vec<Column> = (0..width(x)?)
        .map(|i| Column::numbers(i.to_string()))
        .collect();
    let mut sides = vec![(x.clone(), columns.len(), None)];
    let mut targets = 0..0;
    for at in [target, weight].into_iter().flatten() {
        let (y, own) = (&arrays[at], width(&arrays[at])?);
        if y.rows() != rows {
            return Err(format!(
                "its arrays have different numbers of rows: {}",
                all()
            ));
        }
        let (mut categories, mut cells) = (None, None);
        if y.kind.is_text() {
            let (names, numbers) = numbered(&y.texts()?);
            let (names, places) = in_order(names);
            cells = Some(numbers.iter().map(|&n| places[n as usize]).collect());
            categories = Some(names);
        }
        let first = columns.len();
        columns.extend((0..own).map(|i| Column {
            name: match own {
                1 => y.name.clone(),
                _ => format!("{} {i}", y.name),
            },
            categories: categories.clone(),
        }));
        if Some(at) == target {
            targets = first..columns.len();
        }
        sides.push((y.clone(), own, cells));
    }
    if rows == 0 {
        return Err("it has no rows".to_owned());
    }
    Ok(Table {
        cells: cells(SideBySide { arrays: sides }, rows, how, watch)?,
        targets: targets.collect(),
        columns,
        rows,
        format,
        ..Table::default()
    })
}

/// The cells of all rows, checked: in memory, or where they are. Rows that are scattered over a file are gathered in
/// another one.
fn cells(arrays: SideBySide, rows: usize, how: How<'_>, watch: Watch<'_>) -> Result<Cells, String> {
    let width = arrays.width();
    let words = rows as u64 * width as u64;
    let (streams, scattered) = (
        how.stream.of(words.saturating_mul(4))?,
        arrays.is_scattered(),
    );
    let mut gathered = match (streams, scattered) {
        (true, false) => None,
        _ => Some(Gathered::new(streams)?),
    };
    if let Some(gathered) = &mut gathered {
        gathered.reserve(words)?;
    }
    let at_once = (if scattered { SCATTERED } else { BLOCK } / 4 / width.max(1)).max(1);
    for first in (0..rows).step_by(at_once) {
        let end = rows.min(first.saturating_add(at_once));
        let block = arrays.cells(first..end)?;
        if let (Some(gathered), Cells::Dense(words)) = (&mut gathered, &block) {
            gathered.add(words)?;
        }
        watch(4 * (end as u64 * width as u64), 4 * words);
    }
    Ok(match gathered {
        None => Cells::Stored {
            stored: Box::new(arrays),
            sparse: false,
        },
        Some(Gathered::Memory(words)) => Cells::Dense(words),
        Some(Gathered::File(file)) => Cells::Stored {
            stored: Box::new(StoredWords {
                bytes: file.done()?,
                places: vec![None; width],
            }),
            sparse: false,
        },
    })
}

/// Texts as numbers, in order of first appearance.
fn numbered(texts: &[String]) -> (Vec<String>, Vec<u32>) {
    let mut known = HashMap::new();
    let mut names = Vec::new();
    let number = |text: &String| {
        *known.entry(text.clone()).or_insert_with(|| {
            names.push(text.clone());
            names.len() as u32 - 1
        })
    };
    let numbers = texts.iter().map(number).collect();
    (names, numbers)
}

#[cfg(test)]
mod tests {
    use super::super::bytes::Bytes;
    use super::super::kind::Kind;
    use super::super::stored::Stream;
    use super::*;

    fn array(name: &str, shape: &[usize]) -> Array {
        let count: usize = shape.iter().product();
        let numbers: Vec<u8> = (0..count).flat_map(|i| (i as f32).to_le_bytes()).collect();
        Array {
            name: name.to_owned(),
            shape: shape.to_vec(),
            kind: Kind::Real(4),
            big: false,
            columns_first: false,
            bytes: Bytes::memory(numbers),
            at: 0,
        }
    }

    /// The table, which is the same in memory and in a file.
    fn of(arrays: Vec<Array>, target: Option<&str>, weight: Option<&str>) -> Result<Table, String> {
        let how = How {
            target,
            weight,
            ..How::default()
        };
        let table_of = |how| table(arrays.clone(), how, "npz", &|_, _| ());
        let in_memory = table_of(how)?;
        let stored = table_of(How {
            stream: Stream::Always,
            ..how
        })?;
        assert!(stored.is_stored() && !in_memory.is_stored());
        assert_eq!(words(&in_memory), words(&stored));
        Ok(in_memory)
    }

    fn words(table: &Table) -> Vec<Vec<u32>> {
        let all: Vec<u32> = (0..table.rows as u32).collect();
        let columns = 0..table.columns.len();
        columns
            .map(|column| table.column(column, &all).unwrap())
            .collect()
    }

    #[test]
    fn arrays_are_known_by_their_names_and_shapes() {
        let named = of(vec![array("y", &[3]), array("a", &[3, 2])], None, None).unwrap();
        assert_eq!(
            (named.rows, named.columns.len(), &named.targets[..]),
            (3, 3, &[2][..])
        );
        assert_eq!(named.columns[2].name, "y");
        let mut by_columns = array("", &[3, 2]);
        by_columns.columns_first = true;
        let single = of(vec![by_columns], None, None).unwrap();
        assert_eq!((single.columns.len(), single.targets.len()), (2, 0));
        let numbers = |column: [f32; 3]| column.map(f32::to_bits).to_vec();
        assert_eq!(
            words(&single),
            [numbers([0.0, 1.0, 2.0]), numbers([3.0, 4.0, 5.0])]
        );
        let mut texts = array("species", &[3]);
        texts.kind = Kind::Bytes(1);
        texts.bytes = Bytes::memory(b"bab".to_vec());
        let arrays = vec![array("X", &[3, 2]), texts, array("weights", &[3])];
        let named = of(arrays, Some("species"), Some("weights")).unwrap();
        let names: Vec<&str> = named.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["0", "1", "species", "weights"]);
        assert_eq!(named.targets, [2]);
        assert_eq!(words(&named)[2], [1, 0, 1]);
        assert_eq!(words(&named)[3], numbers([0.0, 1.0, 2.0]));
        let mut infinite = array("X", &[3, 2]);
        let mut numbers = [1.0f32; 6];
        numbers[3] = f32::INFINITY;
        infinite.bytes = Bytes::memory(bytemuck::cast_slice(&numbers).to_vec());
        for (arrays, part) in [
            (
                vec![array("a", &[3, 2]), array("b", &[3, 2])],
                "it has the arrays a (3 × 2), b (3 × 2)",
            ),
            (
                vec![array("x", &[3, 2]), array("y", &[4])],
                "different numbers of rows",
            ),
            (
                vec![array("x", &[3, 2, 2]), array("y", &[3])],
                "no table of rows and columns",
            ),
            (vec![array("x", &[0, 2])], "no rows"),
            (vec![array("x", &[3, 0])], "no table"),
            (Vec::new(), "it has the arrays"),
            (
                vec![infinite],
                "row 2, column 1 of X (3 × 2): inf is no finite number",
            ),
        ] {
            let error = of(arrays, None, None).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
