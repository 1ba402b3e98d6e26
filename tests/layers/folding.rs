//! More than 65,535 workgroups: rows and items beyond the fold are computed, and none twice.

use rootlet::engine::{Class, StepState};
use rootlet::layer::{
    Activation, AveragePoolPass, DropoutPass, GlobalAveragePass, MaxPoolPass, ShortcutPass,
};
use rootlet::sparse::Window;

use crate::common::{Random, devices};
use crate::harness::{Output, run};

/// One row per workgroup in the software shape.
const ROWS: usize = 65_600;

#[test]
fn rows_beyond_the_fold() {
    let random = &mut Random(61);
    let (x, d) = (random.reals(ROWS * 4), random.reals(ROWS * 4));
    let window = Window::pointwise([1, 1]);
    let max = MaxPoolPass {
        channels: ROWS,
        window,
        lanes: 4,
    };
    let average = AveragePoolPass {
        channels: ROWS,
        window,
        lanes: 4,
    };
    let global = GlobalAveragePass {
        units: ROWS,
        positions: 1,
        lanes: 4,
    };
    let dropout = DropoutPass {
        p: 0.0,
        layer: 0,
        elements: ROWS,
        lanes: 4,
    };
    let shortcut = ShortcutPass {
        channels_in: ROWS,
        channels_out: ROWS,
        input: [1, 1],
        stride: [1, 1],
        lanes: 4,
    };
    let state = StepState::whole(1, 1, 4, 0.1);
    for (name, device) in devices() {
        let words: &[u32] =
            rootlet::engine::kernel::bytemuck::cast_slice(std::slice::from_ref(&state));
        let step = device
            .buffer_with("step", Class::Scratch, words)
            .unwrap()
            .all();
        // Each is the identity: of x forward, of d backward.
        for layer in 0..9 {
            let found = run(
                &device,
                &name,
                &[&x, &d],
                Output::Noise(ROWS * 4),
                |plan, i, o| {
                    let [x, d] = [0, 1].map(|n| i[n].clone());
                    match layer {
                        0 => max.forward(plan, x, o),
                        1 => average.forward(plan, x, o),
                        2 => global.forward(plan, x, o),
                        3 => dropout.forward(plan, step.clone(), x, o),
                        4 => shortcut.forward(plan, x, o),
                        5 => max.backward(plan, x.clone(), x, d, o, false),
                        6 => average.backward(plan, d, o, false),
                        7 => global.backward(plan, d, o, false),
                        _ => shortcut.backward(plan, d, o, false),
                    }
                },
            );
            let expected = if layer < 5 { &x } else { &d };
            assert!(&found == expected, "layer {layer} on {name}");
        }
    }
}

/// 256 vectors per workgroup: going beyond the fold would need 256 MiB, so this only uses many workgroups.
#[test]
fn many_workgroups_of_items() {
    let random = &mut Random(62);
    let x = random.reals(260_004);
    for (name, device) in devices() {
        let found = run(
            &device,
            &name,
            &[&x],
            Output::Noise(x.len()),
            |plan, i, o| Activation::Relu.forward(plan, i[0].clone(), o, x.len()),
        );
        assert!(
            found.iter().zip(&x).all(|(y, x)| *y == x.max(0.0)),
            "{name}"
        );
    }
}
