//! Writes a model down, layer by layer.

use super::node::{Extent, Model, Node, Op};
use crate::error::{Error, Result};
use crate::sparse::Window;

/// What a layer makes: to be handed to the layers that take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value(usize);

/// A model being written. Every method adds one layer behind the values it is given and returns the new value.
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
/// Errors say which layer does not fit what it is given.
pub struct Builder {
    name: String,
    nodes: Vec<Node>,
}

impl Builder {
    /// A model over images (or vectors) of this size.
    pub fn new(name: &str, input: Extent) -> Self {
        let mut builder = Builder {
            name: name.to_owned(),
            nodes: Vec::new(),
        };
        builder.push("input", Op::Input, &[], input);
        builder
    }

    fn push(&mut self, name: &str, op: Op, inputs: &[Value], extent: Extent) -> Value {
        self.nodes.push(Node {
            name: name.to_owned(),
            op,
            inputs: inputs.iter().map(|v| v.0).collect(),
            extent,
        });
        Value(self.nodes.len() - 1)
    }

    /// The batch.
    pub fn input(&self) -> Value {
        Value(0)
    }

    /// Size of a value.
    pub fn extent(&self, x: Value) -> Extent {
        self.nodes[x.0].extent
    }

    fn misfit(&self, layer: &str, reason: impl std::fmt::Display) -> Error {
        Error::Usage(format!(
            "model {} does not fit images of {}: {layer}: {reason}",
            self.name, self.nodes[0].extent
        ))
    }

    fn window(
        &self,
        layer: &str,
        x: Value,
        kernel: usize,
        stride: usize,
        padding: usize,
    ) -> Result<Window> {
        let plane = self.extent(x).plane();
        Window::new(plane, [kernel; 2], [stride; 2], [padding; 2])
            .map_err(|e| self.misfit(layer, e))
    }

    fn windowed(&mut self, name: &str, op: Op, x: Value, channels: usize, window: Window) -> Value {
        let [height, width] = window.output;
        let extent = Extent {
            channels,
            height,
            width,
        };
        self.push(name, op, &[x], extent)
    }

    /// A sparse convolution without biases, square in kernel, stride and padding.
    ///
    /// # Errors
    /// A kernel that does not fit the plane.
    pub fn conv(
        &mut self,
        name: &str,
        x: Value,
        channels: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    ) -> Result<Value> {
        let window = self.window(name, x, kernel, stride, padding)?;
        let op = Op::Sparse {
            window,
            bias: false,
            relu: false,
        };
        Ok(self.windowed(name, op, x, channels, window))
    }

    fn pointwise(&mut self, name: &str, x: Value, units: usize, bias: bool, relu: bool) -> Value {
        let window = Window::pointwise(self.extent(x).plane());
        let op = Op::Sparse { window, bias, relu };
        self.windowed(name, op, x, units, window)
    }

    /// A sparse linear layer with biases, at every position.
    pub fn linear(&mut self, name: &str, x: Value, units: usize) -> Value {
        self.pointwise(name, x, units, true, false)
    }

    /// The same without biases.
    pub fn linear_without_bias(&mut self, name: &str, x: Value, units: usize) -> Value {
        self.pointwise(name, x, units, false, false)
    }

    /// The same with biases, and a ReLU fused behind it.
    pub fn linear_relu(&mut self, name: &str, x: Value, units: usize) -> Value {
        self.pointwise(name, x, units, true, true)
    }

    fn same(&mut self, name: &str, op: Op, inputs: &[Value]) -> Value {
        let extent = self.extent(inputs[0]);
        self.push(name, op, inputs, extent)
    }

    /// Batch norm.
    pub fn batch_norm(&mut self, name: &str, x: Value) -> Value {
        self.same(name, Op::BatchNorm { relu: false }, &[x])
    }

    /// ReLU of the batch norm.
    pub fn batch_norm_relu(&mut self, name: &str, x: Value) -> Value {
        self.same(name, Op::BatchNorm { relu: true }, &[x])
    }

    /// ReLU of the batch norm of `x` plus `residual`.
    ///
    /// # Errors
    /// Values of different sizes.
    pub fn batch_norm_add_relu(&mut self, name: &str, x: Value, residual: Value) -> Result<Value> {
        self.alike(name, x, residual)?;
        Ok(self.same(name, Op::BatchNorm { relu: true }, &[x, residual]))
    }

    fn alike(&self, layer: &str, a: Value, b: Value) -> Result<()> {
        match self.extent(a) == self.extent(b) {
            true => Ok(()),
            false => Err(self.misfit(
                layer,
                format!("adds {} to {}", self.extent(b), self.extent(a)),
            )),
        }
    }

    /// Layer norm over the channels of each position.
    pub fn layer_norm(&mut self, name: &str, x: Value) -> Value {
        self.same(name, Op::LayerNorm, &[x])
    }

    /// ReLU.
    pub fn relu(&mut self, x: Value) -> Value {
        self.same("", Op::Relu, &[x])
    }

    /// GELU (Hendrycks and Gimpel 2016), the exact form.
    pub fn gelu(&mut self, x: Value) -> Value {
        self.same("", Op::Gelu, &[x])
    }

    /// Sum of two values.
    ///
    /// # Errors
    /// Values of different sizes.
    pub fn add(&mut self, a: Value, b: Value) -> Result<Value> {
        self.alike("add", a, b)?;
        Ok(self.same("", Op::Add, &[a, b]))
    }

    /// Option A of He et al. 2016: every `stride`-th position each way, zeros in the new channels, no parameters.
    ///
    /// # Errors
    /// Fewer channels than before.
    pub fn shortcut(&mut self, x: Value, channels: usize, stride: usize) -> Result<Value> {
        let from = self.extent(x);
        if channels < from.channels || stride == 0 {
            return Err(self.misfit(
                "shortcut",
                format!("cannot pad {from} to {channels} channels"),
            ));
        }
        let extent = Extent {
            channels,
            height: from.height.div_ceil(stride),
            width: from.width.div_ceil(stride),
        };
        Ok(self.push("", Op::Shortcut { stride }, &[x], extent))
    }

    /// Maximum over square windows.
    ///
    /// # Errors
    /// A window that does not fit the plane.
    pub fn max_pool(
        &mut self,
        x: Value,
        size: usize,
        stride: usize,
        padding: usize,
    ) -> Result<Value> {
        let window = self.window("max pool", x, size, stride, padding)?;
        let channels = self.extent(x).channels;
        Ok(self.windowed("", Op::MaxPool(window), x, channels, window))
    }

    /// Mean over square windows, padding included.
    ///
    /// # Errors
    /// A window that does not fit the plane.
    pub fn average_pool(
        &mut self,
        x: Value,
        size: usize,
        stride: usize,
        padding: usize,
    ) -> Result<Value> {
        let window = self.window("average pool", x, size, stride, padding)?;
        let channels = self.extent(x).channels;
        Ok(self.windowed("", Op::AveragePool(window), x, channels, window))
    }

    /// Mean over all positions, or tokens.
    pub fn mean(&mut self, x: Value) -> Value {
        let extent = Extent::vector(self.extent(x).channels);
        self.push("", Op::Mean, &[x], extent)
    }

    /// All channels and positions as one vector.
    pub fn flatten(&mut self, x: Value) -> Value {
        let extent = Extent::vector(self.extent(x).size());
        self.push("", Op::Flatten, &[x], extent)
    }

    /// Dropout with this share dropped.
    ///
    /// # Errors
    /// A share outside `[0, 1)`.
    pub fn dropout(&mut self, x: Value, share: f32) -> Result<Value> {
        if !(0.0..1.0).contains(&share) {
            return Err(self.misfit("dropout", format!("a share of {share} is outside [0, 1)")));
        }
        Ok(self.same("", Op::Dropout(share), &[x]))
    }

    /// Square patches as tokens: features in the order row, column, channel.
    ///
    /// # Errors
    /// A plane that the patches do not divide.
    pub fn patchify(&mut self, x: Value, patch: usize) -> Result<Value> {
        let from = self.extent(x);
        let divides = |n: usize| patch > 0 && n.is_multiple_of(patch);
        if !divides(from.height) || !divides(from.width) {
            return Err(self.misfit(
                "patches",
                format!("patches of {patch}×{patch} do not divide {from}"),
            ));
        }
        let extent = Extent {
            channels: from.channels * patch * patch,
            height: from.height / patch,
            width: from.width / patch,
        };
        Ok(self.push("", Op::Patchify(patch), &[x], extent))
    }

    /// Adds fixed 2-D sine and cosine positions (Beyer, Zhai and Kolesnikov 2022).
    ///
    /// # Errors
    /// Features that are not a multiple of 4, or only 4.
    pub fn positions(&mut self, x: Value) -> Result<Value> {
        let dim = self.extent(x).channels;
        match dim.is_multiple_of(4) && dim > 4 {
            true => Ok(self.same("", Op::Positions, &[x])),
            false => Err(self.misfit(
                "positions",
                format!("{dim} features are not a multiple of 4 above 4"),
            )),
        }
    }

    /// Multi-head self-attention over tokens whose features are queries, keys and values, each of `heads` × `dim`.
    ///
    /// # Errors
    /// Another number of features.
    pub fn attention(&mut self, qkv: Value, heads: usize, dim: usize) -> Result<Value> {
        let from = self.extent(qkv);
        if heads == 0 || dim == 0 || from.channels != 3 * heads * dim {
            return Err(self.misfit(
                "attention",
                format!(
                    "{heads} heads of {dim} take {} features, not {}",
                    3 * heads * dim,
                    from.channels
                ),
            ));
        }
        let extent = Extent {
            channels: heads * dim,
            ..from
        };
        Ok(self.push("", Op::Attention { heads, dim }, &[qkv], extent))
    }

    /// The model that ends with `logits`.
    ///
    /// # Errors
    /// Logits that are not the last value or not one vector, a value that nothing takes, or no sparse layer at all.
    pub fn finish(self, logits: Value) -> Result<Model> {
        if logits.0 + 1 != self.nodes.len() || self.extent(logits).positions() != 1 {
            return Err(self.misfit(
                "logits",
                format!(
                    "they must be the last value, and one vector, not {}",
                    self.extent(logits)
                ),
            ));
        }
        let model = Model {
            name: self.name.clone(),
            nodes: self.nodes.clone(),
        };
        match model.rules() {
            Ok(()) => Ok(model),
            Err((node, reason)) => Err(self.misfit(&model.named(node), reason)),
        }
    }
}
