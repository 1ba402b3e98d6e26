//! `rootlet model`.

use std::collections::BTreeMap;

use clap::Args;
use rootlet::command::tuned;
use rootlet::error::Fault;
use rootlet::model::{MODELS, Model, ModelCount};
use rootlet::network::NetworkOptions;
use rootlet::report::{count_text, denser_text, memory_text};
use rootlet::train::config::{real, whole};
use rootlet::{Error, Result};
use serde::Serialize;

use super::model_flags::ModelFlags;
use super::{checks, output};

const EXAMPLES: &str = "\
Examples:
  rootlet model resnet56 --sparsity 0.98
      Layers, active connections, parameters and floating-point operations of a ResNet-56 with 2 % of its connections.
  rootlet model resnet20 --width 4 --connections 5400
      Four times as wide at the connections of a narrow one: wider and sparser.
  rootlet model resnet56 --sparsity 0.98 --batch 128
      The memory, too, that a training takes.
  rootlet model resnet50 --sparsity 0.9 --json
      The same as one JSON object.
  rootlet model
      The names of all models.";

/// Shows a model's layers, parameters and cost
///
/// Shows what a model has and costs at a sparsity: the connections of each layer, the trained parameters, and the
/// floating-point operations as Evci et al. 2020 count them (forward f, backward 2 f); with --batch, the bytes that a
/// training holds, and a note about layers that `rootlet tune` found to be faster densely. Nothing is allocated or
/// trained.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ModelArgs {
    /// Name of the model; without it, all names are listed
    name: Option<String>,
    /// Share of all possible connections that are left out [default: 0.9]
    #[arg(
        long,
        value_name = "SHARE",
        requires = "name",
        allow_negative_numbers = true,
        value_parser = real
    )]
    sparsity: Option<f64>,
    /// Number of connections, instead of --sparsity
    #[arg(
        long,
        value_name = "N",
        requires = "name",
        conflicts_with = "sparsity",
        allow_negative_numbers = true,
        value_parser = whole::<u64>
    )]
    connections: Option<u64>,
    #[command(flatten)]
    model: ModelFlags,
    /// Batch size, to show also the memory that a training with such batches takes
    #[arg(long, value_name = "N", requires = "name", allow_negative_numbers = true, value_parser = whole::<usize>)]
    batch: Option<usize>,
    /// Print one JSON object
    #[arg(long, requires = "name", conflicts_with = "gamma")]
    json: bool,
}

/// Shows a model.
pub fn run(args: &ModelArgs) -> Result<()> {
    let text = match &args.name {
        None => match args.model.typed() {
            Some(flag) => return Err(checks::no_effect(flag, "no model is named: give its NAME")),
            None => MODELS.join("\n"),
        },
        Some(name) => describe(args, name)?,
    };
    output::print(&(text + "\n"))
}

/// The output for programs.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    count: &'a ModelCount,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<usize>,
    /// Bytes of each class.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    memory: BTreeMap<String, u64>,
}

fn describe(args: &ModelArgs, name: &str) -> Result<String> {
    let mut config = args.model.config(name);
    if let Some(sparsity) = args.sparsity {
        config.model.sparsity = sparsity;
    }
    config.model.connections = args.connections.filter(|&n| n > 0);
    let model = args.model.build(&config)?;
    let counts = config.model.allocate(&model)?;
    let count = ModelCount::new(&model, &counts);
    let memory = match args.batch {
        None => Vec::new(),
        Some(batch) => {
            config.run.batch = batch;
            note_denser(&model, &counts, batch);
            config.memory(args.model.image_shape(name)?, model.classes())?
        }
    };
    if !args.json {
        let text = count_text(&model, &count, config.topology.gamma);
        return Ok(match memory_text(&memory) {
            None => text,
            Some(memory) => format!(
                "{text}\nmemory          {memory}, to train by batches of {}",
                config.run.batch
            ),
        });
    }
    let json = Json {
        count: &count,
        batch: args.batch,
        memory: memory.into_iter().collect(),
    };
    serde_json::to_string(&json).map_err(|e| {
        Error::Device(Fault::Written {
            what: "the model",
            form: "JSON",
            why: e.to_string(),
        })
    })
}

/// Notes which layers would be faster densely, as `rootlet tune` measured on the adapters here.
fn note_denser(model: &Model, counts: &[u64], batch: usize) {
    let options = NetworkOptions::of_batch(batch);
    for (adapter, crossovers) in tuned::crossovers_by_adapter(&mut output::note) {
        let text = denser_text(&adapter, &crossovers, model, counts, &options);
        text.iter().for_each(|text| output::note(text));
    }
}
