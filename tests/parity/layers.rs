//! Every layer separately against PyTorch: outputs, and the gradients of inputs, parameters and pairs. Padding lanes of
//! activations hold garbage, and those of gradients zeros; outputs hold NaN before a kernel writes them.

use crate::fixture::{Fixture, in_lanes, members};
use crate::norms;
use crate::plain_layers::plain;
use crate::{Random, assert_close, dense_gradient, devices, still};
use rootlet::checkpoint::NormKind;
use rootlet::engine::{Buffer, Class, Device, Plan, STEP_WORDS, View};
use rootlet::layer::{
    Activation, BatchNormBackwardViews, BatchNormForwardViews, BatchNormPass,
    LayerNormBackwardViews, LayerNormPass, NormScratch, Parameters, SparsePass,
};
use rootlet::sparse::{Arena, Shape, Window};

const COUNT: usize = 5;

pub(crate) const LANES: usize = 8;

pub(crate) const TOLERANCE: f64 = 1e-4;

/// One case of the fixture on one device.
pub(crate) struct Case<'a> {
    pub device: &'a Device,
    pub fixture: &'a Fixture,
    pub name: &'a str,
}

impl Case<'_> {
    pub fn tensor(&self, name: &str) -> String {
        format!("{}.{name}", self.name)
    }

    /// The sizes after the batch.
    pub fn shape(&self, name: &str) -> Vec<usize> {
        let shape = self.fixture.shape(&self.tensor(name));
        assert_eq!(shape[0], COUNT);
        shape[1..].to_vec()
    }

    /// Words of an activation.
    pub fn words(&self, name: &str) -> usize {
        self.shape(name).iter().product::<usize>() * LANES
    }

    /// Rows and columns of the positions, and the channels.
    pub fn plane(&self, name: &str) -> ([usize; 2], usize) {
        match self.shape(name)[..] {
            [channels, height, width] => ([height, width], channels),
            [tokens, features] => ([1, tokens], features),
            ref other => unreachable!("{other:?} is no image and no tokens"),
        }
    }

    pub fn put(&self, words: &[f32]) -> View {
        let buffer = self.device.buffer_with("data", Class::Scratch, words);
        buffer.unwrap().range(0..words.len())
    }

    pub fn noise(&self, words: usize) -> View {
        self.put(&vec![f32::NAN; words])
    }

    /// As a layer gets it, with arbitrary finite numbers in the padding lanes.
    pub fn activation(&self, name: &str) -> View {
        let mut words = in_lanes(&self.fixture.activation(&self.tensor(name)), COUNT, LANES);
        let rubbish = Random(words.len() as u64).reals(words.len(), 1e3);
        for (i, word) in words.iter_mut().enumerate() {
            if i % LANES >= COUNT {
                *word = rubbish[i];
            }
        }
        self.put(&words)
    }

    /// The gradient at the output.
    pub fn delta(&self) -> View {
        let members = self.fixture.activation(&self.tensor("output_gradient"));
        self.put(&in_lanes(&members, COUNT, LANES))
    }

    pub fn step(&self) -> View {
        let state = still(COUNT);
        let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
        let buffer = self.device.buffer_with("step", Class::Scratch, words);
        buffer.unwrap().range(0..STEP_WORDS)
    }

    pub fn read(&self, view: &View) -> Vec<f32> {
        self.device.download(view).unwrap()
    }

    pub fn run(&self, record: impl FnOnce(&mut Plan) -> rootlet::Result<()>) {
        let mut plan = Plan::new(self.name);
        record(&mut plan).unwrap();
        self.device
            .run(&self.device.prepare(&plan).unwrap())
            .unwrap();
    }

    #[track_caller]
    pub fn close(&self, name: &str, found: &[f32], expected: &[f32]) {
        let at = format!("{}: {}", self.device.name(), self.tensor(name));
        assert_close(&at, found, expected, TOLERANCE);
    }

    /// Numbers as they are stored.
    #[track_caller]
    pub fn check(&self, name: &str, found: &[f32]) {
        self.close(name, found, &self.fixture.reals(&self.tensor(name)));
    }

    /// An output: its padding lanes may hold any finite number.
    #[track_caller]
    pub fn check_output(&self, view: &View) {
        let found = self.read(view);
        let at = self.tensor("output");
        assert!(found.iter().all(|x| x.is_finite()), "{at}: padding");
        let expected = self.fixture.activation(&at);
        self.close("output", &members(&found, COUNT, LANES), &expected);
    }

    /// The gradient at an input: its padding lanes are zero.
    #[track_caller]
    pub fn check_delta(&self, name: &str, view: &View) {
        let name = format!("{name}_gradient");
        let expected = self.fixture.activation(&self.tensor(&name));
        self.close(&name, &self.read(view), &in_lanes(&expected, COUNT, LANES));
    }
}

/// Each of `names` on every device.
pub(crate) fn each<'n>(names: impl IntoIterator<Item = &'n str> + Clone, test: impl Fn(&Case)) {
    let fixture = Fixture::open("layers.safetensors");
    for device in devices() {
        for name in names.clone() {
            test(&Case {
                device: &device,
                fixture: &fixture,
                name,
            });
        }
    }
}

fn fill(device: &Device, buffer: &Buffer) {
    let noise = vec![f32::NAN; buffer.words()];
    device.upload(&buffer.all(), &noise).unwrap();
}

/// A sparse layer through a window with this kernel, stride and padding.
fn sparse_layer(case: &Case, kernel: [usize; 2], stride: usize, padding: [usize; 2]) {
    let (plane, channels) = case.plane("x");
    let (output_plane, n_out) = case.plane("output");
    let window = Window::new(plane, kernel, [stride; 2], padding).unwrap();
    assert_eq!(window.output, output_plane);
    let shape = Shape {
        n_in: channels * window.taps(),
        n_out,
    };
    let bias = case.fixture.has(&case.tensor("bias"));
    let state = case.fixture.layer(case.name, shape);
    let arena = Arena::new(case.device, &[state]).unwrap();
    fill(case.device, arena.gradient());
    fill(case.device, arena.bias_gradient());
    let layer = SparsePass {
        span: arena.spans()[0],
        window,
        lanes: LANES,
        bias,
        relu: false,
    };
    let (x, delta) = (case.activation("x"), case.delta());
    let (output, x_delta) = (
        case.noise(case.words("output")),
        case.noise(case.words("x")),
    );
    case.run(|plan| {
        layer.forward(plan, &arena, x.clone(), output.clone())?;
        layer.backward(plan, &arena, delta.clone(), None, x_delta.clone(), false)?;
        layer.gradients(plan, &arena, x.clone(), delta.clone(), false)
    });
    case.check_output(&output);
    case.check_delta("x", &x_delta);
    let gradient = case.read(&arena.gradient().range(0..arena.connections()));
    case.check("values_gradient", &gradient);
    let gradient = case.read(&arena.bias_gradient().range(0..arena.n_rows()));
    match bias {
        true => case.check("bias_gradient", &gradient),
        false => assert!(gradient.iter().all(|g| g.is_nan()), "{}", case.name),
    }
    let dense = dense_gradient(case.device, shape, window, LANES, x, delta);
    case.check("dense_gradient", &dense);
}

#[test]
fn sparse_layers() {
    for (name, kernel, stride, padding) in [
        ("conv_3x3_s1_p1", [3, 3], 1, [1, 1]),
        ("conv_3x3_s2_p1", [3, 3], 2, [1, 1]),
        ("conv_7x7_s2_p3", [7, 7], 2, [3, 3]),
        ("conv_1x1_s2", [1, 1], 2, [0, 0]),
        ("conv_5x3_s1_p2x1", [5, 3], 1, [2, 1]),
        ("token_linear", [1, 1], 1, [0, 0]),
    ] {
        let with_bias = format!("{name}_bias");
        each([name, &with_bias], |case| {
            sparse_layer(case, kernel, stride, padding);
        });
    }
}

#[test]
fn batch_norms() {
    let names = [
        "batch_norm_train",
        "batch_norm_train_relu",
        "batch_norm_train_residual_relu",
        "batch_norm_eval",
        "batch_norm_eval_relu",
        "batch_norm_eval_residual_relu",
    ];
    each(names, |case| {
        let before = case.fixture.norm(case.name, NormKind::Batch);
        let norms = norms::upload(case.device, std::slice::from_ref(&before));
        let own = norms.layer(0).unwrap();
        fill(case.device, norms.gradient());
        let (plane, _) = case.plane("x");
        let norm = BatchNormPass {
            channels: before.values("weight").len(),
            positions: plane[0] * plane[1],
            lanes: LANES,
            relu: case.name.ends_with("relu"),
            fused: false,
        };
        let residual = case.name.contains("residual");
        let words = case.words("x");
        let views = BatchNormForwardViews {
            input: case.activation("x"),
            residual: residual.then(|| case.activation("residual")),
            output: case.noise(words),
            saved: case.noise(2 * norm.saved_words()),
        };
        let step = case.step();
        if case.name.contains("eval") {
            // Forward only: nothing is trained with the running statistics, so no gradient treats them as constants.
            case.run(|plan| norm.forward_eval(plan, &own, &step, views.clone()));
            case.check_output(&views.output);
            assert_eq!(norms.export(case.device).unwrap(), [before]);
            return;
        }
        let scratch = NormScratch {
            parts: case.noise(norm.parts_words()),
            sums: case.noise(2 * norm.saved_words()),
        };
        // The activation shows what the ReLU let through; without a residual, the input shows it as well.
        for (by_input, fused) in [(false, false), (false, true), (true, false), (true, true)] {
            if by_input && residual {
                continue;
            }
            let norm = BatchNormPass { fused, ..norm };
            let (x_delta, residual_delta) = (case.noise(words), case.noise(words));
            let backward = BatchNormBackwardViews {
                input: views.input.clone(),
                delta: case.delta(),
                activation: (!by_input).then(|| views.output.clone()),
                saved: views.saved.clone(),
                output: x_delta.clone(),
                residual: residual.then(|| (residual_delta.clone(), false)),
            };
            norms
                .import(case.device, std::slice::from_ref(&before))
                .unwrap();
            case.run(|plan| {
                norm.forward_train(plan, &own, &scratch, &step, views.clone(), true)?;
                norm.backward(plan, &own, &scratch, &step, backward, false)
            });
            case.check_output(&views.output);
            case.check_delta("x", &x_delta);
            if residual {
                case.check_delta("residual", &residual_delta);
            }
            check_norm_gradients(case, &norms);
            let after = norms.export(case.device).unwrap().remove(0);
            case.check("running_mean_after", after.values("running_mean"));
            case.check("running_variance_after", after.values("running_variance"));
            for name in ["weight", "bias"] {
                assert_eq!(after.values(name), before.values(name));
            }
        }
    });
}

#[track_caller]
fn check_norm_gradients(case: &Case, norms: &Parameters) {
    let own = norms.layer(0).unwrap();
    for name in ["weight", "bias"] {
        let gradient = case.read(&own.gradient_of(name).unwrap());
        case.check(&format!("{name}_gradient"), &gradient);
    }
}

#[test]
fn layer_norm_and_gelu() {
    each(["layer_norm"], |case| {
        let state = case.fixture.norm(case.name, NormKind::Layer);
        let channels = state.values("weight").len();
        let norms = norms::upload(case.device, &[state]);
        let own = norms.layer(0).unwrap();
        fill(case.device, norms.gradient());
        let (plane, _) = case.plane("x");
        let norm = LayerNormPass {
            channels,
            positions: plane[1],
            lanes: LANES,
            fused: false,
        };
        let words = case.words("x");
        let (x, output, x_delta) = (case.activation("x"), case.noise(words), case.noise(words));
        let saved = case.noise(norm.saved_words());
        case.run(|plan| {
            let (x, output, saved) = (x.clone(), output.clone(), saved.clone());
            norm.forward(plan, &own, &case.step(), x.clone(), output, saved.clone())?;
            let views = LayerNormBackwardViews {
                input: x,
                delta: case.delta(),
                saved,
                output: Some((x_delta.clone(), false)),
            };
            norm.backward(plan, &own, views, false)
        });
        case.check_output(&output);
        case.check_delta("x", &x_delta);
        check_norm_gradients(case, &norms);
    });
    each(["gelu"], |case| {
        plain(
            case,
            |plan, x, output| Activation::Gelu.forward(plan, x, output, case.words("x")),
            |plan, [x, _, delta, x_delta]| {
                Activation::Gelu.backward(plan, x, delta, x_delta, case.words("x"), false)
            },
        );
    });
}
