//! `rootlet tune`.

use std::fmt::Write;

use clap::Args;
use rootlet::command::tuned;
use rootlet::engine::tune::{Tune, Tuned};
use rootlet::engine::{Device, DeviceOptions, Precision};
use rootlet::error::Fault;
use rootlet::network::{LayerCrossover, NetworkOptions, StepTuned};
use rootlet::train::config::{real, whole};
use rootlet::{Error, Result, network};
use serde_json::json;

use super::device_args::DeviceArgs;
use super::model_flags::ModelFlags;
use super::{output, tune_layers};

const EXAMPLES: &str = "\
Examples:
  rootlet tune resnet56 --sparsity 0.98
      Measure what the training of a ResNet-56 in batches of 128 will run, on the GPU that it would take.
  rootlet tune mlp --hidden 4096,4096 --batch 32 --adapter llvmpipe
      A perceptron in small batches, on another adapter.";

/// Finds out how a model's kernels run fastest
///
/// The products of sparse layers can run in workgroups of several shapes, with the same bits. This command measures
/// them on an adapter at the sizes that a model has. It compares the bits of a faster shape with those of the usual
/// one, and keeps the choice in the user's cache, by adapter and driver. Whatever other work on the machine disturbs is
/// measured again, up to three times, and then chooses nothing. A training on hardware does the same by itself when it
/// meets new sizes; `rootlet train --tune off` takes the usual shapes.
///
/// It also measures a training step with successive kernels run as one, and run separately. The two give different
/// sums, so a run makes this choice when it begins and keeps it as --fused, even if it goes on on another adapter.
///
/// For each size of the model's layers, it then compares the sparse products with dense ones, at two or three
/// densities, and says below which sparsity dense products are faster. `rootlet train` and `rootlet model` tell which
/// layers are denser than that; --dense-above computes them densely.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct TuneArgs {
    /// Name of the model
    name: String,
    /// Share of all possible connections that are left out [default: 0.9]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, value_parser = real)]
    sparsity: Option<f64>,
    /// Images in a batch [default: 128]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<usize>)]
    batch: Option<usize>,
    /// How activations are stored [default: f32]
    #[arg(long, value_name = "NAME")]
    activations: Option<Precision>,
    #[command(flatten)]
    model: ModelFlags,
    #[command(flatten)]
    device: DeviceArgs,
    /// Choose even by times that other work on the machine disturbed
    #[arg(long)]
    keep_doubtful: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Measures, and keeps the choices.
pub fn run(args: &TuneArgs) -> Result<()> {
    args.device.check_threads()?;
    let mut config = args.model.config(&args.name);
    if let Some(sparsity) = args.sparsity {
        config.model.sparsity = sparsity;
    }
    if let Some(batch) = args.batch {
        config.run.batch = batch;
    }
    let model = args.model.build(&config)?;
    let counts = config.model.allocate(&model)?;
    let options = DeviceOptions {
        tune: Tune::On,
        keep_doubtful: args.keep_doubtful,
        ..DeviceOptions::default()
    };
    let device = Device::open(&args.device.adapter, &options)?;
    device.warning().into_iter().for_each(output::note);
    let options = NetworkOptions {
        activations: args.activations.unwrap_or(Precision::F32),
        ..NetworkOptions::of_batch(config.run.batch)
    };
    let mut measured = network::tune(&device, &model, &counts, &options)?;
    let step = network::tune_step(&device, &model, &counts, &options)?;
    let layers = network::crossovers(&device, &model, &counts, &options)?;
    // The kernels of the other way to run a step, and of other densities.
    measured.extend(device.measured());
    let text = match args.json {
        true => json(&device, &measured, step.as_ref(), &layers)?,
        false => {
            let text = table(&device, &measured, step.as_ref());
            text + &tune_layers::table(&layers)
        }
    };
    output::print(&text)?;
    if measured.is_empty() {
        output::note(&format!(
            "no product of {} is large enough for its workgroups to matter in batches of {}",
            args.name, config.run.batch
        ));
    }
    tuned::keep(&device, measured, &mut output::note);
    if let Some(step) = step.filter(|step| step.doubt.is_none()) {
        tuned::keep_step(&device, &step.class, step.fused, &mut output::note);
    }
    let trusted = layers.into_iter().filter(|layer| layer.doubt.is_none());
    let crossovers = trusted.filter_map(|layer| Some((layer.class, layer.together?.crossover)));
    tuned::keep_crossovers(&device, crossovers.collect(), &mut output::note);
    Ok(())
}

fn table(device: &Device, measured: &[Tuned], step: Option<&StepTuned>) -> String {
    let mut text = format!("{}\n", device.description());
    for tuned in measured {
        let times = tuned
            .seconds
            .iter()
            .map(|(shape, seconds)| format!("{} {:.1} µs", shape.name(), seconds * 1e6));
        let times: Vec<String> = times.collect();
        let verdict = match &tuned.doubt {
            Some(doubt) => format!("not chosen: {doubt}"),
            None => format!("{}: {:.2} times as fast", tuned.chosen.name(), tuned.gain()),
        };
        // Appending to a text cannot fail.
        let _ = writeln!(text, "{}\n  {verdict} ({})", tuned.class, times.join(", "));
    }
    if let Some(step) = step {
        let verdict = match (&step.doubt, step.fused) {
            (Some(doubt), _) => format!("not chosen: {doubt}"),
            (None, true) => "kernels that follow each other run as one".to_owned(),
            (None, false) => "kernels that follow each other run apart".to_owned(),
        };
        let _ = writeln!(
            text,
            "a step of {}\n  {verdict} (as one {:.3} ms, apart {:.3} ms)",
            step.class,
            step.fused_seconds * 1e3,
            step.apart_seconds * 1e3
        );
    }
    text
}

fn json(
    device: &Device,
    measured: &[Tuned],
    step: Option<&StepTuned>,
    layers: &[LayerCrossover],
) -> Result<String> {
    let sizes: Vec<_> = measured
        .iter()
        .map(|tuned| {
            let seconds: serde_json::Map<_, _> = (tuned.seconds.iter())
                .map(|(shape, seconds)| (shape.name(), json!(seconds)))
                .collect();
            json!({
                "class": tuned.class, "chosen": tuned.chosen.name(), "gain": tuned.gain(), "seconds": seconds,
                "doubt": tuned.doubt, "wrong": tuned.wrong.iter().map(|shape| shape.name()).collect::<Vec<_>>(),
            })
        })
        .collect();
    let step = step.map(|step| {
        json!({
            "class": step.class, "fused": step.fused, "fused_seconds": step.fused_seconds,
            "apart_seconds": step.apart_seconds, "doubt": step.doubt,
        })
    });
    let layers: Vec<_> = layers.iter().map(tune_layers::json).collect();
    let result =
        json!({"adapter": device.description(), "sizes": sizes, "step": step, "layers": layers});
    serde_json::to_string(&result)
        .map(|text| text + "\n")
        .map_err(|e| {
            Error::Device(Fault::Written {
                what: "the result",
                form: "JSON",
                why: e.to_string(),
            })
        })
}
