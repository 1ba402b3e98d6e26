//! Layers that do not fit their views say so while they are recorded.

use rootlet::engine::{Class, Device, Plan};
use rootlet::layer::{
    Activation, AddForward, AddInto, AveragePoolPass, GlobalAveragePass, MaxPoolPass, ShortcutPass,
};
use rootlet::sparse::Window;

use crate::common::says;

#[test]
fn views_that_are_too_short() {
    let device = Device::cpu(1).unwrap();
    let view = |words| device.buffer("b", Class::Scratch, words).unwrap().all();
    let plan = &mut Plan::new("test");
    let window = Window::new([4, 4], [2, 2], [2, 2], [0, 0]).unwrap();
    let max = MaxPoolPass {
        channels: 1,
        window,
        lanes: 4,
    };
    let average = AveragePoolPass {
        channels: 1,
        window,
        lanes: 4,
    };
    let global = GlobalAveragePass {
        units: 2,
        positions: 3,
        lanes: 4,
    };
    says(
        max.forward(plan, view(60), view(16)),
        &["pooling", "`input` has 60", "64"],
    );
    says(
        max.forward(plan, view(64), view(12)),
        &["pooling", "`output` has 12", "16"],
    );
    let backward = max.backward(plan, view(64), view(16), view(16), view(60), false);
    says(backward, &["`result` has 60"]);
    says(
        average.forward(plan, view(64), view(12)),
        &["`output` has 12"],
    );
    says(
        average.backward(plan, view(12), view(64), false),
        &["`delta` has 12"],
    );
    says(
        global.forward(plan, view(20), view(8)),
        &["global average", "`input` has 20"],
    );
    says(
        global.backward(plan, view(4), view(24), false),
        &["`delta` has 4"],
    );
    says(
        Activation::Gelu.forward(plan, view(8), view(4), 8),
        &["activation", "`output` has 4"],
    );
    let backward = Activation::Relu.backward(plan, view(8), view(4), view(8), 8, true);
    says(backward, &["`delta` has 4"]);
    says(
        AddForward::record(plan, view(8), view(4), view(8), 8),
        &["sum", "`b` has 4"],
    );
    says(
        AddInto::record(plan, view(8), view(4), 8),
        &["sum", "`target` has 4"],
    );
    assert!(plan.dispatches().is_empty());
}

#[test]
fn sizes_that_cannot_be() {
    let device = Device::cpu(1).unwrap();
    let view = || device.buffer("b", Class::Scratch, 64).unwrap().all();
    let plan = &mut Plan::new("test");
    let lanes = Activation::Relu.forward(plan, view(), view(), 6);
    says(lanes, &["6 lanes", "multiple of 4"]);
    let usual = ShortcutPass {
        channels_in: 2,
        channels_out: 2,
        input: [2, 2],
        stride: [1, 1],
        lanes: 4,
    };
    usual.forward(plan, view(), view()).unwrap();
    for layer in [
        ShortcutPass {
            channels_out: 1,
            ..usual
        },
        ShortcutPass {
            stride: [0, 1],
            ..usual
        },
    ] {
        says(layer.forward(plan, view(), view()), &["shortcut from 2"]);
        says(
            layer.backward(plan, view(), view(), false),
            &["shortcut from 2"],
        );
    }
    let same = view();
    says(
        Activation::Relu.forward(plan, same.clone(), same, 8),
        &["same buffer"],
    );
}
