//! The forward product of a convolution with the statistics of its value, by the kernel that suits its input.

use super::arena::Arena;
use super::conv_statistics::{ConvStatistics, ConvStatisticsParams};
use super::conv_statistics_normal::{ConvStatisticsNormal, ConvStatisticsNormalParams};
use super::pair_gradients::Normalised;
use crate::engine::{Plan, View};
use crate::error::Result;

/// The input of a convolution.
pub enum ConvInput {
    /// Its input.
    Value(View),
    /// What its input, which was left out, is the norm of.
    NormOf(Normalised),
}

/// A convolution before a batch norm, and its inputs and outputs besides the arena.
pub struct ConvBeforeNorm {
    /// Its sizes.
    pub params: ConvStatisticsParams,
    /// Its input.
    pub input: ConvInput,
    /// The uniform that says which lanes hold samples.
    pub step: View,
    /// Its value.
    pub output: View,
    /// [`ConvStatisticsParams::words`] words for the statistics.
    pub parts: View,
}

impl ConvBeforeNorm {
    /// Records it with the arena's connections.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn record(self, plan: &mut Plan, arena: &Arena) -> Result<()> {
        let ConvBeforeNorm {
            params,
            input,
            step,
            output,
            parts,
        } = self;
        let row_offsets = arena.row_offsets.all();
        let (cols, bias) = (arena.cols.all(), arena.bias.all());
        let weights = arena.product_weights();
        match input {
            ConvInput::Value(input) => plan.dispatch(
                ConvStatistics {
                    params,
                    step,
                    row_offsets,
                    cols,
                    weights,
                    bias,
                    input,
                    output,
                    parts,
                },
                params.grid(),
            ),
            ConvInput::NormOf(norm) => plan.dispatch(
                ConvStatisticsNormal {
                    params: ConvStatisticsNormalParams::new(params, norm.relu),
                    step,
                    row_offsets,
                    cols,
                    weights,
                    bias,
                    input: norm.input,
                    saved: norm.saved,
                    output,
                    parts,
                },
                params.grid(),
            ),
        }
    }
}
