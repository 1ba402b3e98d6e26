//! Why the figures of a benchmark cannot be shared or compared.

use std::fmt;

/// What is missing or impossible in a report.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Unshareable {
    /// Figures of another program.
    OtherProgram {
        /// The program and its version.
        program: String,
    },
    /// A ceiling is missing by which others are compared.
    NoCeiling {
        /// The ceiling.
        ceiling: &'static str,
        /// Why a ceiling was withheld, if one was.
        doubt: Option<String>,
    },
    /// There are no products, or neither a training step nor a model.
    NoCases,
    /// A ceiling below zero or without end.
    Ceiling {
        /// Its field in the file.
        field: &'static str,
        /// Its value.
        value: f64,
    },
    /// Times that are not above zero, out of order, or that contradict the rate.
    Times {
        /// What takes them: "spmm 4096".
        of: String,
    },
    /// A sparsity that is no share.
    Sparsity {
        /// The value.
        sparsity: f64,
        /// What has it.
        of: String,
    },
    /// A result beyond the tolerance.
    WrongResult {
        /// What has it.
        of: String,
    },
    /// A larger share of a ceiling than there is.
    Share {
        /// The share.
        share: f64,
        /// What has it.
        of: String,
    },
}

/// Continues a sentence whose subject is the report or its file.
impl fmt::Display for Unshareable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const AGAIN: &str = "measure again on an idle machine";
        match self {
            Unshareable::OtherProgram { program } => {
                write!(f, "was measured by {program}, not by rootlet")
            }
            Unshareable::NoCeiling { ceiling, doubt } => {
                write!(
                    f,
                    "lacks the ceiling {ceiling}, by which others are compared"
                )?;
                if let Some(doubt) = doubt {
                    write!(f, " ({doubt})")?;
                }
                write!(f, ": {AGAIN}")
            }
            Unshareable::NoCases => write!(f, "has no products or no training step: {AGAIN}"),
            Unshareable::Ceiling { field, value } => {
                write!(f, "has a ceiling that cannot be: {field} {value}")
            }
            Unshareable::Times { of } => write!(f, "has times that cannot be, of {of}"),
            Unshareable::Sparsity { sparsity, of } => {
                write!(f, "has a sparsity of {sparsity}, of {of}")
            }
            Unshareable::WrongResult { of } => write!(f, "has a wrong result, of {of}"),
            Unshareable::Share { share, of } => write!(
                f,
                "has a share of {share:.2} of a ceiling, more than there is, of {of}: {AGAIN}"
            ),
        }
    }
}
