//! Files of named arrays as tables: one array has the inputs, the others the targets.

use super::cells::{Cells, Column, MISSING, Table, in_order};
use crate::engine::host_memory;
use crate::words::{grouped, listed};

/// The usual names of an array of targets.
const TARGETS: [&str; 5] = ["y", "target", "targets", "labels", "label"];
/// The usual names of an array of inputs.
const INPUTS: [&str; 8] = [
    "x", "X", "data", "features", "inputs", "input", "x_train", "X_train",
];

/// An array, by rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Array {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Values,
}

/// The contents of an array.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    Numbers(Vec<f32>),
    Texts(Vec<String>),
}

impl Array {
    fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// Number of columns; `None` for an array that is not a table.
    fn width(&self) -> Option<usize> {
        match self.shape[..] {
            [_] => Some(1),
            [_, width] => Some(width),
            _ => None,
        }
    }

    fn described(&self) -> String {
        let sizes: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        match self.name.is_empty() {
            true => sizes.join(" × "),
            false => format!("{} ({})", self.name, sizes.join(" × ")),
        }
    }
}

/// How many numbers an array of this shape has, if memory can hold them.
///
/// # Errors
/// The shape has more than that.
pub(super) fn room(shape: &[usize]) -> Result<usize, String> {
    let count = shape.iter().try_fold(1usize, |all, &n| all.checked_mul(n));
    let bytes = count.and_then(|count| count.checked_mul(4));
    let free = host_memory::available().unwrap_or(u64::MAX);
    match (count, bytes) {
        (Some(count), Some(bytes)) if bytes as u64 <= free => Ok(count),
        (_, bytes) => Err(format!(
            "its numbers take {} bytes in memory (4 each), and this machine has {} free; split the file",
            bytes.map_or("too many".to_owned(), |bytes| grouped(bytes as u64)),
            grouped(free)
        )),
    }
}

/// Makes a table of arrays: the target is the array `wanted`, or one with a usual name; the inputs are the array with a
/// usual name, or the only other one. A single array is a table by itself.
pub(super) fn table(
    arrays: Vec<Array>,
    wanted: Option<&str>,
    format: &'static str,
) -> Result<Table, String> {
    let all: Vec<String> = arrays.iter().map(Array::described).collect();
    let all = || listed(all.len() as u64, &all);
    let named = |names: &[&str]| {
        let array = |name: &&str| arrays.iter().position(|array| array.name == *name);
        names.iter().find_map(array)
    };
    let target = match wanted {
        Some(name) => named(&[name]),
        None => named(&TARGETS),
    };
    let others: Vec<usize> = (0..arrays.len()).filter(|&at| Some(at) != target).collect();
    let inputs = match others[..] {
        [only] => only,
        _ => named(&INPUTS).filter(|at| others.contains(at)).ok_or_else(|| {
            format!(
                "it has the arrays {}; call the one with the inputs X, and the one with the targets y",
                all()
            )
        })?,
    };
    let (x, y) = (&arrays[inputs], target.map(|target| &arrays[target]));
    let width = |array: &Array| {
        array.width().filter(|&width| width > 0).ok_or_else(|| {
            format!(
                "the array {} is no table of rows and columns; give it 2 dimensions",
                array.described()
            )
        })
    };
    let widths = [width(x)?, y.map(width).transpose()?.unwrap_or(0)];
    if y.is_some_and(|y| y.rows() != x.rows()) {
        return Err(format!(
            "its arrays have different numbers of rows: {}",
            all()
        ));
    }
    if x.rows() == 0 {
        return Err("it has no rows".to_owned());
    }
    let Values::Numbers(_) = &x.values else {
        return Err(format!(
            "the inputs {} are texts, not numbers",
            x.described()
        ));
    };
    let all_columns = widths[0] + widths[1];
    let mut words = Vec::new();
    let cells = room(&[x.rows(), all_columns])?;
    (words.try_reserve_exact(cells)).map_err(|_| "it is larger than the memory".to_owned())?;
    let mut columns: Vec<Column> = (0..widths[0])
        .map(|i| Column::numbers(i.to_string()))
        .collect();
    let mut known = None;
    if let Some(y) = y {
        let (categories, places) = match &y.values {
            Values::Texts(texts) => {
                let (names, numbers) = numbered(texts);
                let (names, places) = in_order(names);
                let places: Vec<u32> = numbers.iter().map(|&n| places[n as usize]).collect();
                (Some(names), Some(places))
            }
            Values::Numbers(_) => (None, None),
        };
        columns.extend((0..widths[1]).map(|i| Column {
            name: match widths[1] {
                1 => y.name.clone(),
                _ => format!("{} {i}", y.name),
            },
            categories: categories.clone(),
        }));
        known = places;
    }
    for row in 0..x.rows() {
        put(&mut words, x, row, widths[0], None)?;
        if let Some(y) = y {
            put(&mut words, y, row, widths[1], known.as_deref())?;
        }
    }
    Ok(Table {
        targets: (widths[0]..all_columns).collect(),
        columns,
        rows: x.rows(),
        cells: Cells::Dense(words),
        format,
        ..Table::default()
    })
}

/// Texts as numbers, in order of first appearance.
fn numbered(texts: &[String]) -> (Vec<String>, Vec<u32>) {
    let mut known = std::collections::HashMap::new();
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

/// Adds the cells of one row of an array.
fn put(
    words: &mut Vec<u32>,
    array: &Array,
    row: usize,
    width: usize,
    known: Option<&[u32]>,
) -> Result<(), String> {
    let range = row * width..(row + 1) * width;
    match (&array.values, known) {
        (_, Some(known)) => words.extend(&known[range]),
        (Values::Texts(_), None) => {}
        (Values::Numbers(numbers), None) => {
            for (column, &x) in numbers[range].iter().enumerate() {
                words.push(match x {
                    x if x.is_nan() => MISSING,
                    x if x.is_finite() => x.to_bits(),
                    x => {
                        return Err(format!(
                            "row {}, column {column} of {}: {x} is no finite number of 32 bits",
                            grouped(row as u64 + 1),
                            array.described()
                        ));
                    }
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(name: &str, shape: &[usize]) -> Array {
        let count: usize = shape.iter().product();
        Array {
            name: name.to_owned(),
            shape: shape.to_vec(),
            values: Values::Numbers((0..count).map(|i| i as f32).collect()),
        }
    }

    #[test]
    fn arrays_are_known_by_their_names_and_shapes() {
        let named = table(vec![array("y", &[3]), array("a", &[3, 2])], None, "npz").unwrap();
        assert_eq!(
            (named.rows, named.columns.len(), &named.targets[..]),
            (3, 3, &[2][..])
        );
        assert_eq!(named.columns[2].name, "y");
        let single = table(vec![array("", &[3, 2])], None, "npy").unwrap();
        assert_eq!((single.columns.len(), single.targets.len()), (2, 0));
        let mut texts = array("species", &[3]);
        texts.values = Values::Texts(["b", "a", "b"].map(str::to_owned).to_vec());
        let arrays = vec![array("X", &[3, 2]), texts, array("weights", &[3])];
        let named = table(arrays, Some("species"), "npz").unwrap();
        assert_eq!(named.text(2, named.row(1).word(2)), "a");
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
        ] {
            let error = table(arrays, None, "npz").unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
