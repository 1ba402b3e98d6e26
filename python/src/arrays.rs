//! NumPy arrays as samples, read where they are: nothing is copied but the sample that a batch needs.

use numpy::{
    Element, PyArray1, PyArray2, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray,
    PyUntypedArrayMethods, dtype,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rootlet::Result;
use rootlet::data::{DataSource, Draws, TargetKind, Targets};

/// The type of an array's numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    F32,
    F64,
    /// A byte, divided by this: by 255 in an image.
    Byte(f64),
}

/// A two-dimensional array in Python's memory, `[sample][feature]`, in any order of its axes.
#[derive(Debug)]
pub struct Table {
    /// Keeps the memory.
    _array: Py<PyUntypedArray>,
    first: *const u8,
    number: Number,
    pub rows: usize,
    pub columns: usize,
    /// Bytes from a sample to the next, and from a feature to the next.
    strides: [isize; 2],
}

#[expect(
    unsafe_code,
    reason = "the array lives as long as this, and is only read: who writes to it during a training trains on a mixture \
              of numbers, as with torch.from_numpy, but every pattern of bits is a number"
)]
// SAFETY: as the reason says.
unsafe impl Send for Table {}
#[expect(unsafe_code, reason = "as for `Send`")]
// SAFETY: as above.
unsafe impl Sync for Table {}

impl Table {
    /// Looks at an array of f32, f64 or bytes; in images a byte of 255 stands for 1.
    ///
    /// # Errors
    /// It has another type, or not two dimensions.
    pub fn new(array: &Bound<'_, PyUntypedArray>, is_image: bool) -> PyResult<Self> {
        let py = array.py();
        let own = array.dtype();
        let is = |other: Bound<'_, numpy::PyArrayDescr>| own.is_equiv_to(&other);
        let number = if is(dtype::<f32>(py)) {
            Number::F32
        } else if is(dtype::<f64>(py)) {
            Number::F64
        } else if is(dtype::<u8>(py)) {
            Number::Byte(if is_image { 255.0 } else { 1.0 })
        } else {
            return Err(PyValueError::new_err(format!(
                "an array of {own} is not read where it is; give float32, float64 or uint8"
            )));
        };
        let (&[rows, columns], &[down, right]) = (array.shape(), array.strides()) else {
            return Err(PyValueError::new_err(format!(
                "expected an array of two dimensions, samples and features, not {}",
                array.ndim()
            )));
        };
        #[expect(unsafe_code, reason = "reads a field of the array, which is alive")]
        // SAFETY: the pointer is that of an array object that `array` keeps.
        let first = unsafe { (*array.as_array_ptr()).fields.data };
        Ok(Table {
            _array: array.clone().unbind(),
            first: first.cast(),
            number,
            rows,
            columns,
            strides: [down, right],
        })
    }

    /// Calls `see` with each number of a sample, in the order of the features.
    ///
    /// # Panics
    /// There is no such sample.
    pub fn each(&self, row: usize, mut see: impl FnMut(usize, f64)) {
        match self.number {
            Number::F32 => self.numbers(row, |at, x: f32| see(at, f64::from(x))),
            Number::F64 => self.numbers(row, &mut see),
            Number::Byte(one) => self.numbers(row, |at, x: u8| see(at, f64::from(x) / one)),
        }
    }

    fn numbers<T: Element + Copy>(&self, row: usize, mut see: impl FnMut(usize, T)) {
        assert!(row < self.rows, "sample {row} of {}", self.rows);
        let [down, right] = self.strides;
        for column in 0..self.columns {
            #[expect(unsafe_code, reason = "reads a number of the array")]
            // SAFETY: the place is inside the array, whose type was checked; it need not be aligned.
            let number = unsafe {
                let place = self
                    .first
                    .offset(row as isize * down + column as isize * right);
                place.cast::<T>().read_unaligned()
            };
            see(column, number);
        }
    }

    /// The first number that is not finite: its sample and feature, counted from 0.
    pub fn not_finite(&self) -> Option<(usize, usize)> {
        (0..self.rows).find_map(|row| {
            let mut found = None;
            self.each(row, |column, x| {
                if !x.is_finite() {
                    found = found.or(Some((row, column)));
                }
            });
            found
        })
    }
}

/// What is done with each feature of a sample: `(x - mean) / deviation`, computed in 64 bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling(pub Vec<(f64, f64)>);

impl Scaling {
    /// The mean of each feature and its standard deviation, 1 in place of 0. A sample counts as much as its weight;
    /// without weights all count the same.
    pub fn of(table: &Table, weights: &[f32]) -> Self {
        let weight = |row: usize| weights.get(row).map_or(1.0, |&weight| f64::from(weight));
        let total = (0..table.rows).map(weight).sum::<f64>();
        let total = if total > 0.0 { total } else { 1.0 };
        let mut means = vec![0.0; table.columns];
        for row in 0..table.rows {
            table.each(row, |at, x| means[at] += weight(row) * x);
        }
        means.iter_mut().for_each(|mean| *mean /= total);
        let mut squares = vec![0.0; table.columns];
        for row in 0..table.rows {
            table.each(row, |at, x| {
                squares[at] += weight(row) * (x - means[at]).powi(2)
            });
        }
        let both = means.into_iter().zip(squares);
        Scaling(
            both.map(|(mean, square)| (mean, deviation(square / total)))
                .collect(),
        )
    }
}

/// The standard deviation for a variance; 1 if it would be 0 or not finite.
pub fn deviation(variance: f64) -> f64 {
    let deviation = variance.sqrt();
    match deviation.is_finite() && deviation > 0.0 {
        true => deviation,
        false => 1.0,
    }
}

/// Samples of an array, with what they are compared with.
#[derive(Debug)]
pub struct Samples {
    pub table: Table,
    /// `None` leaves the numbers as they are.
    pub scaling: Option<Scaling>,
    pub kind: TargetKind,
    pub targets: Targets,
    /// `[sample]`; empty if all count the same.
    pub weights: Vec<f32>,
}

impl Samples {
    /// Samples to predict for, without targets.
    pub fn to_predict(table: Table, scaling: Option<Scaling>) -> Self {
        Samples {
            table,
            scaling,
            kind: TargetKind::Labels,
            targets: Targets::Labels(Vec::new()),
            weights: Vec::new(),
        }
    }
}

impl DataSource for Samples {
    fn len(&self) -> usize {
        self.table.rows
    }

    fn features(&self) -> usize {
        self.table.columns
    }

    fn targets(&self) -> TargetKind {
        self.kind
    }

    fn label(&self, number: usize) -> u32 {
        match &self.targets {
            Targets::Labels(labels) => labels.get(number).copied().unwrap_or(0),
            _ => 0,
        }
    }

    fn weight(&self, number: usize) -> f32 {
        self.weights.get(number).copied().unwrap_or(1.0)
    }

    fn is_weighted(&self) -> bool {
        !self.weights.is_empty()
    }

    fn read(&self, number: usize, _: Draws, inputs: &mut [f32], values: &mut [f32]) -> Result<()> {
        match &self.scaling {
            Some(Scaling(of_features)) => self.table.each(number, |at, x| {
                let (mean, deviation) = of_features[at];
                inputs[at] = ((x - mean) / deviation) as f32;
            }),
            None => self.table.each(number, |at, x| inputs[at] = x as f32),
        }
        if let Targets::Flags(all) | Targets::Values(all) = &self.targets {
            let count = values.len();
            values.copy_from_slice(&all[number * count..][..count]);
        }
        Ok(())
    }
}

/// The numbers of a one-dimensional array, copied; other types are converted.
pub fn list<T: Element + Copy>(array: &Bound<'_, PyAny>) -> PyResult<Vec<T>> {
    let kind = dtype::<T>(array.py());
    let array = array
        .py()
        .import("numpy")?
        .call_method1("asarray", (array, kind))?;
    let array = array.cast::<PyArray1<T>>()?;
    Ok(array.try_readonly()?.as_array().to_vec())
}

/// The numbers of a two-dimensional array `[row][column]`, copied, and its number of columns.
pub fn matrix(array: &Bound<'_, PyAny>) -> PyResult<(Vec<f64>, usize)> {
    let kind = dtype::<f64>(array.py());
    let array = array
        .py()
        .import("numpy")?
        .call_method1("asarray", (array, kind))?;
    let array = array.cast::<PyArray2<f64>>()?.try_readonly()?;
    let view = array.as_array();
    Ok((view.iter().copied().collect(), view.ncols()))
}
