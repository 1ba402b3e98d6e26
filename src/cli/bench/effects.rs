//! Flags of `rootlet bench` that would have no effect.

use rootlet::Result;
use rootlet::bench::{BenchOptions, Part};

use super::super::checks;
use super::BenchArgs;

impl BenchArgs {
    /// Refuses flags that would have no effect on the measurement: whoever types a flag expects it to do something.
    pub(super) fn check_effects(&self, options: &BenchOptions) -> Result<()> {
        let any = |parts: &[Part]| parts.iter().any(|part| options.parts.contains(part));
        let products = any(&Part::PRODUCTS);
        let sparse = any(&[Part::Spmm, Part::SpmmTransposed, Part::Sddmm]);
        let crossover = any(&[Part::Crossover]);
        let steps = any(&[Part::Step]);
        let models = any(&[Part::Model]);
        let scaling = any(&[Part::Scaling]);
        let rules = [
            (
                "matrix",
                !self.matrix.is_empty(),
                sparse,
                "it is for the sparse products",
            ),
            (
                "sizes",
                !self.sizes.is_empty(),
                products || (steps && self.hidden.is_empty()),
                "it is for the products, and for the part step without --hidden",
            ),
            (
                "sparsities",
                !self.sparsities.is_empty(),
                sparse && !options.sizes.is_empty(),
                "it is for the sparse products at --sizes",
            ),
            (
                "hidden",
                !self.hidden.is_empty(),
                steps,
                "it is for the part step",
            ),
            (
                "step-sparsity",
                self.step_sparsity.is_some(),
                steps || models,
                "it is for the parts step and model",
            ),
            (
                "activations",
                self.activations.is_half(),
                products || steps || models || scaling,
                "it is for products and steps",
            ),
            (
                "checkpoint-activations",
                self.checkpoint_activations,
                models,
                "it is for the part model",
            ),
            (
                "scaling",
                self.scaling,
                self.names_parts(),
                "without --only, --models or --matrix everything is measured",
            ),
            (
                "scaling-sizes",
                !self.scaling_sizes.is_empty(),
                scaling,
                "it is for the part scaling",
            ),
            (
                "batch",
                self.batch.is_some(),
                products || crossover || steps || models || scaling,
                "the ceilings alone have no batch",
            ),
            (
                "limit",
                self.limit.is_some(),
                products || crossover || steps || models || scaling,
                "the ceilings alone have no smaller cases",
            ),
        ];
        for (flag, given, has_effect, why) in rules {
            if given && !has_effect {
                return Err(checks::no_effect(flag, why));
            }
        }
        self.device.check_threads()
    }
}
