//! The definition of an optimiser: one trait, which those of this crate and of others implement alike.

use super::array::StateArray;
use crate::engine::{Device, Plan, View};
use crate::error::{Error, Misfit, Result};
use std::fmt::Debug;

/// How trained numbers move along their gradients.
///
/// An optimiser is a description and holds no memory: a network asks it for the arrays that it keeps, allocates them,
/// and lets it record its dispatches into plans. Each array has a word for every trained number, whether that is a
/// connection's weight, a bias or a dense parameter of a layer. A connection's words follow it through the rounds; a
/// grown connection begins with the array's start value. A custom optimiser brings its own kernels
/// ([`kernel!`](crate::kernel!)); `examples/custom_optimiser` is one.
pub trait Optimiser: Debug + Send + Sync {
    /// Its name, in messages and in files: "sgd".
    fn name(&self) -> &'static str;

    /// The arrays that it keeps, in the order of files.
    fn state(&self) -> Vec<StateArray>;

    /// Records one step's update of a group of trained numbers.
    ///
    /// # Errors
    /// The views do not fit.
    fn step(&self, plan: &mut Plan, update: &Update<'_>) -> Result<()>;

    /// Records one step's update of all groups, in the order of [`Group`], as one dispatch with the bits of
    /// [`step`](Optimiser::step). Returns whether it has a kernel for that which this device can run; if not, nothing
    /// is recorded.
    ///
    /// # Errors
    /// The views do not fit.
    fn step_together(
        &self,
        _plan: &mut Plan,
        _device: &Device,
        _updates: &[Update<'_>; 3],
    ) -> Result<bool> {
        Ok(false)
    }

    /// Bytes that it keeps for each trained number. This allows refusing a run that the device cannot hold, before
    /// anything is drawn.
    fn bytes(&self) -> u64 {
        4 * self.state().len() as u64
    }

    /// Floating-point operations of the products in one step on `count` trained numbers. Element-wise work is not
    /// counted, as for layers.
    fn flops(&self, _count: usize) -> f64 {
        0.0
    }
}

/// The kind of a group of trained numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Weights of the connections of all layers.
    Connections,
    /// Biases of all layers with connections.
    Biases,
    /// Dense parameters: those of norms, positions, and custom layers.
    Dense,
}

/// One step's update of a group. All views have `count` words and are padded to whole vectors of four, which may be
/// updated, too: gradients and weights there are zero, as are those of units without a bias.
pub struct Update<'a> {
    /// The kind of the group.
    pub group: Group,
    /// Number of its words.
    pub count: usize,
    /// A [`StepState`](crate::engine::StepState): the learning rate, and the step's number.
    pub step: View,
    /// `[count]` f32.
    pub gradient: View,
    /// `[count]` f32.
    pub weights: View,
    /// The optimiser's own arrays.
    pub(super) state: &'a [(StateArray, View)],
}

impl<'a> Update<'a> {
    /// An update of arrays that are not in a network.
    pub fn new(
        group: Group,
        count: usize,
        step: View,
        [gradient, weights]: [View; 2],
        state: &'a [(StateArray, View)],
    ) -> Self {
        Update {
            group,
            count,
            step,
            gradient,
            weights,
            state,
        }
    }

    /// Number of whole vectors of four that hold them.
    pub fn vectors(&self) -> usize {
        self.count.div_ceil(4)
    }

    /// `[count]`: one of the optimiser's arrays.
    ///
    /// # Errors
    /// The optimiser has no array with this name.
    pub fn state(&self, name: &str) -> Result<View> {
        let found = self.state.iter().find(|(array, _)| array.name == name);
        found.map(|(_, view)| view.clone()).ok_or_else(|| {
            Error::Shape(Misfit::Undeclared {
                who: "the optimiser".to_owned(),
                what: format!("the array `{name}`"),
            })
        })
    }
}

/// Names that files use for something else.
const TAKEN: [&str; 4] = ["crow_indices", "col_indices", "values", "bias"];

/// Refuses an optimiser whose arrays files could not distinguish.
pub(crate) fn check(optimiser: &dyn Optimiser) -> Result<()> {
    let (arrays, name) = (optimiser.state(), optimiser.name());
    if name.is_empty() {
        return Err(Error::Shape(Misfit::Lacks {
            who: "an optimiser".to_owned(),
            what: "a name, by which files are known".to_owned(),
        }));
    }
    for (i, array) in arrays.iter().enumerate() {
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let twice = arrays[..i].iter().any(|other| other.name == array.name);
        let odd = array.name.is_empty() || !array.name.chars().all(letters);
        let taken = TAKEN.contains(&array.name)
            || ["bias_", "past_"].iter().any(|p| array.name.starts_with(p));
        if twice || odd || taken {
            return Err(Error::Shape(Misfit::ArrayName {
                optimiser: name.to_owned(),
                array: array.name.to_owned(),
                taken: TAKEN.join(", "),
            }));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Named(&'static str, Vec<StateArray>);

    impl Optimiser for Named {
        fn name(&self) -> &'static str {
            self.0
        }

        fn state(&self) -> Vec<StateArray> {
            self.1.clone()
        }

        fn step(&self, _: &mut Plan, update: &Update<'_>) -> Result<()> {
            update.state("other").map(|_| ())
        }
    }

    #[test]
    fn names_that_files_could_not_tell_apart_are_refused() {
        let of = |name, arrays: &[&'static str]| {
            let arrays = arrays.iter().map(|name| StateArray::f32(name, 0.0));
            check(&Named(name, arrays.collect()))
        };
        of("adam", &["m", "v_2"]).unwrap();
        of("plain", &[]).unwrap();
        assert!(of("", &[]).is_err());
        for bad in ["", "M", "a.b", "values", "bias", "bias_m", "past_cols"] {
            let error = of("adam", &[bad]).unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{bad}`")) && error.contains("`adam`"),
                "{error}"
            );
        }
        assert!(of("adam", &["m", "m"]).is_err());
    }
}
