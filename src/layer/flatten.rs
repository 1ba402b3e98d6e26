//! The batch itself, and the same numbers as one vector: layers that compute nothing.

use super::definition::{Layer, Linear};
use super::extent::Extent;
use super::operation::Operation;
use super::pass::{Backward, Forward, Mode};
use crate::engine::Plan;
use crate::error::Result;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The batch: the first layer of every model, and never another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Input(pub Extent);

impl Layer for Input {
    fn kind(&self) -> &'static str {
        "input"
    }

    fn arity(&self) -> RangeInclusive<usize> {
        0..=0
    }

    fn output(&self, _: &[Extent]) -> Result<Extent, String> {
        Ok(self.0)
    }

    fn forward(&self, _: &mut Plan, _: &dyn Forward) -> Result<()> {
        Ok(())
    }

    fn backward(&self, _: &mut Plan, _: &mut dyn Backward) -> Result<()> {
        Ok(())
    }

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::Input)
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Same
    }
}

/// The same numbers as one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flatten;

impl Layer for Flatten {
    fn kind(&self) -> &'static str {
        "flatten"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        Ok(Extent::vector(inputs[0].size()))
    }

    fn forward(&self, _: &mut Plan, _: &dyn Forward) -> Result<()> {
        Ok(())
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        pass.pass_on(plan, 0, pass.delta())
    }

    fn is_alias(&self, _: Mode) -> bool {
        true
    }

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::Flatten)
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Same
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    vec![Arc::new(Flatten)]
}
