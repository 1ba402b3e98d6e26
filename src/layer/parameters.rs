//! Dense parameters of layers on the device, and what layers keep from batch to batch: a few words per channel, beside
//! the connection arena.

use super::parameter_state::{Parameter, ParameterArray, ParameterState};
use crate::engine::buffer::VIEW_ALIGNMENT;
use crate::engine::{Buffer, Class, Device, View};
use crate::error::{Error, Misfit, Result};
use crate::optim::{OptimiserState, StateArray, StateBuffers};

/// The place of an array.
#[derive(Clone, Debug, PartialEq)]
pub struct ArraySpan {
    /// The array.
    pub parameter: Parameter,
    /// Its first word: in [`Parameters::values`] if it is trained, otherwise in [`Parameters::untrained`]. A multiple
    /// of 64, so that a view may begin there.
    pub first: usize,
}

impl ArraySpan {
    fn range(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.parameter.words
    }
}

/// The places of a layer's arrays.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpan {
    /// The layer's kind.
    pub kind: &'static str,
    /// Its arrays, in the layer's order.
    pub arrays: Vec<ArraySpan>,
}

/// The dense parameters of all layers on a device; there may be none. A clone shares the buffers.
///
/// One optimiser update over [`words`](Parameters::words) words serves all layers: the gaps between their arrays are
/// zero and stay so. 8 bytes per trained word and 4 for each of the optimiser's arrays; 4 per untrained word.
#[derive(Clone)]
pub struct Parameters {
    pub(crate) spans: Vec<ParameterSpan>,
    pub(crate) values: Buffer,
    pub(crate) state: Option<StateBuffers>,
    pub(crate) gradient: Buffer,
    pub(crate) untrained: Buffer,
    /// Where batch norms leave the statistics of a part of a batch, if they do not move the running ones themselves.
    pub(crate) part_statistics: Option<Buffer>,
    words: usize,
}

impl Parameters {
    /// Allocates the layers' arrays (each with its kind and its declarations), and the optimiser's arrays for them.
    ///
    /// # Errors
    /// An array has no words, or the device refuses a buffer.
    pub fn new(
        device: &Device,
        layers: &[(&'static str, Vec<Parameter>)],
        state: Option<&[StateArray]>,
    ) -> Result<Self> {
        let (mut trained, mut untrained) = (0usize, 0usize);
        let mut spans = Vec::new();
        for (kind, parameters) in layers {
            let mut arrays = Vec::new();
            for parameter in parameters {
                if parameter.words == 0 {
                    return Err(Error::Shape(Misfit::Layer {
                        layer: format!("a {kind} layer"),
                        why: format!("its {} has no words", parameter.name),
                    }));
                }
                let end = if parameter.trained {
                    &mut trained
                } else {
                    &mut untrained
                };
                arrays.push(ArraySpan {
                    first: *end,
                    parameter: parameter.clone(),
                });
                *end = (end.saturating_add(parameter.words)).next_multiple_of(VIEW_ALIGNMENT);
            }
            spans.push(ParameterSpan { kind, arrays });
        }
        if trained.max(untrained) >= u32::MAX as usize {
            return Err(Error::Shape(Misfit::TooMany {
                what: "dense parameters".to_owned(),
                count: trained.to_string(),
                most: u32::MAX.into(),
                way_out: String::new(),
            }));
        }
        let buffer = |label: &str, words| device.buffer(label, Class::Connections, words);
        Ok(Parameters {
            spans,
            values: buffer("parameters.values", trained)?,
            state: state
                .map(|arrays| {
                    StateBuffers::new(device, "parameters", Class::Connections, arrays, trained)
                })
                .transpose()?,
            gradient: buffer("parameters.gradient", trained)?,
            untrained: buffer("parameters.untrained", untrained)?,
            part_statistics: None,
            words: trained,
        })
    }

    /// The same, with another place for batch norms' statistics of a part of a batch.
    pub(crate) fn in_parts(self, part_statistics: Option<Buffer>) -> Self {
        Parameters {
            part_statistics,
            ..self
        }
    }

    /// The layers that have parameters, in order.
    pub fn spans(&self) -> &[ParameterSpan] {
        &self.spans
    }

    /// The trained arrays.
    pub fn values(&self) -> &Buffer {
        &self.values
    }

    /// The optimiser's arrays for `values`; none if nothing is trained, in which case states of any optimiser are
    /// ignored.
    pub fn state(&self) -> Option<&StateBuffers> {
        self.state.as_ref()
    }

    /// The gradient of `values` in the last step.
    pub fn gradient(&self) -> &Buffer {
        &self.gradient
    }

    /// The arrays that layers keep themselves.
    pub fn untrained(&self) -> &Buffer {
        &self.untrained
    }

    /// Words that the optimiser updates; 0 if there are no parameters.
    pub fn words(&self) -> usize {
        self.words
    }

    /// The parameters of one layer, by its index among those that have some.
    ///
    /// # Errors
    /// There is no layer with this index.
    pub fn layer(&self, number: usize) -> Result<LayerParameters> {
        let missing = Misfit::NoSuch {
            what: "layer with dense parameters",
            number: number as u64,
            of: self.spans.len(),
        };
        let span = (self.spans.get(number).cloned()).ok_or(Error::Shape(missing))?;
        Ok(LayerParameters {
            span,
            values: self.values.all(),
            gradient: self.gradient.all(),
            untrained: self.untrained.all(),
            part_statistics: self.part_statistics.as_ref().map(Buffer::all),
        })
    }

    /// Replaces parameters, optimiser state and what layers keep; kinds and arrays must be the existing ones.
    ///
    /// # Errors
    /// The states belong to other layers.
    pub fn import(&self, device: &Device, states: &[ParameterState]) -> Result<()> {
        let same = states.len() == self.spans.len()
            && self.spans.iter().zip(states).all(|(span, state)| {
                let parameters: Vec<Parameter> =
                    span.arrays.iter().map(|a| a.parameter.clone()).collect();
                state.fits(span.kind, &parameters)
            });
        if !same {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("the dense parameters of {} layers", states.len()),
                expected: format!(
                    "the {} layers of the model that have some: kinds, arrays and their lengths must agree",
                    self.spans.len()
                ),
            }));
        }
        let mut values = vec![0f32; self.values.words()];
        let mut placed = Vec::new();
        let mut untrained = vec![0f32; self.untrained.words()];
        for (span, state) in self.spans.iter().zip(states) {
            for (at, array) in span.arrays.iter().zip(&state.arrays) {
                let range = at.range();
                if !array.trained {
                    untrained[range].copy_from_slice(&array.values);
                    continue;
                }
                values[range.clone()].copy_from_slice(&array.values);
                if let Some(own) = &self.state
                    && !array.state.fits(own.declared(), range.len())
                {
                    return Err(Error::Shape(Misfit::Unfit {
                        found: format!(
                            "the arrays of the optimiser that `{}` of a {} layer was trained by",
                            array.name, span.kind
                        ),
                        expected: "this network's".to_owned(),
                    }));
                }
                placed.push((range, &array.state));
            }
        }
        device.upload(&self.values.all(), &values)?;
        device.upload(&self.untrained.all(), &untrained)?;
        match &self.state {
            Some(own) => own.import(device, &values, &placed),
            None => Ok(()),
        }
    }

    /// Reads the parameters back.
    ///
    /// # Errors
    /// The device is lost.
    pub fn export(&self, device: &Device) -> Result<Vec<ParameterState>> {
        if self.spans.is_empty() {
            return Ok(Vec::new());
        }
        let [values, untrained] =
            [&self.values, &self.untrained].map(|b| device.download::<f32>(&b.all()));
        let (values, untrained) = (values?, untrained?);
        let arrays = self.spans.iter().flat_map(|span| &span.arrays);
        let trained = arrays.filter(|at| at.parameter.trained);
        let states = match &self.state {
            Some(own) => own.export(device, trained.map(ArraySpan::range))?,
            None => Vec::new(),
        };
        let mut states = states.into_iter();
        let mut array = |at: &ArraySpan| {
            let trained = at.parameter.trained;
            let from = if trained { &values } else { &untrained };
            ParameterArray {
                name: at.parameter.name.to_owned(),
                values: from[at.range()].to_vec(),
                trained,
                state: match trained {
                    true => states.next().unwrap_or_default(),
                    false => OptimiserState::default(),
                },
            }
        };
        let mut layers = Vec::new();
        for span in &self.spans {
            layers.push(ParameterState {
                kind: span.kind.to_owned(),
                arrays: span.arrays.iter().map(&mut array).collect(),
            });
        }
        Ok(layers)
    }
}

/// One layer's dense parameters, for its kernels: whole buffers, and the starts of its arrays in them.
#[derive(Clone)]
pub struct LayerParameters {
    span: ParameterSpan,
    /// The trained arrays of all layers.
    pub values: View,
    /// Their gradients.
    pub gradient: View,
    /// What all layers keep.
    pub untrained: View,
    pub(crate) part_statistics: Option<View>,
}

impl LayerParameters {
    /// Where a training pass leaves its statistics: in place of the running ones if it sees a part of a batch.
    pub(crate) fn running(&self) -> View {
        let part = self.part_statistics.as_ref();
        part.unwrap_or(&self.untrained).clone()
    }

    fn array(&self, name: &str) -> Result<&ArraySpan> {
        let found = (self.span.arrays.iter()).find(|array| array.parameter.name == name);
        found.ok_or_else(|| {
            Error::Shape(Misfit::Undeclared {
                who: format!("a {} layer", self.span.kind),
                what: format!("the array `{name}`"),
            })
        })
    }

    /// The first word of an array in [`values`](Self::values) and [`gradient`](Self::gradient), or in
    /// [`untrained`](Self::untrained).
    ///
    /// # Errors
    /// There is no such array.
    pub fn first(&self, name: &str) -> Result<usize> {
        Ok(self.array(name)?.first)
    }

    /// A single array as a separate view, trained or not.
    ///
    /// # Errors
    /// There is no such array.
    pub fn values_of(&self, name: &str) -> Result<View> {
        let array = self.array(name)?;
        let whole = if array.parameter.trained {
            &self.values
        } else {
            &self.untrained
        };
        Ok(part(whole, array))
    }

    /// The gradient of a single trained array as a separate view.
    ///
    /// # Errors
    /// There is no such array, or it is not trained.
    pub fn gradient_of(&self, name: &str) -> Result<View> {
        let array = self.array(name)?;
        match array.parameter.trained {
            true => Ok(part(&self.gradient, array)),
            false => Err(Error::Shape(Misfit::Undeclared {
                who: format!("a {} layer", self.span.kind),
                what: format!("a gradient of the array `{name}`"),
            })),
        }
    }
}

fn part(whole: &View, array: &ArraySpan) -> View {
    let first = whole.range.start + array.first;
    whole.buffer.range(first..first + array.parameter.words)
}
