//! Patches against the definition of their order, and their backward pass as the adjoint.

use rootlet::engine::{Class, Device, Plan};
use rootlet::layer::PatchifyPass;

use crate::common::{Random, devices, says};
use crate::problem::{Output, run_checked};

/// Channels, height, width, patch, lanes.
const SIZES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 1, 1, 1, 4),
    (3, 1, 1, 1, 8),
    (1, 6, 4, 2, 4),
    (3, 8, 12, 4, 4),
    (2, 3, 9, 3, 132),
    (5, 2, 2, 2, 36),
    (3, 4, 4, 1, 12),
];

/// The tokens or (`inverse`) the image.
fn run(
    device: &Device,
    patches: &PatchifyPass,
    input: &[f32],
    inverse: bool,
    what: &str,
) -> Vec<f32> {
    let what = &format!("{what}, {patches:?}, inverse {inverse}");
    let given = device.buffer_with("input", Class::Activations, input);
    let output = Output::new(device, "output", patches.words());
    let mut plan = Plan::new("patches");
    let given = given.unwrap().all();
    match inverse {
        false => patches.forward(&mut plan, given, output.view()),
        true => patches.backward(&mut plan, given, output.view()),
    }
    .unwrap();
    run_checked(device, &plan, what);
    output.read(device, what)
}

#[test]
fn tokens_have_the_order_of_their_definition() {
    for (name, device) in devices() {
        for (channels, height, width, patch, lanes) in SIZES {
            let patches = PatchifyPass::new(channels, [height, width], patch, lanes).unwrap();
            // Every word is its own number.
            let image: Vec<f32> = (0..patches.words()).map(|i| i as f32).collect();
            let tokens = run(&device, &patches, &image, false, &name);
            let [down, across] = patches.grid();
            assert_eq!(
                tokens.len(),
                patches.features() * down * across * lanes,
                "{patches:?}"
            );
            // einops: b c (h p1) (w p2) -> b (h w) (p1 p2 c)
            let mut found = tokens.iter();
            for p1 in 0..patch {
                for p2 in 0..patch {
                    for c in 0..channels {
                        for h in 0..down {
                            for w in 0..across {
                                let (y, x) = (h * patch + p1, w * patch + p2);
                                for lane in 0..lanes {
                                    let word = ((c * height + y) * width + x) * lanes + lane;
                                    assert_eq!(
                                        *found.next().unwrap(),
                                        word as f32,
                                        "{name}, {patches:?}: {p1} {p2} {c} of token {h} {w}"
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn backward_is_the_adjoint_and_the_inverse() {
    let random = &mut Random(2);
    for (name, device) in devices() {
        for (channels, height, width, patch, lanes) in SIZES {
            let patches = PatchifyPass::new(channels, [height, width], patch, lanes).unwrap();
            let [image, delta] = [(); 2].map(|()| random.reals(patches.words()));
            let tokens = run(&device, &patches, &image, false, &name);
            let back = run(&device, &patches, &delta, true, &name);
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                let terms = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
                terms.sum()
            };
            let (forward, backward) = (dot(&tokens, &delta), dot(&image, &back));
            assert!(
                (forward - backward).abs() < 1e-9,
                "{name}, {patches:?}: {forward} and {backward}"
            );
            assert_eq!(
                run(&device, &patches, &tokens, true, &name),
                image,
                "{name}"
            );
        }
    }
}

#[test]
fn patches_that_do_not_tile_the_plane_are_refused() {
    for (plane, patch) in [
        ([8, 6], 4),
        ([6, 8], 4),
        ([2, 2], 4),
        ([4, 4], 0),
        ([0, 4], 4),
    ] {
        says(PatchifyPass::new(3, plane, patch, 4), &["do not tile"]);
    }
    says(PatchifyPass::new(0, [4, 4], 4, 4), &["0 channels"]);
    says(PatchifyPass::new(3, [4, 4], 4, 6), &["6 lanes"]);
    let device = Device::cpu(1).unwrap();
    let patches = PatchifyPass::new(3, [4, 4], 2, 4).unwrap();
    let small = device.buffer("small", Class::Scratch, 188).unwrap();
    let right = device.buffer("right", Class::Scratch, 192).unwrap();
    let mut plan = Plan::new("test");
    says(
        patches.forward(&mut plan, small.all(), right.all()),
        &["188", "192", "`small`"],
    );
    says(
        patches.backward(&mut plan, right.all(), small.all()),
        &["188", "192", "`small`"],
    );
}
