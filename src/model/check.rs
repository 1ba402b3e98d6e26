//! Whether a model that anyone may have written down can be run.

use super::node::{Extent, Model, Node, Op};
use crate::error::{Error, Result};
use crate::sparse::Window;

/// Numbers of a value for one member of the batch: positions and rows are counted by 32 bits.
const LARGEST: usize = u32::MAX as usize;

impl Model {
    /// Whether each node takes values of nodes before it and makes what its operation makes of them, whether each value is taken,
    /// and the last one are logits.
    ///
    /// # Errors
    /// [`Error::Shape`] names the first node that is wrong, and how.
    pub fn check(&self) -> Result<()> {
        self.rules().map_err(|(node, reason)| {
            let (model, node) = (&self.name, self.named(node));
            Error::Shape(format!("model {model}: {node}: {reason}"))
        })
    }

    /// A node by its name, or by its number.
    pub(super) fn named(&self, node: usize) -> String {
        match self.nodes.get(node) {
            Some(n) if !n.name.is_empty() => n.name.clone(),
            _ => format!("layer {node}"),
        }
    }

    /// The number of the first node that is wrong, and how.
    pub(super) fn rules(&self) -> Result<(), (usize, String)> {
        let last = match self.nodes.len() {
            0 => {
                return Err((
                    0,
                    "a model needs an input and layers, and this one has no nodes".into(),
                ));
            }
            n => n - 1,
        };
        for (n, node) in self.nodes.iter().enumerate() {
            let wrong = |reason| (n, reason);
            self.takes(n, node).map_err(wrong)?;
            let made = self.made(node).map_err(wrong)?;
            let size = [made.channels, made.height, made.width]
                .into_iter()
                .try_fold(1usize, |size, n| size.checked_mul(n));
            if made != node.extent || size.is_none_or(|size| size == 0 || size >= LARGEST) {
                let reason = format!(
                    "it makes a value of {made}, not {}; none may be empty",
                    node.extent
                );
                return Err(wrong(reason));
            }
        }
        let consumers = self.consumers();
        if let Some(n) = (0..last).find(|&n| consumers[n].is_empty()) {
            return Err((n, "nothing takes its value".into()));
        }
        if self.nodes[last].extent.positions() != 1 {
            let reason = format!("the logits are one vector, not {}", self.nodes[last].extent);
            return Err((last, reason));
        }
        let shapes = self.shapes();
        if shapes.is_empty() || shapes.iter().any(|s| s.dense() == 0) {
            return Err((
                last,
                "a model needs sparse layers of at least one unit".into(),
            ));
        }
        Ok(())
    }

    /// Whether a node has as many inputs as its operation takes, all before it.
    fn takes(&self, n: usize, node: &Node) -> Result<(), String> {
        if (n == 0) != (node.op == Op::Input) {
            return Err("the input is the first node, and no other".into());
        }
        let counts = match node.op {
            Op::Input => 0..=0,
            Op::BatchNorm { .. } => 1..=2,
            Op::Add => 2..=2,
            _ => 1..=1,
        };
        if !counts.contains(&node.inputs.len()) {
            return Err(format!(
                "it takes {} to {} values, not {}",
                counts.start(),
                counts.end(),
                node.inputs.len()
            ));
        }
        match node.inputs.iter().find(|&&input| input >= n) {
            Some(later) => Err(format!(
                "it takes the value of node {later}, which is not before node {n}"
            )),
            None => Ok(()),
        }
    }

    /// What a node's operation makes of the values that it takes; its channels where these are free.
    fn made(&self, node: &Node) -> Result<Extent, String> {
        let from = self.value(node, 0);
        let free = node.extent.channels;
        match node.op {
            Op::Input => Ok(node.extent),
            Op::Sparse { window, .. } => match from.channels.saturating_mul(window.taps()) {
                inputs if inputs < LARGEST => windowed(from, free, &window),
                inputs => Err(format!(
                    "{inputs} inputs of a unit are more than 32 bits count"
                )),
            },
            Op::MaxPool(window) | Op::AveragePool(window) => windowed(from, from.channels, &window),
            Op::BatchNorm { .. } | Op::Add => match self.value(node, 1) {
                other if node.inputs.len() == 2 && other != from => {
                    Err(format!("it adds {other} to {from}"))
                }
                _ => Ok(from),
            },
            Op::LayerNorm | Op::Relu | Op::Gelu => Ok(from),
            Op::Dropout(share) if (0.0..1.0).contains(&share) => Ok(from),
            Op::Dropout(share) => Err(format!("a share of {share} is outside [0, 1)")),
            Op::Shortcut { stride } if stride > 0 && free >= from.channels => Ok(Extent {
                channels: free,
                height: from.height.div_ceil(stride),
                width: from.width.div_ceil(stride),
            }),
            Op::Shortcut { stride } => Err(format!(
                "a stride of {stride} cannot pad {from} to {free} channels"
            )),
            Op::Mean => Ok(Extent::vector(from.channels)),
            Op::Flatten => Ok(Extent::vector(from.size())),
            Op::Patchify(n)
                if n > 0 && from.height.is_multiple_of(n) && from.width.is_multiple_of(n) =>
            {
                Ok(Extent {
                    channels: from.channels.saturating_mul(n).saturating_mul(n),
                    height: from.height / n,
                    width: from.width / n,
                })
            }
            Op::Patchify(n) => Err(format!("patches of {n}×{n} do not divide {from}")),
            Op::Positions if from.channels.is_multiple_of(4) && from.channels > 4 => Ok(from),
            Op::Positions => Err(format!(
                "{} features are not a multiple of 4 above 4",
                from.channels
            )),
            Op::Attention { heads, dim } => match heads.checked_mul(dim) {
                Some(features)
                    if features > 0
                        && from.channels.checked_div(features) == Some(3)
                        && from.channels.is_multiple_of(features) =>
                {
                    Ok(Extent {
                        channels: features,
                        ..from
                    })
                }
                _ => Err(format!(
                    "{heads} heads of {dim} take three times as many features, not {}",
                    from.channels
                )),
            },
        }
    }
}

/// What a window makes of a value, in so many channels.
fn windowed(from: Extent, channels: usize, window: &Window) -> Result<Extent, String> {
    let Window {
        kernel,
        stride,
        padding,
        output,
        ..
    } = *window;
    let right = Window::new(from.plane(), kernel, stride, padding).map_err(|e| e.to_string())?;
    if right != *window {
        return Err(format!("its window is not one over {from}"));
    }
    Ok(Extent {
        channels,
        height: output[0],
        width: output[1],
    })
}
