//! Arrays with names, as files hold them, and what those of a network are called.

use super::network::{Exported, Prepares, Step};

/// The numbers of an array.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Numbers {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    /// Characters, for one text.
    Text(String),
}

/// An array.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Array {
    pub name: String,
    pub shape: Vec<usize>,
    pub numbers: Numbers,
}

impl Array {
    pub fn new(name: impl Into<String>, shape: &[usize], numbers: Numbers) -> Self {
        Self {
            name: name.into(),
            shape: shape.to_vec(),
            numbers,
        }
    }

    /// The numbers' bytes, little-endian.
    pub fn bytes(&self) -> Vec<u8> {
        fn all<T: Copy, const N: usize>(numbers: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
            numbers.iter().flat_map(|&x| bytes(x)).collect()
        }
        match &self.numbers {
            Numbers::F32(x) => all(x, f32::to_le_bytes),
            Numbers::F64(x) => all(x, f64::to_le_bytes),
            Numbers::I32(x) => all(x, i32::to_le_bytes),
            Numbers::I64(x) => all(x, i64::to_le_bytes),
            Numbers::Text(text) => text.as_bytes().to_vec(),
        }
    }
}

/// Indices as 32-bit numbers with a sign, as SciPy and PyTorch have them: units and connections have fewer than 2^31.
pub(super) fn indices(numbers: &[u32]) -> Numbers {
    Numbers::I32(numbers.iter().map(|&n| n as i32).collect())
}

/// The name of a step's array: `layers.3.data` of a sparse layer, otherwise `steps.5.weight`.
pub(super) fn name_of(number: usize, step: &Step, array: &str) -> String {
    match &step.connections {
        Some(rows) => format!("layers.{}.{array}", rows.layer),
        None => format!("steps.{number}.{array}"),
    }
}

impl Exported {
    /// The arrays of the sparse layers, as compressed sparse rows.
    pub(super) fn sparse_arrays(&self) -> Vec<Array> {
        let mut arrays = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            let Some(rows) = &step.connections else {
                continue;
            };
            let mut add = |name: &str, numbers: Numbers, length: usize| {
                arrays.push(Array::new(name_of(number, step, name), &[length], numbers));
            };
            add("indptr", indices(&rows.starts), rows.starts.len());
            add("indices", indices(&rows.indices), rows.indices.len());
            add("data", Numbers::F32(rows.values.clone()), rows.values.len());
        }
        arrays
    }

    /// All other arrays: biases, those of norms, offsets, and those by which samples are prepared.
    pub(super) fn dense_arrays(&self) -> Vec<Array> {
        let mut arrays = Vec::new();
        let mut add = |name: String, numbers: Numbers, length: usize| {
            arrays.push(Array::new(name, &[length], numbers));
        };
        match &self.prepares {
            Prepares::Pixels { mean, std } => {
                add(
                    "pixels.mean".to_owned(),
                    Numbers::F32(mean.clone()),
                    mean.len(),
                );
                add(
                    "pixels.std".to_owned(),
                    Numbers::F32(std.clone()),
                    std.len(),
                );
            }
            Prepares::Rows(columns) => {
                let source = columns.source.iter().map(|&column| column as i64).collect();
                let inputs = columns.source.len();
                add("rows.source".to_owned(), Numbers::I64(source), inputs);
                for (name, numbers) in [
                    ("fill", &columns.fill),
                    ("first", &columns.first),
                    ("second", &columns.second),
                    ("number", &columns.mask(super::columns::Kind::Number)),
                    ("category", &columns.mask(super::columns::Kind::Category)),
                    ("missing", &columns.mask(super::columns::Kind::Missing)),
                ] {
                    add(
                        format!("rows.{name}"),
                        Numbers::F64(numbers.clone()),
                        inputs,
                    );
                }
            }
        }
        if let Some([scale, shift]) = &self.units {
            add(
                "output.scale".to_owned(),
                Numbers::F64(scale.clone()),
                scale.len(),
            );
            add(
                "output.shift".to_owned(),
                Numbers::F64(shift.clone()),
                shift.len(),
            );
        }
        for (number, step) in self.steps.iter().enumerate() {
            if let Some(rows) = &step.connections
                && !rows.bias.is_empty()
            {
                let bias = Numbers::F32(rows.bias.clone());
                add(name_of(number, step, "bias"), bias, rows.bias.len());
            }
            if let crate::layer::Operation::Offsets(offsets) = &step.operation {
                let numbers = Numbers::F32(offsets.clone());
                add(name_of(number, step, "offsets"), numbers, offsets.len());
            }
            for (name, values) in &step.arrays {
                add(
                    name_of(number, step, name),
                    Numbers::F32(values.clone()),
                    values.len(),
                );
            }
        }
        arrays
    }
}
