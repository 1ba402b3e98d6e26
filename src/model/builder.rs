//! Builds a model layer by layer.

use std::sync::Arc;

use super::node::{Model, Node};
use crate::error::{Error, Result};
use crate::layer::{
    Add, Attention, AveragePool, BatchNorm, Dropout, Extent, Flatten, Gelu, GlobalAverage, Input,
    Layer, LayerNorm, MaxPool, Patchify, Positions, Relu, Shortcut, Sparse, Windows,
};

/// The value that a layer makes, to be given to the layers that take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value(usize);

/// A model under construction. Every method adds one layer after the values that it is given, and returns the new
/// value.
///
/// ```
/// use rootlet::model::{Builder, Extent};
/// let mut net = Builder::new("tiny", Extent { channels: 3, height: 32, width: 32 });
/// let x = net.input();
/// let x = net.conv("conv", x, 16, 3, 1, 1)?;
/// let x = net.batch_norm_relu("norm", x);
/// let x = net.mean(x);
/// let logits = net.linear("classifier", x, 10);
/// let model = net.finish(logits)?;
/// assert_eq!(model.shapes().len(), 2);
/// # Ok::<(), rootlet::Error>(())
/// ```
///
/// Errors say which layer does not fit its inputs. Methods that cannot return an error leave it to [`Builder::finish`].
pub struct Builder {
    name: String,
    nodes: Vec<Node>,
    /// The first layer that did not fit, among those whose methods return no error: [`Builder::finish`] returns it.
    wrong: Option<Error>,
}

/// Most numbers in a value of one sample: positions and rows are counted in 32 bits.
const LARGEST: usize = u32::MAX as usize;

impl Builder {
    /// Starts a model over images (or vectors) of this size.
    pub fn new(name: &str, input: Extent) -> Self {
        Builder {
            name: name.to_owned(),
            nodes: vec![Node {
                name: "input".to_owned(),
                layer: Arc::new(Input(input)),
                inputs: Vec::new(),
                extent: input,
            }],
            wrong: None,
        }
    }

    /// The batch.
    pub fn input(&self) -> Value {
        Value(0)
    }

    /// Size of a value; for a value of another builder, the size of the input.
    pub fn extent(&self, x: Value) -> Extent {
        self.nodes.get(x.0).unwrap_or(&self.nodes[0]).extent
    }

    fn misfit(&self, layer: &str, reason: impl std::fmt::Display) -> Error {
        Error::Model {
            model: self.name.clone(),
            why: format!(
                "does not fit images of {}: {layer}: {reason}",
                self.nodes[0].extent
            ),
        }
    }

    /// Adds any layer, including one of your own, after the values that it takes. The name appears in tables and
    /// messages; it may be empty if the layer has no parameters.
    ///
    /// # Errors
    /// The layer does not take these values.
    pub fn layer(&mut self, name: &str, layer: impl Layer, inputs: &[Value]) -> Result<Value> {
        self.shared(name, Arc::new(layer), inputs)
    }

    /// Like [`Builder::layer`], for layers that take nearly everything: an error is reported at the end.
    fn later(&mut self, name: &str, layer: impl Layer, inputs: &[Value]) -> Value {
        self.layer(name, layer, inputs).unwrap_or_else(|error| {
            self.wrong.get_or_insert(error);
            self.input()
        })
    }

    /// Like [`Builder::layer`], for a layer whose type only its maker knows.
    pub(crate) fn shared(
        &mut self,
        name: &str,
        layer: Arc<dyn Layer>,
        inputs: &[Value],
    ) -> Result<Value> {
        let called = if name.is_empty() { layer.kind() } else { name };
        let wrong = |reason: String| self.misfit(called, reason);
        let arity = layer.arity();
        if !arity.contains(&inputs.len()) {
            let (least, most) = (arity.start(), arity.end());
            return Err(wrong(format!(
                "it takes {least} to {most} values, not {}",
                inputs.len()
            )));
        }
        if inputs.iter().any(|x| x.0 >= self.nodes.len()) {
            return Err(wrong("it takes a value of another model".into()));
        }
        let from: Vec<Extent> = inputs.iter().map(|&x| self.extent(x)).collect();
        let extent = layer.output(&from).map_err(wrong)?;
        sized(extent).map_err(|reason| self.misfit(called, reason))?;
        self.nodes.push(Node {
            name: name.to_owned(),
            layer,
            inputs: inputs.iter().map(|v| v.0).collect(),
            extent,
        });
        Ok(Value(self.nodes.len() - 1))
    }

    /// A sparse convolution without biases, with square kernel, stride and padding.
    ///
    /// # Errors
    /// The kernel does not fit the plane.
    pub fn conv(
        &mut self,
        name: &str,
        x: Value,
        channels: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    ) -> Result<Value> {
        let layer = Sparse::convolution(channels, kernel, stride, padding);
        self.layer(name, layer, &[x])
    }

    /// A sparse linear layer with biases, at every position.
    pub fn linear(&mut self, name: &str, x: Value, units: usize) -> Value {
        self.later(name, Sparse::linear(units), &[x])
    }

    /// The same without biases.
    pub fn linear_without_bias(&mut self, name: &str, x: Value, units: usize) -> Value {
        self.later(name, Sparse::convolution(units, 1, 1, 0), &[x])
    }

    /// The same with biases, and a ReLU fused after it.
    pub fn linear_relu(&mut self, name: &str, x: Value, units: usize) -> Value {
        let relu = true;
        self.later(
            name,
            Sparse {
                relu,
                ..Sparse::linear(units)
            },
            &[x],
        )
    }

    /// Batch norm.
    pub fn batch_norm(&mut self, name: &str, x: Value) -> Value {
        self.later(name, BatchNorm { relu: false }, &[x])
    }

    /// ReLU of the batch norm.
    pub fn batch_norm_relu(&mut self, name: &str, x: Value) -> Value {
        self.later(name, BatchNorm { relu: true }, &[x])
    }

    /// ReLU of the batch norm of `x` plus `residual`.
    ///
    /// # Errors
    /// The values have different sizes.
    pub fn batch_norm_add_relu(&mut self, name: &str, x: Value, residual: Value) -> Result<Value> {
        self.layer(name, BatchNorm { relu: true }, &[x, residual])
    }

    /// Layer norm over the channels of each position.
    pub fn layer_norm(&mut self, name: &str, x: Value) -> Value {
        self.later(name, LayerNorm, &[x])
    }

    /// ReLU.
    pub fn relu(&mut self, x: Value) -> Value {
        self.later("", Relu, &[x])
    }

    /// GELU (Hendrycks and Gimpel 2016), the exact form.
    pub fn gelu(&mut self, x: Value) -> Value {
        self.later("", Gelu, &[x])
    }

    /// Sum of two values.
    ///
    /// # Errors
    /// The values have different sizes.
    pub fn add(&mut self, a: Value, b: Value) -> Result<Value> {
        self.layer("", Add, &[a, b])
    }

    /// Option A of He et al. 2016: every `stride`-th position in each direction, zeros in the new channels, no
    /// parameters.
    ///
    /// # Errors
    /// There are fewer channels than before.
    pub fn shortcut(&mut self, x: Value, channels: usize, stride: usize) -> Result<Value> {
        self.layer("", Shortcut { channels, stride }, &[x])
    }

    /// Maximum over square windows.
    ///
    /// # Errors
    /// The window does not fit the plane.
    pub fn max_pool(
        &mut self,
        x: Value,
        size: usize,
        stride: usize,
        padding: usize,
    ) -> Result<Value> {
        let windows = Windows {
            size,
            stride,
            padding,
        };
        self.layer("", MaxPool(windows), &[x])
    }

    /// Mean over square windows, including the padding.
    ///
    /// # Errors
    /// The window does not fit the plane.
    pub fn average_pool(
        &mut self,
        x: Value,
        size: usize,
        stride: usize,
        padding: usize,
    ) -> Result<Value> {
        let windows = Windows {
            size,
            stride,
            padding,
        };
        self.layer("", AveragePool(windows), &[x])
    }

    /// Mean over all positions, or tokens.
    pub fn mean(&mut self, x: Value) -> Value {
        self.later("", GlobalAverage, &[x])
    }

    /// All channels and positions as one vector.
    pub fn flatten(&mut self, x: Value) -> Value {
        self.later("", Flatten, &[x])
    }

    /// Dropout of this share.
    ///
    /// # Errors
    /// The share is outside `[0, 1)`.
    pub fn dropout(&mut self, x: Value, share: f32) -> Result<Value> {
        self.layer("", Dropout { share }, &[x])
    }

    /// Square patches as tokens: features in the order row, column, channel.
    ///
    /// # Errors
    /// The patches do not divide the plane.
    pub fn patchify(&mut self, x: Value, size: usize) -> Result<Value> {
        self.layer("", Patchify { size }, &[x])
    }

    /// Adds fixed 2-D sine and cosine positions (Beyer, Zhai and Kolesnikov 2022).
    ///
    /// # Errors
    /// The number of features is not a multiple of 4, or is only 4.
    pub fn positions(&mut self, x: Value) -> Result<Value> {
        self.layer("", Positions, &[x])
    }

    /// Multi-head self-attention over tokens whose features are queries, keys and values, each of `heads` × `dim`.
    ///
    /// # Errors
    /// The number of features differs.
    pub fn attention(&mut self, qkv: Value, heads: usize, dim: usize) -> Result<Value> {
        self.layer("", Attention { heads, dim }, &[qkv])
    }

    /// The model that ends with `logits`.
    ///
    /// # Errors
    /// The logits are not the last value or not one vector, a value is never used, or there is no sparse layer at all.
    pub fn finish(mut self, logits: Value) -> Result<Model> {
        if let Some(error) = self.wrong.take() {
            return Err(error);
        }
        let last = self.nodes.len() - 1;
        if logits.0 != last || self.extent(logits).positions() != 1 {
            return Err(self.misfit(
                "logits",
                format!(
                    "they must be the last value, and one vector, not {}",
                    self.extent(logits)
                ),
            ));
        }
        sized(self.nodes[0].extent).map_err(|reason| self.misfit("input", reason))?;
        let model = Model {
            name: self.name.clone(),
            nodes: self.nodes.clone(),
        };
        let consumers = model.consumers();
        if let Some(n) = (0..last).find(|&n| consumers[n].is_empty()) {
            let node = &model.nodes[n];
            let called = match node.name.is_empty() {
                true => format!("{} (layer {n})", node.layer.kind()),
                false => node.name.clone(),
            };
            return Err(self.misfit(&called, "nothing takes its value"));
        }
        match model.shapes().is_empty() {
            true => Err(self.misfit("logits", "a model needs sparse layers of at least one unit")),
            false => Ok(model),
        }
    }
}

/// Refuses a value that is empty, or too large to count in 32 bits.
fn sized(extent: Extent) -> Result<(), String> {
    match extent.size() {
        size if size > 0 && size < LARGEST => Ok(()),
        _ => Err(format!(
            "a value of {extent}: it needs at least one number, and fewer than 2^32"
        )),
    }
}
