//! RigL: all inactive pairs in tiles of any size, against the oracle's dense gradients and sort.

use std::sync::Arc;

use rootlet::engine::{Class, Device, Grid, Plan, STEP_WORDS};
use rootlet::sparse::{Arena, LayerState, Window};
use rootlet::topology::{
    Candidates, Growth, Method, Round, RoundOptions, Scope, ScoreInputs, method,
};

use super::rig::Rig;
use super::rounds::follow_with;
use super::world::{World, assert_same, cpu, gpu, shape};

fn rigl() -> Box<dyn Method> {
    method("rigl").unwrap()
}

/// One pair; less than a row; a row of the first layer; a row of the last; ragged; a few rows; a layer except one pair;
/// everything.
const TILES: [usize; 8] = [1, 5, 13, 19, 38, 40, 132, 1 << 20];

fn linear() -> World {
    // The second layer is half dense, and the third has one or two empty last rows.
    World::new(
        &[shape(13, 7, 30), shape(7, 19, 66), shape(19, 3, 11)],
        6,
        3,
    )
}

/// Padding, strides, an even kernel, a window of one position, tokens and a plain layer.
fn convolutional() -> World {
    let windows = vec![
        Window::new([5, 4], [3, 3], [1, 1], [1, 1]).unwrap(),
        Window::new([5, 4], [2, 2], [2, 1], [0, 0]).unwrap(),
        Window::new([3, 3], [3, 3], [1, 1], [0, 0]).unwrap(),
        Window::pointwise([2, 3]),
        Window::pointwise([1, 1]),
    ];
    let shapes = [
        shape(3 * 9, 5, 21),
        shape(5 * 4, 6, 50),
        shape(2 * 9, 4, 9),
        shape(9, 11, 20),
        shape(11, 10, 24),
    ];
    World::with_windows(&shapes, windows, 5, 17)
}

fn any_tile_follows_the_oracle(device: fn() -> Device, tiles: &[usize], rounds: u32) {
    for world in [linear(), convolutional()] {
        for scope in [Scope::Layer, Scope::Global] {
            for &tile in tiles {
                let m = rigl();
                let rig = Rig::with_tile(device(), &world, m.as_ref(), scope, 1.0, Some(tile));
                follow_with(rig, world.clone(), m.as_ref(), scope, 1.0, rounds);
            }
        }
    }
}

#[test]
fn tiles_of_any_size_follow_the_oracle_on_cpu() {
    any_tile_follows_the_oracle(cpu, &TILES, 6);
}

#[test]
fn tiles_of_any_size_follow_the_oracle_on_wgpu() {
    any_tile_follows_the_oracle(gpu, &[5, 13, 40, 1 << 20], 2);
}

/// Not integers: gradients are rounded, and hardly any two tie.
fn rounding(mut world: World) -> World {
    for values in world.activations.iter_mut().chain(&mut world.deltas) {
        for (i, value) in values.iter_mut().enumerate() {
            *value *= 0.1 + (i % 97) as f32 / 89.0;
        }
    }
    world
}

/// Compares the topology, the weights' bits and the reports, including sums of grown gradients.
fn tiles_agree(device: fn() -> Device, world: &World, tiles: &[usize]) {
    for scope in [Scope::Layer, Scope::Global] {
        let results: Vec<_> = (tiles.iter())
            .map(|&tile| {
                let m = rigl();
                let mut rig = Rig::with_tile(device(), world, m.as_ref(), scope, 1.0, Some(tile));
                rig.set(world, 4);
                let report = rig.run(0.3);
                (rig.export(), report.layers)
            })
            .collect();
        for other in &results[1..] {
            assert_same(&results[0].0, &other.0);
            assert_eq!(results[0].1, other.1);
        }
    }
}

#[test]
fn tiles_of_any_size_give_the_same_bits() {
    for (device, tiles) in [(cpu as fn() -> Device, &TILES[..]), (gpu, &TILES[2..6])] {
        tiles_agree(device, &rounding(convolutional()), tiles);
        let wide = World::new(&[shape(300, 280, 5000), shape(280, 10, 900)], 37, 5);
        tiles_agree(device, &rounding(wide), &[999, 300, 33_000, 1 << 20]);
    }
}

/// So many draws that every pair is drawn.
#[test]
fn gse_with_everything_drawn_grows_what_rigl_grows() {
    let gammas = [("gse-uniform", 150.0), ("gse-grabo", 400.0)];
    for device in [cpu, gpu] {
        for scope in [Scope::Layer, Scope::Global] {
            let world = rounding(linear());
            let m = rigl();
            let mut rig = Rig::with_tile(device(), &world, m.as_ref(), scope, 1.0, Some(17));
            rig.set(&world, 4);
            let expected = rig.run(0.4);
            for (name, gamma) in gammas {
                let gse = method(name).unwrap();
                let mut other = Rig::new(device(), &world, gse.as_ref(), scope, gamma);
                other.set(&world, 4);
                let report = other.run(0.4);
                for (layer, scored) in report.layers.iter().zip(&expected.layers) {
                    assert_eq!(
                        layer.candidates, scored.candidates,
                        "{name} drew too little"
                    );
                }
                assert_same(&rig.export(), &other.export());
                assert_eq!(expected.layers, report.layers);
            }
        }
    }
}

rootlet::kernel! {
    /// Multiplies the scores of a layer's candidates by 1, 2 or 3, by row.
    pub Weighted, WeightedParams, WeightedTwin = "tests/weighted", include_str!("weighted.wgsl");
    params { first_row: u32, n_out: u32, slots: u32 }
    no loops;
    read offsets: u32,
    read rows: u32,
    write scores: f32,
}

impl WeightedTwin<'_> {
    fn run(self) {
        let p = self.params;
        let [begin, end] = [p.first_row, p.first_row + p.n_out].map(|r| self.offsets[r as usize]);
        for slot in begin as usize..end as usize {
            self.scores[slot] *= (1 + (self.rows[slot] - p.first_row) % 3) as f32;
        }
    }
}

/// A custom method, with its own kernel, over all pairs: the oracle knows its name.
struct ByRow;

impl Method for ByRow {
    fn name(&self) -> &str {
        "by-row"
    }

    fn growth(&self) -> Arc<dyn Growth> {
        Arc::new(ByRow)
    }
}

impl Growth for ByRow {
    fn candidates(&self) -> Candidates {
        Candidates::All
    }

    fn score(&self, inputs: &ScoreInputs<'_>, plan: &mut Plan) -> rootlet::Result<()> {
        inputs.gradient(plan)?;
        let kernel = Weighted {
            params: WeightedParams {
                first_row: inputs.span.first_row as u32,
                n_out: inputs.span.n_out as u32,
                slots: inputs.capacity as u32,
            },
            offsets: inputs.candidate_offsets.clone(),
            rows: inputs.candidate_rows.clone(),
            scores: inputs.scores.clone(),
        };
        plan.dispatch(kernel, Grid::Items(inputs.capacity))
    }
}

#[test]
fn a_score_of_ones_own_ranks_all_pairs() {
    for device in [cpu, gpu] {
        for scope in [Scope::Layer, Scope::Global] {
            for tile in [11, 40] {
                let world = linear();
                let rig = Rig::with_tile(device(), &world, &ByRow, scope, 1.0, Some(tile));
                follow_with(rig, world, &ByRow, scope, 1.0, 3);
            }
        }
    }
}

/// Scores that the step does not compute cannot be computed tile by tile; and tiles cannot be empty.
#[test]
fn what_cannot_be_ranked_is_refused() {
    struct Blind;

    impl Method for Blind {
        fn name(&self) -> &str {
            "blind"
        }

        fn growth(&self) -> Arc<dyn Growth> {
            Arc::new(Blind)
        }
    }

    impl Growth for Blind {
        fn candidates(&self) -> Candidates {
            Candidates::All
        }

        fn scores_by_step(&self) -> bool {
            false
        }
    }

    let world = linear();
    let device = cpu();
    let arena = Arena::new(&device, &world.layers).unwrap();
    let step = device.buffer("step", Class::Scratch, STEP_WORDS).unwrap();
    let refusal = |method: &dyn Method, tile: Option<usize>| {
        let options = RoundOptions {
            scope: Scope::Layer,
            gamma: 1.0,
            distinct: false,
            lanes: 4,
            step: step.all(),
            windows: world.windows.clone(),
            tile,
        };
        let round = Round::new(&device, &arena, method, options);
        round.err().unwrap().to_string()
    };
    assert!(refusal(&Blind, None).contains("`blind` cannot rank all inactive pairs"));
    assert!(refusal(rigl().as_ref(), Some(0)).contains("tile of no pairs"));
}

/// The same number of connections between more and more units.
#[test]
fn no_buffer_grows_with_the_pairs() {
    const N: usize = 3000;
    let sizes = |n: usize| -> Vec<(String, u64)> {
        let pairs: Vec<(u32, u32)> = (0..N).map(|i| ((i / 30) as u32, (i % 30) as u32)).collect();
        let device = cpu();
        let arena = Arena::new(&device, &[LayerState::from_pairs(n, n, &pairs)]).unwrap();
        let step = device
            .buffer("step", Class::Activations, STEP_WORDS)
            .unwrap();
        let options = RoundOptions {
            scope: Scope::Layer,
            gamma: 1.0,
            distinct: false,
            lanes: 4,
            step: step.all(),
            windows: vec![Window::pointwise([1, 1])],
            tile: None,
        };
        let round = Round::new(&device, &arena, rigl().as_ref(), options).unwrap();
        let views = round.scratch();
        let bytes = views.iter().map(|v| 4 * v.words() as u64).sum::<u64>();
        assert_eq!(
            device.ledger().current(Class::Scratch),
            bytes,
            "all of it is listed"
        );
        let label = |v: &rootlet::engine::View| v.buffer().label().to_owned();
        views
            .iter()
            .map(|v| (label(v), 4 * v.words() as u64))
            .collect()
    };
    let [narrow, wide, widest] = [1000, 2000, 4000].map(sizes);
    let total: u64 = widest.iter().map(|(_, bytes)| bytes).sum();
    // 16 million pairs; a tile takes 2^18 of them, five words each.
    assert!(total < 7 << 20, "{total}");
    for ((label, a), ((_, b), (_, c))) in narrow.iter().zip(wide.iter().zip(&widest)) {
        // A word or two per unit: what doubles with the width is linear, what quadruples is not.
        assert!(
            b - a <= 8 * 1000 && c - b <= 8 * 2000,
            "{label}: {a} {b} {c}"
        );
    }
}
