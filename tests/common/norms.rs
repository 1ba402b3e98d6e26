//! States of norms, for tests that set them themselves.

use rootlet::checkpoint::NormKind;
use rootlet::engine::Device;
use rootlet::layer::{BatchNorm, Extent, Layer, LayerNorm, Parameter, ParameterState, Parameters};
use rootlet::optim::{Numbers, Optimiser, OptimiserState, Sgd};

/// The kind and the arrays that such a norm declares.
pub fn declared(kind: NormKind, channels: usize) -> (&'static str, Vec<Parameter>) {
    let layer: &dyn Layer = match kind {
        NormKind::Batch => &BatchNorm { relu: false },
        NormKind::Layer => &LayerNorm,
    };
    (layer.kind(), layer.parameters(&[Extent::vector(channels)]))
}

/// The state that SGD keeps.
pub fn momentum(values: Vec<f32>) -> OptimiserState {
    OptimiserState::of([("momentum".to_owned(), Numbers::F32(values))])
}

/// A norm before training by SGD.
pub fn norm(kind: NormKind, channels: usize) -> ParameterState {
    let (kind, parameters) = declared(kind, channels);
    let mut state = ParameterState::new(kind, &parameters);
    for array in state.arrays.iter_mut().filter(|array| array.trained) {
        array.state = momentum(vec![0.0; array.values.len()]);
    }
    state
}

/// A norm with different numbers in every array, including the momentum.
pub fn filled(
    kind: NormKind,
    channels: usize,
    mut reals: impl FnMut(usize) -> Vec<f32>,
) -> ParameterState {
    let mut state = norm(kind, channels);
    for array in &mut state.arrays {
        array.values = reals(array.values.len());
        if array.trained {
            array.state = momentum(reals(array.values.len()));
        }
    }
    state
}

/// Replaces the values of an array.
pub fn set(state: &mut ParameterState, name: &str, values: Vec<f32>) {
    state.array_mut(name).expect(name).values = values;
}

/// The norms on a device.
pub fn upload(device: &Device, states: &[ParameterState]) -> Parameters {
    let layers: Vec<_> = (states.iter())
        .map(|state| {
            let kind = match state.kind.as_str() {
                "batch-norm" => NormKind::Batch,
                _ => NormKind::Layer,
            };
            declared(kind, state.values("weight").len())
        })
        .collect();
    let parameters = Parameters::new(device, &layers, Some(&Sgd::PLAIN.state())).unwrap();
    parameters.import(device, states).unwrap();
    parameters
}

/// Every number of a layer's dense parameters.
pub fn numbers(state: &ParameterState) -> impl Iterator<Item = &f32> {
    let arrays = state.arrays.iter();
    arrays.flat_map(|array| {
        let kept = array.state.f32("momentum").iter();
        array
            .values
            .iter()
            .chain(kept)
            .chain(array.state.f32("ema"))
    })
}
