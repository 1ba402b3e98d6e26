//! Layers without connections against PyTorch: pools, shortcuts, patches, attention.

use crate::assert_close;
use crate::fixture::{Fixture, in_lanes};
use crate::layers::{Case, LANES, TOLERANCE, each};
use rootlet::engine::{Plan, View};
use rootlet::layer::{
    AttentionPass, AveragePoolPass, GlobalAveragePass, MaxPoolPass, PatchifyPass, ShortcutPass,
    sincos_positions,
};
use rootlet::sparse::Window;

/// A layer without parameters; `backward` gets the input, the output, the gradient there, and where the input's
/// gradient goes.
pub(crate) fn plain(
    case: &Case,
    forward: impl FnOnce(&mut Plan, View, View) -> rootlet::Result<()>,
    backward: impl FnOnce(&mut Plan, [View; 4]) -> rootlet::Result<()>,
) {
    let (x, delta) = (case.activation("x"), case.delta());
    let (output, x_delta) = (
        case.noise(case.words("output")),
        case.noise(case.words("x")),
    );
    case.run(|plan| {
        forward(plan, x.clone(), output.clone())?;
        backward(plan, [x, output.clone(), delta, x_delta.clone()])
    });
    case.check_output(&output);
    case.check_delta("x", &x_delta);
}

#[test]
fn pools() {
    // Not `avg_pool_3x3_s2_p1_inside`: there is no mean over only the taps inside the plane.
    for (name, size, stride, padding) in [
        ("max_pool_3x3_s2_p1", 3, 2, 1),
        ("max_pool_2x2", 2, 2, 0),
        ("max_pool_2x2_odd", 2, 2, 0),
        ("avg_pool_2x2", 2, 2, 0),
        ("avg_pool_3x3_s2_p1", 3, 2, 1),
    ] {
        each([name], |case| {
            let (plane, channels) = case.plane("x");
            let window = Window::new(plane, [size; 2], [stride; 2], [padding; 2]).unwrap();
            assert_eq!(window.output, case.plane("output").0);
            let lanes = LANES;
            if name.starts_with("max") {
                let pool = MaxPoolPass {
                    channels,
                    window,
                    lanes,
                };
                plain(
                    case,
                    |plan, x, output| pool.forward(plan, x, output),
                    |plan, [x, output, delta, x_delta]| {
                        pool.backward(plan, x, output, delta, x_delta, false)
                    },
                );
            } else {
                let pool = AveragePoolPass {
                    channels,
                    window,
                    lanes,
                };
                plain(
                    case,
                    |plan, x, output| pool.forward(plan, x, output),
                    |plan, [_, _, delta, x_delta]| pool.backward(plan, delta, x_delta, false),
                );
            }
        });
    }
    each(["global_average", "token_mean"], |case| {
        let (plane, units) = case.plane("x");
        let mean = GlobalAveragePass {
            units,
            positions: plane[0] * plane[1],
            lanes: LANES,
        };
        plain(
            case,
            |plan, x, output| mean.forward(plan, x, output),
            |plan, [_, _, delta, x_delta]| mean.backward(plan, delta, x_delta, false),
        );
    });
}

#[test]
fn shortcuts_and_patches() {
    each(["shortcut", "shortcut_odd"], |case| {
        let ((input, channels_in), (output, channels_out)) =
            (case.plane("x"), case.plane("output"));
        let shortcut = ShortcutPass {
            channels_in,
            channels_out,
            input,
            stride: [2, 2],
            lanes: LANES,
        };
        assert_eq!(shortcut.output(), output);
        plain(
            case,
            |plan, x, output| shortcut.forward(plan, x, output),
            |plan, [_, _, delta, x_delta]| shortcut.backward(plan, delta, x_delta, false),
        );
    });
    each(["patchify_4", "patchify_2"], |case| {
        let (plane, channels) = case.plane("x");
        let patch = if case.name.ends_with('4') { 4 } else { 2 };
        let patchify = PatchifyPass::new(channels, plane, patch, LANES).unwrap();
        plain(
            case,
            |plan, x, output| patchify.forward(plan, x, output),
            |plan, [_, _, delta, x_delta]| patchify.backward(plan, delta, x_delta),
        );
    });
    let fixture = Fixture::open("layers.safetensors");
    for (height, width, dim) in [(4, 3, 24), (2, 5, 16)] {
        let name = format!("positions_{height}x{width}x{dim}");
        let table = sincos_positions(height, width, dim).unwrap();
        // PyTorch's `[tokens][dim]` correspond to as many samples of `dim` units.
        let expected = in_lanes(&fixture.reals(&name), height * width, height * width);
        assert_close(&name, &table, &expected, TOLERANCE);
    }
}

#[test]
fn attentions() {
    for (name, heads, dim) in [("attention_2x8", 2, 8), ("attention_3x4_sharp", 3, 4)] {
        each([name], |case| {
            let (plane, features) = case.plane("x");
            let attention = AttentionPass {
                heads,
                dim,
                tokens: plane[1],
                lanes: LANES,
                fused: false,
            };
            assert_eq!(features, 3 * heads * dim);
            let probabilities = case.noise(attention.probability_words());
            let scratch = case.noise(attention.scratch_words());
            let kept = probabilities.clone();
            plain(
                case,
                |plan, x, output| attention.forward(plan, case.step(), x, kept, output),
                |plan, [x, _, delta, x_delta]| {
                    attention.backward(plan, x, probabilities, delta, scratch, x_delta)
                },
            );
        });
    }
}
