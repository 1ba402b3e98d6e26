//! A network as JSON: what its steps compute, and which arrays they read.

use serde_json::{Map, Value, json};

use super::arrays::name_of;
use super::network::{Exported, Prepares, Step};
use crate::layer::{Extent, Operation};

/// The version of the description.
const VERSION: u32 = 1;

impl Exported {
    /// What the network is. Arrays are named as in [`name_of`].
    pub(super) fn description(&self) -> Value {
        let steps = self.steps.iter().enumerate();
        let prepare = match &self.prepares {
            Prepares::Pixels { mean, std } => json!({ "pixels": { "mean": mean, "std": std } }),
            Prepares::Rows(columns) => json!({ "rows": columns }),
        };
        json!({
            "format": "rootlet network",
            "version": VERSION,
            "rootlet": env!("CARGO_PKG_VERSION"),
            "model": self.name,
            "task": self.task.name(),
            "outputs": self.outputs,
            "prepare": prepare,
            "units": self.units.as_ref().map(|[scale, shift]| json!({ "scale": scale, "shift": shift })),
            "steps": steps.map(|(number, step)| described(number, step)).collect::<Vec<_>>(),
        })
    }
}

fn shape(extent: Extent) -> Value {
    json!([extent.channels, extent.height, extent.width])
}

fn described(number: usize, step: &Step) -> Value {
    let (name, more) = operation(&step.operation);
    let mut all = Map::new();
    all.insert("operation".to_owned(), json!(name));
    if !step.name.is_empty() {
        all.insert("name".to_owned(), json!(step.name));
    }
    all.insert("inputs".to_owned(), json!(step.inputs));
    all.insert("shape".to_owned(), shape(step.extent));
    if let Value::Object(more) = more {
        all.extend(more);
    }
    let mut arrays: Vec<String> = (step
        .arrays
        .iter()
        .map(|(array, _)| name_of(number, step, array)))
    .collect();
    if let Operation::Offsets(_) = step.operation {
        arrays.push(name_of(number, step, "offsets"));
    }
    if let Some(rows) = &step.connections {
        all.insert("layer".to_owned(), json!(rows.layer));
        all.insert("rows".to_owned(), json!(rows.rows()));
        all.insert("columns".to_owned(), json!(rows.columns));
        all.insert("connections".to_owned(), json!(rows.values.len()));
        all.insert("kernel".to_owned(), json!(rows.window.kernel));
        all.insert("stride".to_owned(), json!(rows.window.stride));
        all.insert("padding".to_owned(), json!(rows.window.padding));
        let bias = (!rows.bias.is_empty()).then_some("bias");
        let own = ["indptr", "indices", "data"].into_iter().chain(bias);
        arrays.extend(own.map(|array| name_of(number, step, array)));
    }
    if !arrays.is_empty() {
        all.insert("arrays".to_owned(), json!(arrays));
    }
    Value::Object(all)
}

/// The name of an operation, and its values.
fn operation(operation: &Operation) -> (&'static str, Value) {
    match operation {
        Operation::Input => ("input", Value::Null),
        Operation::Identity => ("identity", Value::Null),
        Operation::Connections { relu } => ("connections", json!({ "relu": relu })),
        Operation::BatchNorm { epsilon, relu } => {
            ("batch_norm", json!({ "epsilon": epsilon, "relu": relu }))
        }
        Operation::LayerNorm { epsilon } => ("layer_norm", json!({ "epsilon": epsilon })),
        Operation::Relu => ("relu", Value::Null),
        Operation::Gelu => ("gelu", Value::Null),
        Operation::Add => ("add", Value::Null),
        Operation::MaxPool(window) => ("max_pool", windows(window)),
        Operation::AveragePool(window) => ("average_pool", windows(window)),
        Operation::Mean => ("mean", Value::Null),
        Operation::Flatten => ("flatten", Value::Null),
        Operation::Patches { side } => ("patches", json!({ "side": side })),
        Operation::Offsets(_) => ("offsets", Value::Null),
        Operation::Attention { heads, dim } => ("attention", json!({ "heads": heads, "dim": dim })),
        Operation::Shortcut { before, stride } => {
            ("shortcut", json!({ "before": before, "stride": stride }))
        }
    }
}

fn windows(windows: &crate::layer::Windows) -> Value {
    json!({ "size": windows.size, "stride": windows.stride, "padding": windows.padding })
}
