//! The optimiser's name and arrays, as the manifest stores them, and its tensors.

use super::checked::Checked;
use super::columns::Column;
use crate::files::TensorsFile;
use crate::network::NetworkState;
use crate::optim::{Numbers, OptimiserState, Sgd};
use serde::{Deserialize, Serialize};

/// The type of an array's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumberType {
    /// Real numbers.
    F32,
    /// Counts.
    U32,
}

/// One of the optimiser's arrays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateShape {
    /// Its name.
    pub name: String,
    /// Its type.
    pub numbers: NumberType,
}

/// The optimiser whose state is saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptimiserShape {
    /// Its name; none for a network that no optimiser has begun to train.
    pub name: Option<String>,
    /// Its arrays for every trained number.
    pub arrays: Vec<StateShape>,
}

impl Default for OptimiserShape {
    /// Files that name no optimiser are from SGD.
    fn default() -> Self {
        OptimiserShape {
            name: Some(Sgd::NAME.to_owned()),
            arrays: vec![StateShape {
                name: Sgd::STATE.name.to_owned(),
                numbers: NumberType::F32,
            }],
        }
    }
}

impl OptimiserShape {
    /// Whether the manifest may leave it out.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The optimiser of a state; all parts of the state must agree.
    pub(super) fn of(state: &NetworkState) -> Checked<Self> {
        let layers = state.layers.iter().flat_map(|l| [&l.state, &l.bias_state]);
        let arrays = state.parameters.iter().flat_map(|layer| &layer.arrays);
        let dense = arrays.filter(|array| array.trained).map(|a| &a.state);
        let mut all = layers.chain(dense).map(shapes);
        let arrays = all.next().unwrap_or_default();
        match all.all(|other| other == arrays) {
            true => Ok(OptimiserShape {
                name: state.optimiser.clone(),
                arrays,
            }),
            false => Err("its layers have the states of different optimisers".to_owned()),
        }
    }

    /// Bytes kept for each trained number.
    pub(super) fn bytes(&self) -> u64 {
        4 * self.arrays.len() as u64
    }

    /// Reads the state of `count` numbers from tensors whose names begin with `prefix`.
    pub(super) fn read(
        &self,
        file: &TensorsFile<'_>,
        prefix: &str,
        count: usize,
    ) -> Checked<OptimiserState> {
        let array = |array: &StateShape| {
            let name = format!("{prefix}{}", array.name);
            let numbers = match array.numbers {
                NumberType::F32 => Numbers::F32(file.reals(&name, count)?),
                NumberType::U32 => Numbers::U32(file.counts(&name, count)?),
            };
            Ok((array.name.clone(), numbers))
        };
        let arrays = self.arrays.iter().map(array).collect::<Checked<Vec<_>>>()?;
        Ok(OptimiserState::of(arrays))
    }
}

fn shapes(state: &OptimiserState) -> Vec<StateShape> {
    let shape = |(name, numbers): (&str, &Numbers)| StateShape {
        name: name.to_owned(),
        numbers: match numbers {
            Numbers::F32(_) => NumberType::F32,
            Numbers::U32(_) => NumberType::U32,
        },
    };
    state.arrays().map(shape).collect()
}

/// The tensors of a state, whose names begin with `prefix`.
pub(super) fn columns<'a>(
    prefix: &'a str,
    state: &'a OptimiserState,
) -> impl Iterator<Item = (String, Column<'a>)> {
    state.arrays().map(move |(name, numbers)| {
        let column = match numbers {
            Numbers::F32(values) => Column::real(values),
            Numbers::U32(values) => Column::count(values),
        };
        (format!("{prefix}{name}"), column)
    })
}
