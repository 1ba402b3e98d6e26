//! The weights of the connections at each input.

use std::ops::Range;

use crate::checkpoint::Checkpoint;
use crate::data::table::Preprocessing;
use crate::error::{Error, Misfit, Result};
use crate::sparse::LayerState;

/// The connections that an input unit of a layer has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InputStrength {
    /// How many.
    pub connections: u64,
    /// The sum of |w| over them.
    pub strength: f64,
}

/// The connections that a table's column has.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnStrength {
    /// Its name.
    pub name: String,
    /// The network's inputs that are made of it: several for a category.
    pub inputs: Range<usize>,
    /// The connections of all of these inputs.
    pub all: InputStrength,
}

/// The strength of each input unit of a layer.
pub fn input_strengths(layer: &LayerState) -> Vec<InputStrength> {
    let mut all = vec![InputStrength::default(); layer.n_in];
    for (&input, weight) in layer.col_indices.iter().zip(&layer.values) {
        if let Some(own) = all.get_mut(input as usize) {
            own.connections += 1;
            own.strength += f64::from(weight.abs());
        }
    }
    all
}

/// The strength of each column of the table that a checkpoint's network was trained on, in the first layer: by the
/// averages of its weights if there are any.
///
/// # Errors
/// It was not trained on a table, or its first layer does not take the inputs.
pub fn column_strengths(
    checkpoint: &Checkpoint,
    rules: &Preprocessing,
) -> Result<Vec<ColumnStrength>> {
    let state = &checkpoint.snapshot.state;
    let averaged = state.averaged();
    let layer = averaged.as_ref().unwrap_or(state).layers.first();
    let Some(layer) = layer.filter(|layer| layer.n_in == rules.inputs()) else {
        return Err(Error::Shape(Misfit::Unfit {
            found: format!("{} inputs of the table", rules.inputs()),
            expected: format!(
                "the first layer of {}, with {}",
                checkpoint.path.display(),
                layer.map_or(0, |layer| layer.n_in)
            ),
        }));
    };
    let inputs = input_strengths(layer);
    let mut first = 0;
    let columns = rules.columns.iter().map(|column| {
        let own = first..first + column.rule.inputs();
        first = own.end;
        let mut all = InputStrength::default();
        for input in &inputs[own.clone()] {
            all.connections += input.connections;
            all.strength += input.strength;
        }
        ColumnStrength {
            name: column.name.clone(),
            inputs: own,
            all,
        }
    });
    Ok(columns.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strength_of_an_input_is_that_of_its_column_in_the_matrix() {
        let mut layer = LayerState::from_pairs(3, 2, &[(0, 0), (0, 2), (1, 2)]);
        layer.values = vec![0.5, -1.0, -2.0];
        let told: Vec<(u64, f64)> = (input_strengths(&layer).iter())
            .map(|own| (own.connections, own.strength))
            .collect();
        assert_eq!(told, [(1, 0.5), (0, 0.0), (2, 3.0)]);
    }
}
