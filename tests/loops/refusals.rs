//! Loops that no splitting makes short enough are refused when a plan is recorded, by the kernel's name.

use rootlet::engine::loops::{MOST_ITERATIONS, Part, Piece, further};
use rootlet::engine::{Class, Device, Grid, Plan, View};
use rootlet::layer::{SoftmaxCrossEntropy, SoftmaxCrossEntropyParams};

use crate::common::says;

rootlet::kernel! {
    /// Claims to loop as often as requested.
    pub Told, ToldParams, ToldTwin = "tests/told", "";
    params { rounds: u32 }
    loops |p, _| further(p.rounds);
    write output: f32,
}

impl ToldTwin<'_> {
    fn run(self) {}
}

rootlet::kernel! {
    /// The same in two pieces.
    pub Halved, HalvedParams, HalvedTwin = "tests/halved", "";
    params { rounds: u32 }
    pieces |p, grid, _| vec![Piece { part: Part::default(), grid, iterations: u64::from(p.rounds / 2) }; 2];
    write output: f32,
}

impl HalvedTwin<'_> {
    fn run(self) {}
}

fn output() -> View {
    let device = Device::cpu(1).unwrap();
    device.buffer("output", Class::Scratch, 4).unwrap().all()
}

#[test]
fn longer_loops_than_adapters_finish_are_refused() {
    let most = MOST_ITERATIONS as u32;
    assert!(most < 65_535, "llvmpipe ends them there");
    let told = |rounds| {
        let params = ToldParams { rounds };
        let output = output();
        Plan::new("refusing").dispatch(Told { params, output }, Grid::Items(1))
    };
    told(most).unwrap();
    says(
        told(most + 1),
        &["`refusing`", "`tests/told`", "60001 iterations", "60000"],
    );
    let halved = |rounds| {
        let params = HalvedParams { rounds };
        let output = output();
        Plan::new("refusing").dispatch(Halved { params, output }, Grid::Items(1))
    };
    halved(2 * most).unwrap();
    says(halved(2 * most + 2), &["`tests/halved`"]);
}

#[test]
fn so_is_a_layer_that_no_cut_helps() {
    let softmax = |classes: u32| {
        let device = Device::cpu(1).unwrap();
        let buffer = |words: usize| device.buffer("any", Class::Scratch, words).unwrap().all();
        let logits = classes as usize * 4;
        let kernel = SoftmaxCrossEntropy {
            params: SoftmaxCrossEntropyParams {
                classes,
                lanes: 4,
                smoothing: 0.0,
            },
            step: buffer(8),
            logits: buffer(logits),
            labels: buffer(4),
            delta: buffer(logits),
            losses: buffer(4),
            correct: buffer(4),
        };
        Plan::new("loss").dispatch(kernel, Grid::Items(4))
    };
    softmax(59_996).unwrap();
    says(
        softmax(59_997),
        &["`layer/softmax_cross_entropy`", "smaller"],
    );
}
