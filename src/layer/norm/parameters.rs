//! The parameters of a model's norms: dense, a few words a channel, beside the connection arena.

use crate::engine::buffer::VIEW_ALIGNMENT;
use crate::engine::{Buffer, Class, Device};
use crate::error::{Error, Result};

/// What a norm takes its mean and variance over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormKind {
    /// Batch norm: for each channel over the batch and the positions (Ioffe and Szegedy, arXiv 1502.03167).
    Batch,
    /// Layer norm: for each member and position over the channels (Ba, Kiros and Hinton, arXiv 1607.06450).
    Layer,
}

/// One norm on the host: what is set at the start, saved, and read back. All arrays are `[channels]`.
#[derive(Clone, Debug, PartialEq)]
pub struct NormState {
    /// Over what it normalises.
    pub kind: NormKind,
    /// Scale of the normalised values.
    pub weight: Vec<f32>,
    /// What is added to them.
    pub bias: Vec<f32>,
    /// The weights' momentum.
    pub weight_momentum: Vec<f32>,
    /// The biases' momentum.
    pub bias_momentum: Vec<f32>,
    /// Mean that an evaluation uses; empty for a layer norm.
    pub running_mean: Vec<f32>,
    /// Variance that an evaluation uses; empty for a layer norm.
    pub running_variance: Vec<f32>,
}

impl NormState {
    /// A norm before training: weights and variances one, all else zero.
    pub fn new(kind: NormKind, channels: usize) -> Self {
        let running = match kind {
            NormKind::Batch => channels,
            NormKind::Layer => 0,
        };
        NormState {
            kind,
            weight: vec![1.0; channels],
            bias: vec![0.0; channels],
            weight_momentum: vec![0.0; channels],
            bias_momentum: vec![0.0; channels],
            running_mean: vec![0.0; running],
            running_variance: vec![1.0; running],
        }
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.weight.len()
    }

    fn is_consistent(&self) -> bool {
        let n = self.channels();
        let running = match self.kind {
            NormKind::Batch => n,
            NormKind::Layer => 0,
        };
        [&self.bias, &self.weight_momentum, &self.bias_momentum]
            .iter()
            .all(|v| v.len() == n)
            && [&self.running_mean, &self.running_variance]
                .iter()
                .all(|v| v.len() == running)
    }
}

/// Where a norm's channels lie among those of all norms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NormSpan {
    /// Its first channel.
    pub first: usize,
    /// Its channels.
    pub channels: usize,
    /// Over what it normalises.
    pub kind: NormKind,
}

/// The parameters of all norms on a device, `U` channels in all; there may be none.
///
/// Each buffer is `[2][pitch]`, so that one optimiser update over `2 * pitch` words serves all norms: what lies between
/// the two halves' channels is zero and stays so. 32 bytes a channel. A clone is of the same buffers.
#[derive(Clone)]
pub struct Norms {
    /// The norms in order.
    pub spans: Vec<NormSpan>,
    /// `U`.
    pub channels: usize,
    /// Words from a channel's weight to its bias, and from its mean to its variance: `U` rounded up to a multiple of 64.
    pub pitch: usize,
    /// Weights, then biases.
    pub values: Buffer,
    /// The optimiser's momentum of `values`.
    pub momentum: Buffer,
    /// The gradient of `values` in the last step.
    pub gradient: Buffer,
    /// Running means, then running variances; of a layer norm's channels they mean nothing.
    pub running: Buffer,
}

impl Norms {
    /// Uploads the norms.
    ///
    /// # Errors
    /// A norm of no channels or with arrays of different lengths, or buffers that the device refuses.
    pub fn new(device: &Device, norms: &[NormState]) -> Result<Self> {
        let mut spans = Vec::new();
        let mut channels = 0;
        for norm in norms {
            spans.push(NormSpan {
                first: channels,
                channels: norm.channels(),
                kind: norm.kind,
            });
            channels += norm.channels();
        }
        if spans.iter().any(|s| s.channels == 0) || channels >= u32::MAX as usize / 2 {
            return Err(Error::Shape(format!(
                "{} norms of {channels} channels: each needs at least one channel, all together fewer than 2^31",
                spans.len()
            )));
        }
        let pitch = channels.next_multiple_of(VIEW_ALIGNMENT);
        let words = |label: &str| device.buffer(label, Class::Connections, 2 * pitch);
        let norms_on_device = Norms {
            spans,
            channels,
            pitch,
            values: words("norm.values")?,
            momentum: words("norm.momentum")?,
            gradient: words("norm.gradient")?,
            running: words("norm.running")?,
        };
        norms_on_device.import(device, norms)?;
        Ok(norms_on_device)
    }

    /// Words that the optimiser updates: `2 * pitch`, 0 where there is no norm.
    pub fn words(&self) -> usize {
        2 * self.pitch
    }

    /// Replaces parameters, optimiser state and running statistics; kinds and channels must be those that are there.
    ///
    /// # Errors
    /// Norms of other kinds or channels.
    pub fn import(&self, device: &Device, norms: &[NormState]) -> Result<()> {
        let same =
            norms.len() == self.spans.len()
                && self.spans.iter().zip(norms).all(|(s, n)| {
                    s.kind == n.kind && s.channels == n.channels() && n.is_consistent()
                });
        if !same {
            return Err(Error::Shape(format!(
                "{} norms do not fit the model's {} norms with {} channels: kinds, channels and the lengths of all arrays \
                 must agree",
                norms.len(),
                self.spans.len(),
                self.channels
            )));
        }
        if norms.is_empty() {
            return Ok(());
        }
        let put = |buffer: &Buffer, parts: [fn(&NormState) -> &Vec<f32>; 2]| -> Result<()> {
            let mut words = vec![0f32; 2 * self.pitch];
            for (half, part) in words.chunks_exact_mut(self.pitch).zip(parts) {
                for (span, norm) in self.spans.iter().zip(norms) {
                    let from = part(norm);
                    half[span.first..][..from.len()].copy_from_slice(from);
                }
            }
            device.upload(&buffer.range(0..words.len()), &words)
        };
        put(&self.values, [|n| &n.weight, |n| &n.bias])?;
        let momentum: [fn(&NormState) -> &Vec<f32>; 2] =
            [|n| &n.weight_momentum, |n| &n.bias_momentum];
        put(&self.momentum, momentum)?;
        put(
            &self.running,
            [|n| &n.running_mean, |n| &n.running_variance],
        )
    }

    /// Reads the norms back.
    ///
    /// # Errors
    /// A lost device.
    pub fn export(&self, device: &Device) -> Result<Vec<NormState>> {
        let [values, momentum, running] =
            [&self.values, &self.momentum, &self.running].map(|b| device.download::<f32>(&b.all()));
        let (values, momentum, running) = (values?, momentum?, running?);
        Ok(self
            .spans
            .iter()
            .map(|span| {
                let half = |words: &[f32], half: usize| {
                    words[half * self.pitch + span.first..][..span.channels].to_vec()
                };
                let of_batch = |h: usize| match span.kind {
                    NormKind::Batch => half(&running, h),
                    NormKind::Layer => Vec::new(),
                };
                NormState {
                    kind: span.kind,
                    weight: half(&values, 0),
                    bias: half(&values, 1),
                    weight_momentum: half(&momentum, 0),
                    bias_momentum: half(&momentum, 1),
                    running_mean: of_batch(0),
                    running_variance: of_batch(1),
                }
            })
            .collect())
    }
}
