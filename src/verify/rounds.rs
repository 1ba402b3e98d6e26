//! Prune-and-grow rounds of every method that has them, and Top-KAST's forward set.

use super::perceptrons::chain;
use super::problem::{Path, Problem, Trial, image};
use crate::engine::Precision;
use crate::error::Result;
use crate::model::{Builder, Model};
use crate::topology::{Candidates, MethodName, MethodOptions, Scope};

/// The methods with rounds.
fn with_rounds() -> impl Iterator<Item = &'static str> {
    let grows = |name: &MethodName| {
        let method = name.build(&MethodOptions::default());
        method.growth().candidates() != Candidates::None
    };
    let names = MethodName::ALL.into_iter().filter(grows);
    names.map(MethodName::name)
}

pub(super) fn problems() -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for method in with_rounds() {
        for scope in [Scope::Layer, Scope::Global] {
            let round = |model: Model, density, batch, parts| Trial {
                method,
                scope,
                parts,
                ..Trial::new(model, Path::Sparse(density), batch)
            };
            // Several blocks for the sorts and scans.
            let wide = chain("9 to 513 units", &[9, 33, 257, 513, 10])?;
            let quick = scope == Scope::Layer;
            problems.push(round(wide, 0.2, 3, 1).into_problem().quick(quick));
            let tiny = chain("1 to 9 units", &[1, 2, 3, 4, 5, 6, 7, 8, 9])?;
            problems.push(round(tiny, 0.4, 1, 1).into_problem());
            let parts = chain("33 to 257 units", &[33, 257, 9])?;
            problems.push(round(parts, 0.1, 128, 2).into_problem());
            problems.push(round(windows()?, 0.3, 3, 1).into_problem());
            let halves = Trial {
                activations: Precision::Bf16,
                ..round(windows()?, 0.3, 7, 1)
            };
            problems.push(halves.into_problem().quick(quick));
        }
    }
    for (units, batch) in [(&[9, 33, 257, 513, 10][..], 3), (&[1, 2, 3, 4, 5], 128)] {
        let name = format!("{} to {} units, forward by half", units[0], units.len());
        let half = Trial {
            forward_half: true,
            ..Trial::new(chain(&name, units)?, Path::Sparse(0.4), batch)
        };
        problems.push(half.into_problem().quick(batch == 3));
    }
    Ok(problems)
}

/// Convolutions: a unit is a tap of a channel.
fn windows() -> Result<Model> {
    let mut net = Builder::new("convolutions of 3×7×5", image(3, 7, 5));
    let x = net.input();
    let x = net.conv("conv0", x, 7, 3, 1, 1)?;
    let x = net.batch_norm_relu("norm", x);
    let x = net.conv("conv1", x, 9, 3, 2, 0)?;
    let x = net.mean(x);
    let logits = net.linear("classifier", x, 10);
    net.finish(logits)
}
