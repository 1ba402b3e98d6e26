//! What a run that begins takes over of measurements on its adapter.

use crate::Result;
use crate::cache::Known;
use crate::data::Dataset;
use crate::engine::Device;
use crate::error::option::FUSED;
use crate::network::{NetworkOptions, step_class};
use crate::report::denser_text;
use crate::topology::from_dense::Start;
use crate::topology::{Candidates, Scope};
use crate::train::TrainConfig;

/// For a run that begins, takes over whether `rootlet tune` measured fused kernels as faster for its model on this
/// adapter. That becomes part of the configuration, and so of the checkpoints. Also notes which layers would be faster
/// densely.
pub(super) fn take_measured(
    config: &mut TrainConfig,
    known: &Known,
    data: &Dataset,
    device: &Device,
    note: &mut dyn FnMut(&str),
) -> Result<()> {
    let Known { steps, crossovers } = known;
    let asks = config.machine.fused.is_none() && !steps.is_empty();
    if !asks && crossovers.is_empty() {
        return Ok(());
    }
    let resolved = config.clone().resolve()?;
    let model = resolved.build_model(data.shape, data.classes)?;
    let counts = resolved.model.allocate(&model)?;
    let options = NetworkOptions {
        activations: resolved.machine.activations,
        dense_above: resolved.machine.dense_above,
        ..NetworkOptions::of_batch(resolved.run.batch)
    };
    let measured = steps.fused(&step_class(&model, &counts, &options));
    if let Some(fused) = measured.filter(|fused| asks && *fused != options.fuses(device)) {
        config.machine.fused = Some(fused);
        let how = if fused { "as one" } else { "apart" };
        note(&format!(
            "kernels that follow each other run {how}, which was measured as faster for this model on {}: the run has \
             {FUSED} {fused}",
            device.name()
        ));
    }
    let method = resolved.topology.build_method();
    // Otherwise layers have other numbers of connections at the start, or no dense products.
    let as_allocated = matches!(method.start(), Start::Random | Start::Chosen(_))
        && (resolved.topology.scope == Scope::Layer
            || method.growth().candidates() == Candidates::None);
    if as_allocated {
        let text = denser_text(device.name(), crossovers, &model, &counts, &options);
        text.iter().for_each(|text| note(text));
    }
    Ok(())
}
