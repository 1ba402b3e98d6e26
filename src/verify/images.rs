//! Convolutions, batch norms, pools, shortcuts, activations and dropout on planes of all sizes.

use super::perceptrons::{BATCHES, HALVES};
use super::problem::{Path, Problem, Trial, image};
use crate::error::Result;
use crate::model::{Builder, Extent, Model};

pub(super) fn problems() -> Result<Vec<Problem>> {
    let (mut problems, mut more) = (Vec::new(), Vec::new());
    let mut add = |model: Model, path, batch, quick| {
        problems.push(Trial::new(model, path, batch).into_problem().quick(quick));
    };
    for path in Path::ALL {
        for batch in BATCHES {
            add(residual(image(3, 9, 7), [5, 9])?, path, batch, batch == 3);
        }
        add(pools(image(2, 11, 13), 5)?, path, 3, true);
        add(residual(image(1, 1, 1), [1, 2])?, path, 3, false);
        add(stem(image(3, 33, 33))?, path, 1, false);
    }
    for batch in [1, 128] {
        add(
            pools(image(1, 8, 8), 4)?,
            Path::Sparse(0.4),
            batch,
            batch == 128,
        );
    }
    // As in real training: 131,072 positions of a batch enter each gradient. A norm's plane is its whole work or a part
    // of it.
    for side in [32, 9] {
        for fused in [false, true] {
            let trial = Trial {
                fused: Some(fused),
                ..Trial::new(
                    residual(image(3, side, side), [4, 8])?,
                    Path::Sparse(0.1),
                    128,
                )
            };
            more.push(trial.into_problem().quick(true));
        }
    }
    // Units with more connections than the kernels that do several layers' work can take: fused networks keep these
    // separate.
    let wide = Trial {
        fused: Some(true),
        ..Trial::new(residual(image(3, 3, 2), [400, 400])?, Path::Sparse(0.01), 3)
    };
    more.push(wide.into_problem().quick(true));
    add(residual(image(3, 32, 32), [4, 8])?, Path::Full, 128, false);
    add(
        residual(image(33, 6, 5), [257, 257])?,
        Path::Sparse(0.01),
        3,
        false,
    );
    for activations in HALVES {
        for (model, path) in [
            (residual(image(3, 9, 7), [5, 9])?, Path::Sparse(0.4)),
            (residual(image(3, 9, 7), [5, 9])?, Path::Full),
            (pools(image(2, 11, 13), 5)?, Path::Sparse(0.4)),
        ] {
            // Both fused, as on hardware, and not, whatever adapter this is.
            for fused in [false, true] {
                let trial = Trial {
                    activations,
                    fused: Some(fused),
                    ..Trial::new(model.clone(), path, 7)
                };
                problems.push(trial.into_problem().quick(true));
            }
        }
    }
    let parts = Trial {
        parts: 2,
        ..Trial::new(residual(image(3, 9, 7), [5, 9])?, Path::Full, 6)
    };
    problems.push(parts.into_problem().quick(true));
    for fused in [false, true] {
        let adamw = Trial {
            adamw: true,
            fused: Some(fused),
            method: "gse-uniform",
            ..Trial::new(residual(image(3, 9, 7), [5, 9])?, Path::Sparse(0.4), 7)
        };
        problems.push(adamw.into_problem().quick(true));
    }
    problems.extend(more);
    Ok(problems)
}

/// Two residual blocks, the second with a stride and more channels.
fn residual(input: Extent, [few, many]: [usize; 2]) -> Result<Model> {
    let mut net = Builder::new(&format!("residual blocks of {input}"), input);
    let x = net.input();
    let x = net.conv("stem", x, few, 3, 1, 1)?;
    let x = net.batch_norm_relu("stem.norm", x);
    let y = net.conv("conv0", x, few, 3, 1, 1)?;
    let y = net.batch_norm_relu("norm0", y);
    let y = net.conv("conv1", y, few, 3, 1, 1)?;
    let y = net.batch_norm_add_relu("norm1", y, x)?;
    let z = net.conv("conv2", y, many, 3, 2, 1)?;
    let z = net.batch_norm("norm2", z);
    let shortcut = net.shortcut(y, many, 2)?;
    let z = net.add(z, shortcut)?;
    let z = net.relu(z);
    let z = net.mean(z);
    let logits = net.linear("classifier", z, 10);
    net.finish(logits)
}

/// Every kind of pool, with windows that overlap and windows that leave a margin, GELU and dropout.
fn pools(input: Extent, channels: usize) -> Result<Model> {
    let mut net = Builder::new(&format!("pools of {input}"), input);
    let x = net.input();
    let x = net.conv("conv0", x, channels, 5, 1, 2)?;
    let x = net.gelu(x);
    let x = net.max_pool(x, 3, 2, 1)?;
    let y = net.conv("conv1", x, channels, 1, 1, 0)?;
    let y = net.relu(y);
    let y = net.add(x, y)?;
    // Three gradients meet at `x`.
    let z = net.conv("conv2", x, channels, 3, 1, 1)?;
    let x = net.add(y, z)?;
    let x = net.average_pool(x, 3, 1, 1)?;
    let x = net.max_pool(x, 2, 2, 0)?;
    let x = net.conv("conv3", x, 2 * channels, 2, 1, 0)?;
    let x = net.dropout(x, 0.3)?;
    let x = net.flatten(x);
    let logits = net.linear("classifier", x, 7);
    net.finish(logits)
}

/// The beginning of a network for large images: a window of 7 with a stride of 2.
fn stem(input: Extent) -> Result<Model> {
    let mut net = Builder::new(&format!("stem of {input}"), input);
    let x = net.input();
    let x = net.conv("stem", x, 9, 7, 2, 3)?;
    let x = net.batch_norm_relu("norm", x);
    let x = net.average_pool(x, 2, 2, 0)?;
    let x = net.mean(x);
    let logits = net.linear("classifier", x, 3);
    net.finish(logits)
}
