//! The sums of residual connections.

use std::any::Any;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::add::AddForward;
use super::definition::{Layer, Linear};
use super::extent::Extent;
use super::norm::LayerNorm;
use super::operation::Operation;
use super::pass::{Backward, Forward};
use crate::engine::Plan;
use crate::error::Result;

/// Sum of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Add;

/// The size of two values that are added, or of a single one.
pub(super) fn alike(inputs: &[Extent]) -> Result<Extent, String> {
    match inputs {
        [a, b] if a != b => Err(format!("it adds {b} to {a}")),
        _ => Ok(inputs[0]),
    }
}

impl Layer for Add {
    fn kind(&self) -> &'static str {
        "add"
    }

    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        alike(inputs)
    }

    fn joins(&self, next: &dyn Layer) -> bool {
        let next: &dyn Any = next;
        next.is::<LayerNorm>()
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        if let Some(next) = pass.next() {
            let terms = [pass.input(0)?, pass.input(1)?];
            return LayerNorm.forward_of_sum(plan, terms, pass.output(), next);
        }
        let words = pass.extent().size() * pass.lanes();
        AddForward::record(plan, pass.input(0)?, pass.input(1)?, pass.output(), words)
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        (0..2).try_for_each(|i| pass.pass_on(plan, i, pass.delta()))
    }

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::Add)
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Same
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    vec![Arc::new(Add)]
}
