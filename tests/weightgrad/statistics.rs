//! The sums behind f and g for layers with many positions.

use rootlet::engine::random::{Stream, random};
use rootlet::engine::{Class, Device, Plan, StepState};
use rootlet::sparse::{LayerSpan, Window};
use rootlet::topology::{Distribution, Statistics};

use crate::case::{Case, WINDOWS, window};
use crate::common::{Random, devices, gpus, says};

const SEED: u32 = 9;
const STEP: u32 = 70;
const WEIGHTED: [Distribution; 2] = [Distribution::GraBo, Distribution::GraEst];

/// Integers, whose sums are exact in any order.
fn integer(random: &mut Random) -> f32 {
    (random.word() % 9) as f32 - 4.0
}

fn cases(random: &mut Random, value: impl Fn(&mut Random) -> f32) -> Vec<Case> {
    let mut cases: Vec<Case> = WINDOWS
        .iter()
        .enumerate()
        .map(|(i, &sizes)| {
            let (channels, n_out) = ([1, 3, 2][i % 3], [4, 1, 19][i % 3]);
            let count = [1, 3, 8, 37, 70][i % 5];
            Case::new(random, window(sizes), channels, n_out, count, &value)
        })
        .collect();
    // One position: a linear layer.
    cases.push(Case::new(
        random,
        Window::pointwise([1, 1]),
        21,
        9,
        45,
        &value,
    ));
    // The batch is a whole number of the sums' blocks.
    cases.push(Case::new(random, window(WINDOWS[6]), 2, 2, 64, &value));
    cases
}

/// Sums over inputs and outputs of a batch whose `parts` are on the device one after another.
fn solve(
    case: &Case,
    device: &Device,
    distribution: Distribution,
    parts: &[usize],
) -> [Vec<f32>; 2] {
    let span = LayerSpan {
        n_in: case.n_in,
        n_out: case.n_out,
        first_col: 2,
        first_row: 1,
    };
    let noise = |words: usize| {
        device
            .buffer_with("noise", Class::Scratch, &Random(1).noise(words))
            .unwrap()
    };
    let inputs = noise(case.n_in + 3);
    let outputs = noise(case.n_out + 3);
    let positions = case.window.output_positions() + 2;
    let mut first = 0;
    for &count in parts {
        let lanes = count.next_multiple_of(4);
        let state = StepState {
            first: first as u32,
            total: case.count as u32,
            ..StepState::whole(SEED, STEP, count, 0.0)
        };
        let words: &[u32] = bytemuck_words(&state);
        let part = |values: &[f32]| {
            let part: Vec<f32> = values
                .chunks(case.lanes)
                .flat_map(|row| {
                    let mut part = row[first..first + count].to_vec();
                    part.resize(lanes, 5e30);
                    part
                })
                .collect();
            device
                .buffer_with("values", Class::Activations, &part)
                .unwrap()
                .all()
        };
        let statistics = Statistics {
            distribution,
            lanes,
            step: device
                .buffer_with("step", Class::Scratch, words)
                .unwrap()
                .all(),
            signs: noise(positions * lanes).all(),
            accumulate: first > 0,
        };
        let mut plan = Plan::new("test");
        let (input, delta) = (part(&case.input), part(&case.delta));
        statistics.signs(&mut plan, positions).unwrap();
        statistics
            .inputs(&mut plan, &span, &case.window, input, inputs.all())
            .unwrap();
        statistics
            .outputs(&mut plan, &span, &case.window, delta, outputs.all())
            .unwrap();
        let program = device.prepare(&plan).unwrap();
        for check in device.run_checked(&program, "").unwrap() {
            assert_eq!(check.different, 0, "{}: {check:?}", case.name());
        }
        first += count;
    }
    [
        device.download(&inputs.range(2..2 + case.n_in)).unwrap(),
        device.download(&outputs.range(1..1 + case.n_out)).unwrap(),
    ]
}

fn bytemuck_words(state: &StepState) -> &[u32] {
    rootlet::engine::kernel::bytemuck::cast_slice(std::slice::from_ref(state))
}

/// The sums by their definition.
fn expected(case: &Case, distribution: Distribution) -> [Vec<f64>; 2] {
    let sum = |values: Vec<f64>| -> f64 {
        let values = values.into_iter().enumerate();
        let term = |(i, x): (usize, f64)| {
            let (position, member) = (i / case.count, i % case.count);
            let [word, ..] = random(SEED, STEP, Stream::Signs, position as u32, member as u32);
            match (distribution, word >> 31) {
                (Distribution::GraBo, _) => x.abs(),
                (_, 0) => x,
                _ => -x,
            }
        };
        values.map(term).sum()
    };
    [
        (0..case.n_in).map(|a| sum(case.patches(a))).collect(),
        (0..case.n_out).map(|b| sum(case.deltas(b))).collect(),
    ]
}

#[test]
fn sums_are_those_of_the_padded_patches() {
    let cases = cases(&mut Random(1), integer);
    for (name, device) in devices() {
        for case in &cases {
            for distribution in WEIGHTED {
                let found = solve(case, &device, distribution, &[case.count]);
                let found = found.map(|sums| sums.into_iter().map(f64::from).collect::<Vec<_>>());
                let what = format!("{name}, {distribution:?}, {}", case.name());
                assert_eq!(found, expected(case, distribution), "{what}");
            }
        }
    }
}

#[test]
fn a_batch_in_parts_sums_to_the_same() {
    let cases = cases(&mut Random(2), integer);
    for (name, device) in devices() {
        for case in cases.iter().filter(|case| case.count >= 8) {
            for distribution in WEIGHTED {
                let parts = [5, 1, case.count - 6];
                let found = solve(case, &device, distribution, &parts);
                let found = found.map(|sums| sums.into_iter().map(f64::from).collect::<Vec<_>>());
                let what = format!("{name}, {distribution:?}, {}", case.name());
                assert_eq!(found, expected(case, distribution), "{what}");
            }
        }
    }
}

/// Rounding decides which candidates are drawn, so it must be the same everywhere.
#[test]
fn bits_are_the_same_on_every_adapter_and_number_of_threads() {
    let random = &mut Random(3);
    let cases = cases(random, Random::real);
    let mut others = gpus();
    others.extend([1, 5].map(|threads| ("cpu".to_owned(), Device::cpu(threads).unwrap())));
    let cpu = Device::cpu(2).unwrap();
    let bits =
        |sums: [Vec<f32>; 2]| sums.map(|s| s.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
    for case in &cases {
        for distribution in WEIGHTED {
            let parts = [case.count];
            let expected = bits(solve(case, &cpu, distribution, &parts));
            for (name, device) in &others {
                let found = bits(solve(case, device, distribution, &parts));
                assert_eq!(found, expected, "{name}, {distribution:?}, {}", case.name());
            }
        }
    }
}

#[test]
fn signs_without_room_are_refused() {
    let device = Device::cpu(1).unwrap();
    let buffer = |words| device.buffer("test", Class::Scratch, words).unwrap().all();
    let statistics = Statistics {
        distribution: Distribution::GraEst,
        lanes: 8,
        step: buffer(6),
        signs: buffer(80),
        accumulate: false,
    };
    let mut plan = Plan::new("test");
    statistics.signs(&mut plan, 10).unwrap();
    says(
        statistics.signs(&mut plan, 11),
        &["11 positions", "80 words"],
    );
    says(statistics.signs(&mut plan, 1 << 24), &["2^24"]);
}
