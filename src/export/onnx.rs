//! A network as an ONNX graph that takes samples as they are, and gives probabilities or numbers.

use prost::Message;

use super::arrays::Numbers;
use super::columns::{Columns, Kind};
use super::graph::{Building, float, int, ints, value_info};
use super::network::{Exported, Prepares, Rows, Step};
use super::proto::{BOOL, DOUBLE, Entry, FLOAT, Model, OperatorSet};
use crate::data::Task;
use crate::layer::{Extent, Operation};

/// The versions of the format and of the operators: those of ONNX 1.12.
const IR_VERSION: i64 = 8;
const OPERATORS: i64 = 17;
/// A message of protocol buffers has fewer bytes than this.
const MOST: usize = i32::MAX as usize;

/// From how many bytes on the weights of a layer are written without their zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SparseForm {
    /// Bytes of the dense weights.
    pub from_bytes: u64,
}

impl Default for SparseForm {
    /// 1 MiB: smaller weights cost nothing.
    fn default() -> Self {
        Self {
            from_bytes: 1 << 20,
        }
    }
}

impl Exported {
    /// The graph: a value `input`, and `output` with probabilities or numbers; for classes and labels also `logits`.
    ///
    /// # Errors
    /// It would have 2 GiB or more: a reason.
    pub fn onnx(&self, form: SparseForm) -> Result<Vec<u8>, String> {
        let mut net = Building::default();
        net.graph.name = self.name.clone();
        let mut values = vec![self.prepared(&mut net)];
        for step in self.steps.iter().skip(1) {
            let inputs: Vec<&str> = step
                .inputs
                .iter()
                .map(|&input| values[input].as_str())
                .collect();
            let inputs: Vec<String> = inputs.into_iter().map(str::to_owned).collect();
            let value = self.step(&mut net, step, &inputs, form);
            values.push(value);
        }
        let last = values.pop().unwrap_or_default();
        self.outputs(&mut net, &last);
        let model = Model {
            ir_version: IR_VERSION,
            producer_name: "rootlet".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(net.graph),
            opset_import: vec![OperatorSet {
                domain: String::new(),
                version: OPERATORS,
            }],
            metadata_props: vec![Entry {
                key: "network".to_owned(),
                value: self.description().to_string(),
            }],
        };
        match model.encoded_len() {
            bytes if bytes < MOST => Ok(model.encode_to_vec()),
            bytes => Err(format!(
                "its graph would have {bytes} bytes, and protocol buffers have at most {MOST}"
            )),
        }
    }

    /// From the graph's input to that of the network.
    fn prepared(&self, net: &mut Building) -> String {
        match &self.prepares {
            Prepares::Pixels { mean, std } => {
                let Extent {
                    channels,
                    height,
                    width,
                } = self.input();
                let sizes = [channels, height, width];
                net.graph.input.push(value_info("input", &sizes));
                let shape = [1, mean.len(), 1, 1];
                let mean = net.constant("mean", &shape, Numbers::F32(mean.clone()));
                let std = net.constant("std", &shape, Numbers::F32(std.clone()));
                let centred = net.node("Sub", &["input", &mean], Vec::new());
                let scaled = net.node("Div", &[&centred, &std], Vec::new());
                settled(net, scaled, self.input())
            }
            Prepares::Rows(columns) => {
                net.graph
                    .input
                    .push(value_info("input", &[columns.columns.len()]));
                rows(net, columns)
            }
        }
    }

    /// Adds the operators of a step.
    fn step(&self, net: &mut Building, step: &Step, inputs: &[String], form: SparseForm) -> String {
        let from = self.from(step).first().copied().unwrap_or(step.extent);
        let to = step.extent;
        let x = inputs.first().map_or("", String::as_str);
        let relu = |net: &mut Building, value: String, follows: bool| match follows {
            true => net.node("Relu", &[&value], Vec::new()),
            false => value,
        };
        let array = |net: &mut Building, name: &str, shape: &[usize]| {
            let own = step.arrays.iter().find(|(own, _)| own == name);
            let values = own.map_or(Vec::new(), |(_, values)| values.clone());
            net.constant(name, shape, Numbers::F32(values))
        };
        match &step.operation {
            Operation::Input | Operation::Identity => x.to_owned(),
            Operation::Connections { relu: follows } => {
                let Some(rows) = &step.connections else {
                    return x.to_owned();
                };
                let product = product(net, rows, x, from, to, form);
                relu(net, product, *follows)
            }
            Operation::BatchNorm {
                epsilon,
                relu: follows,
            } => {
                let names = ["weight", "bias", "running_mean", "running_variance"];
                let own = names.map(|name| array(net, name, &[from.channels]));
                let [weight, bias, mean, variance] = own.each_ref().map(String::as_str);
                let all = [x, weight, bias, mean, variance];
                let mut value =
                    net.node("BatchNormalization", &all, vec![float("epsilon", *epsilon)]);
                if let Some(other) = inputs.get(1) {
                    value = net.node("Add", &[&value, other], Vec::new());
                }
                relu(net, value, *follows)
            }
            Operation::LayerNorm { epsilon } => {
                let shape = match from.positions() {
                    1 => vec![1, from.channels],
                    _ => vec![1, from.channels, 1, 1],
                };
                let [weight, bias] = ["weight", "bias"].map(|name| array(net, name, &shape));
                let over = || vec![ints("axes", &[1]), int("keepdims", 1)];
                let mean = net.node("ReduceMean", &[x], over());
                let centred = net.node("Sub", &[x, &mean], Vec::new());
                let squares = net.node("Mul", &[&centred, &centred], Vec::new());
                let variance = net.node("ReduceMean", &[&squares], over());
                let epsilon = net.number("epsilon", *epsilon);
                let above = net.node("Add", &[&variance, &epsilon], Vec::new());
                let deviation = net.node("Sqrt", &[&above], Vec::new());
                let normal = net.node("Div", &[&centred, &deviation], Vec::new());
                let scaled = net.node("Mul", &[&normal, &weight], Vec::new());
                net.node("Add", &[&scaled, &bias], Vec::new())
            }
            Operation::Relu => net.node("Relu", &[x], Vec::new()),
            Operation::Gelu => {
                let [root, one, half] = [("root", 0.5f32.sqrt()), ("one", 1.0), ("half", 0.5)]
                    .map(|(name, number)| net.number(name, number));
                let scaled = net.node("Mul", &[x, &root], Vec::new());
                let erf = net.node("Erf", &[&scaled], Vec::new());
                let above = net.node("Add", &[&erf, &one], Vec::new());
                let product = net.node("Mul", &[x, &above], Vec::new());
                net.node("Mul", &[&product, &half], Vec::new())
            }
            Operation::Add => {
                let both: Vec<&str> = inputs.iter().map(String::as_str).collect();
                net.node("Add", &both, Vec::new())
            }
            Operation::MaxPool(windows) => {
                let x = planes(net, x, from);
                let pooled = net.node("MaxPool", &[&x], pooling(windows));
                settled(net, pooled, to)
            }
            Operation::AveragePool(windows) => {
                let x = planes(net, x, from);
                let mut attributes = pooling(windows);
                attributes.push(int("count_include_pad", 1));
                let pooled = net.node("AveragePool", &[&x], attributes);
                settled(net, pooled, to)
            }
            Operation::Mean => match from.positions() {
                1 => x.to_owned(),
                _ => net.node(
                    "ReduceMean",
                    &[x],
                    vec![ints("axes", &[2, 3]), int("keepdims", 0)],
                ),
            },
            Operation::Flatten => net.node("Flatten", &[x], vec![int("axis", 1)]),
            Operation::Patches { side } => {
                let x = planes(net, x, from);
                let (height, width) = (from.height / side, from.width / side);
                let cut = [from.channels, height, *side, width, *side];
                let cut = reshaped(net, &x, &cut);
                let turned = net.node(
                    "Transpose",
                    &[&cut],
                    vec![ints("perm", &[0, 3, 5, 1, 2, 4])],
                );
                match to.positions() {
                    1 => reshaped(net, &turned, &[to.channels]),
                    _ => reshaped(net, &turned, &[to.channels, height, width]),
                }
            }
            Operation::Offsets(offsets) => {
                let shape = match to.positions() {
                    1 => vec![1, to.channels],
                    _ => vec![1, to.channels, to.height, to.width],
                };
                let offsets = net.constant("offsets", &shape, Numbers::F32(offsets.clone()));
                net.node("Add", &[x, &offsets], Vec::new())
            }
            Operation::Attention { heads, dim } => attention(net, x, [*heads, *dim], to),
            Operation::Shortcut { before, stride } => {
                let x = planes(net, x, from);
                let ends = [from.height as i64, from.width as i64];
                let (starts, ends) = (net.list("starts", &[0, 0]), net.list("ends", &ends));
                let (axes, steps) = (
                    net.list("axes", &[2, 3]),
                    net.list("steps", &[*stride as i64; 2]),
                );
                let taken = net.node("Slice", &[&x, &starts, &ends, &axes, &steps], Vec::new());
                let after = to.channels.saturating_sub(from.channels + before);
                let pads = [0, *before as i64, 0, 0, 0, after as i64, 0, 0];
                let pads = net.list("pads", &pads);
                let padded = net.node("Pad", &[&taken, &pads], Vec::new());
                settled(net, padded, to)
            }
        }
    }

    /// From the network's last value to what the graph gives.
    fn outputs(&self, net: &mut Building, last: &str) {
        let width = [self.width()];
        net.graph.output.push(value_info("output", &width));
        match (self.task, &self.units) {
            (Task::Classification | Task::MultiLabel, _) => {
                net.graph.output.push(value_info("logits", &width));
                net.named("logits", "Identity", &[last], Vec::new());
                match self.task {
                    Task::Classification => {
                        net.named("output", "Softmax", &["logits"], vec![int("axis", 1)]);
                    }
                    _ => net.named("output", "Sigmoid", &["logits"], Vec::new()),
                }
            }
            (Task::Regression, None) => net.named("output", "Identity", &[last], Vec::new()),
            (Task::Regression, Some([scale, shift])) => {
                let scale = net.constant("scale", &[scale.len()], Numbers::F64(scale.clone()));
                let shift = net.constant("shift", &[shift.len()], Numbers::F64(shift.clone()));
                let wide = cast(net, last, DOUBLE);
                let scaled = net.node("Mul", &[&wide, &scale], Vec::new());
                let shifted = net.node("Add", &[&scaled, &shift], Vec::new());
                net.named("output", "Cast", &[&shifted], vec![int("to", FLOAT.into())]);
            }
        }
    }
}

/// Rows of a table as inputs.
fn rows(net: &mut Building, columns: &Columns) -> String {
    let source: Vec<i64> = columns.source.iter().map(|&column| column as i64).collect();
    let inputs = source.len();
    let source = net.list("source", &source);
    let mut numbers =
        |name: &str, numbers: &[f64]| net.constant(name, &[inputs], Numbers::F64(numbers.to_vec()));
    let fill = numbers("fill", &columns.fill);
    let first = numbers("first", &columns.first);
    let second = numbers("second", &columns.second);
    let is_number = numbers("number", &columns.mask(Kind::Number));
    let is_category = numbers("category", &columns.mask(Kind::Category));
    let wide = cast(net, "input", DOUBLE);
    let x = net.node("Gather", &[&wide, &source], vec![int("axis", 1)]);
    let missing = net.node("IsNaN", &[&x], Vec::new());
    let x = net.node("Where", &[&missing, &fill, &x], Vec::new());
    let centred = net.node("Sub", &[&x, &first], Vec::new());
    let scaled = net.node("Div", &[&centred, &second], Vec::new());
    let is_own = net.node("Equal", &[&x, &first], Vec::new());
    let [own, missing] = [is_own, missing].map(|flags| cast(net, &flags, DOUBLE));
    let [is_number, is_category] = [is_number, is_category].map(|mask| cast(net, &mask, BOOL));
    let flags = net.node("Where", &[&is_category, &own, &missing], Vec::new());
    let all = net.node("Where", &[&is_number, &scaled, &flags], Vec::new());
    cast(net, &all, FLOAT)
}

fn cast(net: &mut Building, value: &str, to: i32) -> String {
    net.node("Cast", &[value], vec![int("to", to.into())])
}

/// A value of samples with these sizes each.
fn reshaped(net: &mut Building, value: &str, sizes: &[usize]) -> String {
    let sizes = sizes.iter().map(|&size| size as i64);
    let shape: Vec<i64> = std::iter::once(0).chain(sizes).collect();
    let shape = net.list("shape", &shape);
    net.node("Reshape", &[value, &shape], Vec::new())
}

/// A value as planes; one with a single position is a vector otherwise.
fn planes(net: &mut Building, value: &str, extent: Extent) -> String {
    match extent.positions() {
        1 => reshaped(net, value, &[extent.channels, 1, 1]),
        _ => value.to_owned(),
    }
}

/// Planes as the value of a step.
fn settled(net: &mut Building, planes: String, extent: Extent) -> String {
    match extent.positions() {
        1 => reshaped(net, &planes, &[extent.channels]),
        _ => planes,
    }
}

/// The products of a sparse layer, with its biases.
fn product(
    net: &mut Building,
    rows: &Rows,
    x: &str,
    from: Extent,
    to: Extent,
    form: SparseForm,
) -> String {
    let bytes = (rows.rows() as u64)
        .saturating_mul(rows.columns as u64)
        .saturating_mul(4);
    let dense_bytes = rows.values.len() as u64 * 12;
    // An index and a value take 12 bytes.
    let sparse = bytes >= form.from_bytes && dense_bytes < bytes;
    let bias = (!rows.bias.is_empty())
        .then(|| net.constant("bias", &[rows.rows()], Numbers::F32(rows.bias.clone())));
    if rows.window.is_pointwise() && from.positions() == 1 {
        let weights = net.weights(rows, &[rows.rows(), rows.columns], sparse);
        let inputs = [x, &weights].into_iter().chain(bias.as_deref());
        let inputs: Vec<&str> = inputs.collect();
        return net.node("Gemm", &inputs, vec![int("transB", 1)]);
    }
    let ([ky, kx], [sy, sx], [py, px]) =
        (rows.window.kernel, rows.window.stride, rows.window.padding);
    let shape = [rows.rows(), from.channels, ky, kx];
    let weights = net.weights(rows, &shape, sparse);
    let x = planes(net, x, from);
    let inputs = [x.as_str(), &weights].into_iter().chain(bias.as_deref());
    let inputs: Vec<&str> = inputs.collect();
    let attributes = vec![
        ints("kernel_shape", &[ky, kx]),
        ints("strides", &[sy, sx]),
        ints("pads", &[py, px, py, px]),
    ];
    let product = net.node("Conv", &inputs, attributes);
    settled(net, product, to)
}

/// The attributes of a pool.
fn pooling(windows: &crate::layer::Windows) -> Vec<super::proto::Attribute> {
    vec![
        ints("kernel_shape", &[windows.size; 2]),
        ints("strides", &[windows.stride; 2]),
        ints("pads", &[windows.padding; 4]),
    ]
}

fn attention(net: &mut Building, x: &str, [heads, dim]: [usize; 2], to: Extent) -> String {
    let all = reshaped(net, x, &[3, heads, dim, to.positions()]);
    let [queries, keys, values] = [0, 1, 2].map(|which| {
        let which = net.constant("which", &[], Numbers::I64(vec![which]));
        net.node("Gather", &[&all, &which], vec![int("axis", 1)])
    });
    let turned = |net: &mut Building, value: &str| {
        net.node("Transpose", &[value], vec![ints("perm", &[0, 1, 3, 2])])
    };
    let queries = turned(net, &queries);
    let scores = net.node("MatMul", &[&queries, &keys], Vec::new());
    let scale = net.number("scale", (1.0 / (dim as f64).sqrt()) as f32);
    let scaled = net.node("Mul", &[&scores, &scale], Vec::new());
    let shares = net.node("Softmax", &[&scaled], vec![int("axis", 3)]);
    let shares = turned(net, &shares);
    let mixed = net.node("MatMul", &[&values, &shares], Vec::new());
    match to.positions() {
        1 => reshaped(net, &mixed, &[to.channels]),
        _ => reshaped(net, &mixed, &[to.channels, to.height, to.width]),
    }
}
