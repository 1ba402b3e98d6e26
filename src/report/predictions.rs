//! The file of `rootlet predict`: a row for each sample, with what the network predicts.

use std::io::Write;

use crate::data::Task;
use crate::train::to_probabilities;

/// What a file of predictions tells.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictionOptions {
    /// How many of the likeliest classes or labels have columns of their own.
    pub top: usize,
    /// Whether every class or label has a column with its probability.
    pub probabilities: bool,
    /// Probability from which a label applies.
    pub threshold: f32,
    /// Whether a last column says why a sample has no prediction.
    pub faults: bool,
    /// Whether a column has what is right.
    pub truth: bool,
}

/// The table of predictions.
#[derive(Clone, Debug)]
pub struct PredictionTable {
    task: Task,
    /// The name of each output.
    names: Vec<String>,
    options: PredictionOptions,
    /// Columns that say which sample it is.
    who: Vec<&'static str>,
}

impl PredictionTable {
    /// A table for a network with these `outputs`; outputs without names have their numbers, counted from 0.
    pub fn new(
        task: Task,
        outputs: usize,
        names: &[String],
        who: Vec<&'static str>,
        options: PredictionOptions,
    ) -> Self {
        let name = |output: usize| match (names.get(output), task, outputs) {
            (Some(name), ..) => name.clone(),
            (None, Task::Regression, 1) => "value".to_owned(),
            (None, Task::Regression, _) => format!("value {output}"),
            (None, ..) => output.to_string(),
        };
        Self {
            task,
            names: (0..outputs).map(name).collect(),
            options: PredictionOptions {
                top: options.top.min(outputs),
                ..options
            },
            who,
        }
    }

    /// The names of the columns.
    pub fn header(&self) -> Vec<String> {
        let mut header: Vec<String> = self.who.iter().map(|&who| who.to_owned()).collect();
        header.extend(self.options.truth.then(|| "truth".to_owned()));
        match self.task {
            Task::Classification => header.extend(["answer", "probability"].map(str::to_owned)),
            Task::MultiLabel => header.extend(["labels", "probabilities"].map(str::to_owned)),
            Task::Regression => header.extend(self.names.iter().cloned()),
        }
        if self.task != Task::Regression {
            for place in 1..=self.options.top {
                header.extend([format!("answer {place}"), format!("probability {place}")]);
            }
            let all = self.names.iter().filter(|_| self.options.probabilities);
            header.extend(all.map(|name| format!("probability of {name}")));
        }
        header.extend(self.options.faults.then(|| "fault".to_owned()));
        header
    }

    /// The row of a sample: its `names`, what is right if that is known, and its outputs or why there are none.
    pub fn row(
        &self,
        names: Vec<String>,
        truth: Option<String>,
        outputs: Result<&[f32], String>,
    ) -> Vec<String> {
        let mut row = names;
        row.extend(self.options.truth.then(|| truth.unwrap_or_default()));
        let fault = match outputs {
            Ok(outputs) => {
                self.put_outputs(outputs, &mut row);
                String::new()
            }
            Err(why) => {
                row.resize(self.header().len() - 1, String::new());
                why
            }
        };
        row.extend(self.options.faults.then_some(fault));
        row
    }

    fn put_outputs(&self, outputs: &[f32], row: &mut Vec<String>) {
        let mut shares = outputs.to_vec();
        to_probabilities(self.task, &mut shares);
        // By the outputs themselves, which differ where probabilities are rounded to the same number.
        let mut order: Vec<usize> = (0..outputs.len()).collect();
        order.sort_by(|&a, &b| outputs[b].total_cmp(&outputs[a]).then(a.cmp(&b)));
        match self.task {
            Task::Regression => row.extend(outputs.iter().map(f32::to_string)),
            Task::Classification => {
                let best = order.first().copied().unwrap_or(0);
                row.extend([self.names[best].clone(), shares[best].to_string()]);
            }
            Task::MultiLabel => {
                let applies = |label: &&usize| shares[**label] >= self.options.threshold;
                let labels: Vec<usize> = order.iter().filter(applies).copied().collect();
                row.push(joined(
                    labels.iter().map(|&label| self.names[label].clone()),
                ));
                row.push(joined(
                    labels.iter().map(|&label| shares[label].to_string()),
                ));
            }
        }
        if self.task == Task::Regression {
            return;
        }
        for &place in order.iter().take(self.options.top) {
            row.extend([self.names[place].clone(), shares[place].to_string()]);
        }
        if self.options.probabilities {
            row.extend(shares.iter().map(f32::to_string));
        }
    }

    /// What is right for a sample, in words: its class by number, or its flags or values.
    pub fn truth(&self, class: u32, values: &[f32]) -> String {
        match self.task {
            Task::Classification => {
                let name = self.names.get(class as usize);
                name.cloned().unwrap_or_else(|| class.to_string())
            }
            Task::MultiLabel => joined(
                (self.names.iter().zip(values))
                    .filter(|(_, flag)| **flag > 0.5)
                    .map(|(name, _)| name.clone()),
            ),
            Task::Regression => joined(values.iter().map(f32::to_string)),
        }
    }
}

/// Several texts in a cell.
fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(";")
}

/// Writes a row as CSV (RFC 4180).
///
/// # Errors
/// The system's error.
pub fn write_row(file: &mut dyn Write, row: &[String]) -> std::io::Result<()> {
    let mut line = csv::WriterBuilder::new().from_writer(Vec::new());
    line.write_record(row).map_err(std::io::Error::other)?;
    let bytes = line.into_inner().map_err(|error| error.into_error())?;
    file.write_all(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(task: Task, names: &[&str], options: PredictionOptions) -> PredictionTable {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        PredictionTable::new(task, names.len(), &names, vec!["input"], options)
    }

    const PLAIN: PredictionOptions = PredictionOptions {
        top: 0,
        probabilities: false,
        threshold: 0.5,
        faults: false,
        truth: false,
    };

    fn line(table: &PredictionTable, outputs: Result<&[f32], String>) -> String {
        table.row(vec!["a".to_owned()], None, outputs).join(",")
    }

    #[test]
    fn classes_by_their_names_with_the_likeliest_and_all() {
        let outputs = [0.0, 2.0f32.ln(), 0.0];
        let plain = table(Task::Classification, &["x", "y", "z"], PLAIN);
        assert_eq!(plain.header().join(","), "input,answer,probability");
        assert_eq!(line(&plain, Ok(&outputs)), "a,y,0.5");
        let options = PredictionOptions {
            top: 2,
            probabilities: true,
            faults: true,
            ..PLAIN
        };
        let more = table(Task::Classification, &["x", "y", "z"], options);
        let header = "input,answer,probability,answer 1,probability 1,answer 2,probability 2,probability of \
                      x,probability of y,probability of z,fault";
        assert_eq!(more.header().join(","), header);
        assert_eq!(
            line(&more, Ok(&outputs)),
            "a,y,0.5,y,0.5,x,0.25,0.25,0.5,0.25,"
        );
        assert_eq!(line(&more, Err("torn".to_owned())), "a,,,,,,,,,,torn");
    }

    #[test]
    fn labels_above_the_threshold_and_numbers() {
        let labels = table(Task::MultiLabel, &["x", "y", "z"], PLAIN);
        assert_eq!(labels.header().join(","), "input,labels,probabilities");
        assert_eq!(
            // A sigmoid that every system rounds alike.
            line(&labels, Ok(&[0.0, -9.0, 90.0])),
            "a,z;x,1;0.5"
        );
        assert_eq!(line(&labels, Ok(&[-1.0, -9.0, -2.0])), "a,,");
        assert_eq!(labels.truth(0, &[1.0, 0.0, 1.0]), "x;z");
        let numbers = table(Task::Regression, &["price", "rent"], PLAIN);
        assert_eq!(numbers.header().join(","), "input,price,rent");
        assert_eq!(line(&numbers, Ok(&[1.5, -2.0])), "a,1.5,-2");
        let nameless = PredictionTable::new(Task::Regression, 1, &[], vec!["input"], PLAIN);
        assert_eq!(nameless.header().join(","), "input,value");
    }

    #[test]
    fn a_cell_with_a_comma_is_quoted() {
        let mut file = Vec::new();
        write_row(&mut file, &["a,b".to_owned(), "\"c\"".to_owned()]).unwrap();
        assert_eq!(file, b"\"a,b\",\"\"\"c\"\"\"\n");
    }
}
