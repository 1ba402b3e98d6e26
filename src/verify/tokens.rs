//! Transformers: patches, positions, attention, layer norms.

use super::perceptrons::{BATCHES, HALVES};
use super::problem::{Numbers, Path, Problem, Trial, image};
use crate::engine::{Class, Plan};
use crate::error::Result;
use crate::layer::PositionsPass;
use crate::model::{Builder, Extent, Model};

pub(super) fn problems() -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let mut add = |model: Model, path, batch, quick| {
        // Both fused, as on hardware, and not, whatever adapter this is.
        for fused in [false, true] {
            let trial = Trial {
                fused: Some(fused),
                ..Trial::new(model.clone(), path, batch)
            };
            problems.push(trial.into_problem().quick(quick));
        }
    };
    for batch in BATCHES {
        let model = block(image(3, 6, 4), 2, 12, [3, 5])?;
        add(model, Path::Sparse(0.4), batch, batch == 3);
    }
    for dim in 1..=9 {
        add(
            block(image(1, 3, 3), 1, 8, [1, dim])?,
            Path::Full,
            3,
            dim == 7,
        );
    }
    // One token; 49 tokens; heads of the usual size.
    add(
        block(image(2, 2, 2), 2, 8, [2, 4])?,
        Path::Sparse(0.5),
        3,
        false,
    );
    add(
        block(image(3, 14, 14), 2, 36, [2, 33])?,
        Path::Sparse(0.2),
        3,
        false,
    );
    add(
        block(image(3, 32, 32), 4, 64, [2, 64])?,
        Path::Sparse(0.1),
        16,
        false,
    );
    for activations in HALVES {
        for fused in [false, true] {
            let trial = Trial {
                activations,
                fused: Some(fused),
                ..Trial::new(block(image(3, 6, 4), 2, 12, [3, 5])?, Path::Sparse(0.4), 7)
            };
            problems.push(trial.into_problem().quick(true));
        }
    }
    for lanes in [4, 132] {
        problems.push(in_place(lanes));
    }
    Ok(problems)
}

/// One block of a transformer after a convolution, so that the patches have a gradient too.
fn block(input: Extent, patch: usize, dim: usize, [heads, head]: [usize; 2]) -> Result<Model> {
    let name = format!("attention of {input} in patches of {patch}, {heads} heads of {head}");
    let mut net = Builder::new(&name, input);
    let x = net.input();
    let x = net.conv("conv", x, 2, 1, 1, 0)?;
    let x = net.patchify(x, patch)?;
    let x = net.linear("embed", x, dim);
    let x = net.positions(x)?;
    let y = net.layer_norm("norm0", x);
    let y = net.linear_without_bias("qkv", y, 3 * heads * head);
    let y = net.attention(y, heads, head)?;
    let y = net.linear_without_bias("out", y, dim);
    let x = net.add(x, y)?;
    let y = net.layer_norm("norm1", x);
    let y = net.linear("mlp0", y, 2 * dim + 1);
    let y = net.gelu(y);
    let y = net.linear("mlp1", y, dim);
    let x = net.add(x, y)?;
    let x = net.mean(x);
    let logits = net.linear("classifier", x, 5);
    net.finish(logits)
}

/// Positions added in place, which no network does.
fn in_place(lanes: usize) -> Problem {
    let positions = PositionsPass {
        dim: 9,
        tokens: 7,
        lanes,
    };
    let work = move |device: &crate::engine::Device| {
        let numbers = &mut Numbers::new(3);
        let table = numbers.reals(positions.dim * positions.tokens);
        let table = device.buffer_with("table", Class::Scratch, &table)?;
        let tokens = numbers.reals(positions.words());
        let tokens = device.buffer_with("tokens", Class::Scratch, &tokens)?;
        let mut plan = Plan::new("positions");
        positions.forward(&mut plan, table.all(), tokens.all(), tokens.all())?;
        device.run_checked(&device.prepare(&plan)?, "")
    };
    Problem::new(format!("positions in place, {lanes} lanes"), work).quick(lanes == 4)
}
