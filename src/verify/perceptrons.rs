//! Linear layers of all sizes: sparse and dense products, biases, the loss, the optimiser.

use super::problem::{Path, Problem, Trial};
use crate::engine::Precision;
use crate::error::Result;
use crate::model::{Builder, Extent, Model};

/// Tiny and odd units: every remainder of a vector of four, and one more than powers of two.
const TINY: [usize; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const ODD: [usize; 5] = [9, 33, 257, 513, 10];

/// One sample, fewer than a vector, and more than a workgroup has lanes.
pub(super) const BATCHES: [usize; 3] = [1, 3, 128];

/// Activations of 16 bits.
pub(super) const HALVES: [Precision; 2] = [Precision::Bf16, Precision::F16];

/// More inputs than a driver may allow a loop: llvmpipe gives up after 65,535 iterations.
const LONG: usize = 70_001;

pub(super) fn problems() -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for batch in BATCHES {
        for path in Path::ALL {
            for (name, units) in [("1 to 9 units", &TINY[..]), ("9 to 513 units", &ODD)] {
                let quick = batch == 3;
                let trial = Trial::new(chain(name, units)?, path, batch);
                problems.push(trial.into_problem().quick(quick));
            }
        }
        // Most rows and columns are empty.
        let sparse = chain("empty rows, 513 to 257 units", &[513, 257, 33])?;
        problems.push(Trial::new(sparse, Path::Sparse(0.001), batch).into_problem());
        let classes = chain("9 units to 513 classes", &[9, 513])?;
        problems.push(Trial::new(classes, Path::Sparse(0.5), batch).into_problem());
    }
    let one = chain("33 units to 1 class", &[33, 1])?;
    problems.push(Trial::new(one, Path::Sparse(0.5), 3).into_problem());
    for path in [Path::Sparse(1.0), Path::Full] {
        let long = chain(&format!("rows of {LONG}"), &[LONG, 3])?;
        let trial = Trial::new(long, path, 3);
        problems.push(trial.into_problem().quick(true));
    }
    let parts = Trial {
        parts: 4,
        ..Trial::new(chain("9 to 513 units", &ODD)?, Path::Sparse(0.4), 128)
    };
    problems.push(parts.into_problem().quick(true));
    problems.push(
        Trial {
            path: Path::Full,
            ..parts_of_dense()?
        }
        .into_problem(),
    );
    for activations in HALVES {
        for path in Path::ALL {
            let trial = Trial {
                activations,
                ..Trial::new(chain("9 to 513 units", &ODD)?, path, 7)
            };
            problems.push(trial.into_problem().quick(true));
        }
    }
    Ok(problems)
}

fn parts_of_dense() -> Result<Trial> {
    Ok(Trial {
        parts: 2,
        ..Trial::new(chain("9 to 513 units", &ODD)?, Path::Full, 6)
    })
}

/// Linear layers with these units, every other one with a fused ReLU.
pub(super) fn chain(name: &str, units: &[usize]) -> Result<Model> {
    let mut net = Builder::new(name, Extent::vector(units[0]));
    let mut x = net.input();
    let last = units.len() - 1;
    for (i, &n) in units.iter().enumerate().skip(1) {
        let name = format!("linear{i}");
        x = match i % 2 == 0 && i < last {
            true => net.linear_relu(&name, x, n),
            false => net.linear(&name, x, n),
        };
    }
    net.finish(x)
}
