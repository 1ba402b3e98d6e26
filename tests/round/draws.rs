//! The drawn pairs follow f × g: Pearson's chi-squared at a fixed seed.

use rootlet::engine::{Class, Device, Grid, Plan};
use rootlet::sparse::{LayerSpan, Window};
use rootlet::topology::{Cumulate, CumulateParams, Distribution, Sample, SampleParams, Statistics};

use super::oracle::density;
use super::world::{World, cpu, gpu, shape, upload_f32, upload_u32};

const N_IN: usize = 7;
const N_OUT: usize = 5;
const DRAWS: usize = 40_000;
/// 34 degrees of freedom: exceeded by chance for one in ten thousand seeds.
const CRITICAL: f64 = 73.0;

/// Counts of `[output][input]` pairs, drawn by the kernels from the world's only layer.
fn counts(device: &Device, world: &World, distribution: Distribution) -> Vec<u32> {
    let lanes = world.lanes;
    // First slot, first column, inputs, first row, outputs, requested; then the end.
    let (n_in, n_out) = (N_IN as u32, N_OUT as u32);
    let layer = [0, 0, n_in, 0, n_out, 0, 0, 0];
    let end = [DRAWS as u32, n_in, 0, n_out, 0, 0, 0, 0];
    let table = upload_u32(device, &[layer, end].concat());
    let count = world.count as u32;
    let step = upload_u32(device, &[world.seed, 3, count, 0, 0, count]);
    let signs = device.buffer("signs", Class::Scratch, lanes).unwrap();
    let inputs = device.buffer("f", Class::Scratch, N_IN).unwrap();
    let outputs = device.buffer("g", Class::Scratch, N_OUT).unwrap();
    let (cols, rows) = (
        device.buffer("cols", Class::Scratch, DRAWS).unwrap(),
        device.buffer("rows", Class::Scratch, DRAWS).unwrap(),
    );
    let mut plan = Plan::new("draws");
    let statistics = Statistics {
        distribution,
        lanes,
        step: step.all(),
        signs: signs.all(),
        accumulate: false,
    };
    let span = LayerSpan {
        n_in: N_IN,
        n_out: N_OUT,
        first_col: 0,
        first_row: 0,
    };
    let window = Window::pointwise([1, 1]);
    let [activations, deltas] =
        [&world.activations[0], &world.deltas[0]].map(|values| upload_f32(device, values).all());
    statistics.signs(&mut plan, 1).unwrap();
    statistics
        .inputs(&mut plan, &span, &window, activations, inputs.all())
        .unwrap();
    statistics
        .outputs(&mut plan, &span, &window, deltas, outputs.all())
        .unwrap();
    for (sums, first) in [(&inputs, 1), (&outputs, 3)] {
        plan.dispatch(
            Cumulate {
                params: CumulateParams {
                    layers: 1,
                    first,
                    units: N_IN.max(N_OUT) as u32,
                },
                table: table.all(),
                sums: sums.all(),
            },
            Grid::Groups(1),
        )
        .unwrap();
    }
    plan.dispatch(
        Sample {
            params: SampleParams {
                capacity: DRAWS as u32,
                layers: 1,
                n_rows: n_out,
                weighted: u32::from(distribution != Distribution::Uniform),
                redraw: 0,
            },
            table: table.all(),
            inputs: inputs.all(),
            outputs: outputs.all(),
            cols: cols.all(),
            rows: rows.all(),
            // Not read in a first draw; no array may be bound twice.
            held_offsets: signs.all(),
            held_cols: signs.all(),
            held_rows: signs.all(),
            step: step.all(),
        },
        Grid::Items(DRAWS),
    )
    .unwrap();
    let program = device.prepare(&plan).unwrap();
    device.run(&program).unwrap();
    let get = |buffer: &rootlet::engine::Buffer| -> Vec<u32> {
        device.download(&buffer.range(0..DRAWS)).unwrap()
    };
    let mut counts = vec![0; N_IN * N_OUT];
    for (row, col) in get(&rows).into_iter().zip(get(&cols)) {
        counts[row as usize * N_IN + col as usize] += 1;
    }
    counts
}

fn chi_squared(counts: &[u32], f: &[f64], g: &[f64]) -> f64 {
    let total = f.iter().sum::<f64>() * g.iter().sum::<f64>();
    let mut chi = 0.0;
    for (row, g) in counts.chunks(N_IN).zip(g) {
        for (&count, f) in row.iter().zip(f) {
            let expected = DRAWS as f64 * f * g / total;
            if expected == 0.0 {
                assert_eq!(count, 0, "a pair without probability");
            } else {
                chi += (f64::from(count) - expected).powi(2) / expected;
            }
        }
    }
    chi
}

fn world() -> World {
    let mut world = World::new(&[shape(N_IN, N_OUT, 3)], 13, 6);
    // Fractions, and inactive units at the start, inside and at the end.
    for values in [&mut world.activations[0], &mut world.deltas[0]] {
        values.iter_mut().for_each(|v| *v *= 0.37);
    }
    for unit in [0, 3, N_IN - 1] {
        world.activations[0][unit * world.lanes..][..world.count].fill(0.0);
    }
    world.deltas[0][(N_OUT - 1) * world.lanes..].fill(0.0);
    world
}

#[test]
fn draws_follow_f_times_g() {
    for device in [cpu(), gpu()] {
        for distribution in [Distribution::GraBo, Distribution::GraEst] {
            let world = world();
            let counts = counts(&device, &world, distribution);
            let f = density(&world, &world.activations[0], distribution, 3);
            let g = density(&world, &world.deltas[0], distribution, 3);
            let chi = chi_squared(&counts, &f, &g);
            assert!(chi < CRITICAL, "{distribution:?}: {chi}");
            // The test has power: against the uniform distribution it fails.
            let uniform: f64 = counts
                .iter()
                .map(|&c| (f64::from(c) * 35.0 / DRAWS as f64 - 1.0).powi(2))
                .sum();
            assert!(uniform * DRAWS as f64 / 35.0 > CRITICAL);
        }
    }
}

#[test]
fn uniform_draws_are_uniform() {
    for device in [cpu(), gpu()] {
        let counts = counts(&device, &world(), Distribution::Uniform);
        let chi = chi_squared(&counts, &[1.0; N_IN], &[1.0; N_OUT]);
        assert!(chi < CRITICAL, "{chi}");
    }
}

#[test]
fn an_all_zero_side_counts_as_uniform() {
    for device in [cpu(), gpu()] {
        for distribution in [Distribution::GraBo, Distribution::GraEst] {
            let mut world = world();
            world.deltas[0].fill(0.0);
            let counts = counts(&device, &world, distribution);
            let f = density(&world, &world.activations[0], distribution, 3);
            let chi = chi_squared(&counts, &f, &[1.0; N_OUT]);
            assert!(chi < CRITICAL, "{distribution:?}: {chi}");
        }
    }
}
