//! Arrays and targets as a data set.

use std::sync::Arc;

use numpy::PyUntypedArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rootlet::data::table::{ColumnRule, Rule, TargetRule};
use rootlet::data::{
    Dataset, HeldOut, ImageShape, Missing, Normalisation, Preprocessing, TargetKind, Targets, Task,
    TestPart,
};

use crate::arrays::{Samples, Scaling, Table, deviation, list, matrix};
use crate::errors::raised;

/// What the data are called in messages and checkpoints. No data set and no file has this name.
pub const NAME: &str = "arrays-in-memory";

/// What a program gives of its data.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Given<'py> {
    /// `[sample][feature]`.
    inputs: Bound<'py, PyUntypedArray>,
    /// `[sample]` numbers of classes, or `[sample][output]`.
    targets: Bound<'py, PyAny>,
    /// `[sample]`.
    weights: Option<Bound<'py, PyAny>>,
    validation: Option<(Bound<'py, PyUntypedArray>, Bound<'py, PyAny>)>,
    test: Option<(Bound<'py, PyUntypedArray>, Bound<'py, PyAny>)>,
    /// classification, multi-label or regression.
    task: String,
    /// The names of the features.
    columns: Vec<String>,
    /// The names of the classes, labels or values.
    outputs: Vec<String>,
    /// Whether features, and values to predict, are scaled to mean 0 and deviation 1.
    standardise: bool,
    /// For images, their channels, rows and columns.
    image: Option<[usize; 3]>,
}

impl Given<'_> {
    /// The data set.
    ///
    /// # Errors
    /// Its arrays do not fit each other, or hold numbers that are not finite.
    pub fn dataset(&self, py: Python<'_>) -> PyResult<Dataset> {
        let task = self.task()?;
        let train = Table::new(&self.inputs, self.image.is_some())?;
        check_finite(py, &train, "training")?;
        let features = train.columns;
        let weights = self.weights.as_ref().map_or(Ok(Vec::new()), list)?;
        if let Some(at) = weights
            .iter()
            .position(|w: &f32| !w.is_finite() || *w < 0.0)
        {
            return Err(PyValueError::new_err(format!(
                "the weight of sample {at} is {}; it must be a number, 0 or above",
                weights[at]
            )));
        }
        let shape = match self.image {
            Some([channels, height, width]) => ImageShape {
                channels,
                height,
                width,
            },
            None => ImageShape::vector(features),
        };
        let scaling = match self.standardise {
            true => py.detach(|| Scaling::of(&train, &weights)),
            false => Scaling(vec![(0.0, 1.0); features]),
        };
        let scaling = match self.image {
            None => scaling,
            Some(_) => of_channels(&scaling, shape),
        };
        let values = self.value_scaling(task, &weights)?;
        let is_image = self.image.is_some();
        let samples = |table: Table, targets: &Bound<'_, PyAny>, weights| -> PyResult<Samples> {
            let (kind, targets) = self.targets(task, targets, &values)?;
            Ok(Samples {
                table,
                // A loader scales the channels of images itself.
                scaling: (!is_image).then(|| scaling.clone()),
                kind,
                targets,
                weights,
            })
        };
        let held_out = |part: &Option<(Bound<'_, PyUntypedArray>, Bound<'_, PyAny>)>, name| {
            let Some((inputs, targets)) = part else {
                return Ok(None);
            };
            let table = Table::new(inputs, self.image.is_some())?;
            check_finite(py, &table, name)?;
            samples(table, targets, Vec::new()).map(Some)
        };
        let validation = held_out(&self.validation, "validation")?;
        let test = held_out(&self.test, "test")?;
        let train = samples(train, &self.targets, weights)?;
        let kind = train.kind;
        let in_memory = || TestPart::File("arrays".to_owned());
        let (test, test_part) = match test {
            Some(test) => (test.into(), in_memory()),
            None => (nothing(features, kind)?, TestPart::Unwanted),
        };
        let classes = match task {
            Task::Regression => 0,
            _ => self.outputs.len(),
        };
        let rules = Preprocessing {
            columns: (self.columns.iter().zip(&scaling.0))
                .map(|(name, &(mean, deviation))| ColumnRule {
                    name: name.clone(),
                    rule: Rule::Number {
                        mean,
                        deviation,
                        fill: None,
                        missing_input: false,
                    },
                })
                .collect(),
            target: self.target_rule(task, &values),
            missing: Missing::Refuse,
            ignored: Vec::new(),
            weight: None,
        };
        let normalisation = match is_image {
            true => Normalisation {
                mean: scaling.0.iter().map(|&(mean, _)| mean as f32).collect(),
                std: (scaling.0.iter().map(|&(_, deviation)| deviation as f32)).collect(),
            },
            false => Normalisation {
                mean: vec![0.0; features],
                std: vec![1.0; features],
            },
        };
        let data = Dataset {
            name: NAME.to_owned(),
            shape,
            classes,
            class_names: match task {
                Task::Regression => Vec::new(),
                _ => self.outputs.clone(),
            },
            normalisation,
            train: train.into(),
            validation: validation.map(|samples| HeldOut {
                images: samples.into(),
                part: in_memory(),
            }),
            test,
            test_part,
            notes: Vec::new(),
            untaught: Vec::new(),
            preprocessing: (!is_image).then(|| Arc::new(rules)),
        };
        data.check().map_err(raised)?;
        Ok(data)
    }

    fn task(&self) -> PyResult<Task> {
        Task::named(&self.task).ok_or_else(|| {
            PyValueError::new_err(format!(
                "`task` must be {}, not {}",
                Task::NAMES.join(", "),
                self.task
            ))
        })
    }

    /// How values to predict are scaled; empty for classes and labels.
    fn value_scaling(&self, task: Task, weights: &[f32]) -> PyResult<Vec<(f64, f64)>> {
        if task != Task::Regression {
            return Ok(Vec::new());
        }
        let (numbers, outputs) = matrix(&self.targets)?;
        // Images have no rules that would scale predictions back.
        if !self.standardise || self.image.is_some() {
            return Ok(vec![(0.0, 1.0); outputs]);
        }
        let weight = |row: usize| weights.get(row).map_or(1.0, |&weight| f64::from(weight));
        let rows = numbers.len() / outputs.max(1);
        let total = (0..rows).map(weight).sum::<f64>();
        let total = if total > 0.0 { total } else { 1.0 };
        let of_output = |output: usize| {
            let own = || (0..rows).map(|row| (weight(row), numbers[row * outputs + output]));
            let mean = own().map(|(weight, x)| weight * x).sum::<f64>() / total;
            let variance = own()
                .map(|(weight, x)| weight * (x - mean).powi(2))
                .sum::<f64>()
                / total;
            (mean, deviation(variance))
        };
        Ok((0..outputs).map(of_output).collect())
    }

    fn targets(
        &self,
        task: Task,
        targets: &Bound<'_, PyAny>,
        scaling: &[(f64, f64)],
    ) -> PyResult<(TargetKind, Targets)> {
        if task == Task::Classification {
            return Ok((TargetKind::Labels, Targets::Labels(list(targets)?)));
        }
        let (numbers, outputs) = matrix(targets)?;
        if task == Task::MultiLabel {
            let flags = numbers.iter().map(|&flag| flag as f32).collect();
            return Ok((TargetKind::Flags(outputs), Targets::Flags(flags)));
        }
        let scaled = numbers.iter().enumerate().map(|(at, x)| {
            let (mean, deviation) = scaling[at % outputs];
            ((x - mean) / deviation) as f32
        });
        let values = Targets::Values(scaled.collect());
        Ok((TargetKind::Values(outputs), values))
    }

    fn target_rule(&self, task: Task, scaling: &[(f64, f64)]) -> TargetRule {
        match task {
            Task::Classification => TargetRule::Classes {
                column: "target".to_owned(),
                names: self.outputs.clone(),
            },
            Task::MultiLabel => TargetRule::Labels {
                columns: self.outputs.clone(),
            },
            Task::Regression => TargetRule::Values {
                columns: self.outputs.clone(),
                mean: scaling.iter().map(|&(mean, _)| mean).collect(),
                deviation: scaling.iter().map(|&(_, deviation)| deviation).collect(),
            },
        }
    }
}

/// A part without samples.
fn nothing(features: usize, kind: TargetKind) -> PyResult<rootlet::data::Images> {
    #[derive(Debug)]
    struct Nothing(usize, TargetKind);
    impl rootlet::data::DataSource for Nothing {
        fn len(&self) -> usize {
            0
        }
        fn features(&self) -> usize {
            self.0
        }
        fn targets(&self) -> TargetKind {
            self.1
        }
        fn read(
            &self,
            _: usize,
            _: rootlet::data::Draws,
            _: &mut [f32],
            _: &mut [f32],
        ) -> rootlet::Result<()> {
            Ok(())
        }
    }
    Ok(Nothing(features, kind).into())
}

/// The scaling of each channel of images, from that of its pixels.
fn of_channels(of_pixels: &Scaling, shape: ImageShape) -> Scaling {
    let plane = (shape.height * shape.width).max(1);
    let of_channel = |pixels: &[(f64, f64)]| {
        let count = pixels.len().max(1) as f64;
        let mean = pixels.iter().map(|&(mean, _)| mean).sum::<f64>() / count;
        // The variance of all is the mean of the squares less the square of the mean.
        let squares = pixels.iter().map(|&(own, d)| {
            let variance = if d == 1.0 { 0.0 } else { d * d };
            variance + (own - mean).powi(2)
        });
        (mean, deviation(squares.sum::<f64>() / count))
    };
    Scaling(of_pixels.0.chunks(plane).map(of_channel).collect())
}

fn check_finite(py: Python<'_>, table: &Table, part: &str) -> PyResult<()> {
    match py.detach(|| table.not_finite()) {
        None => Ok(()),
        Some((sample, feature)) => Err(PyValueError::new_err(format!(
            "{part} sample {sample} (counted from 0): feature {feature} is NaN or infinite"
        ))),
    }
}
