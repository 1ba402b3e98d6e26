//! Candidates that are drawn again until they are distinct inactive pairs.

use std::collections::BTreeSet;

use rootlet::engine::Device;
use rootlet::topology::{Method, Scope, method};

use super::oracle;
use super::rig::Rig;
use super::world::{Shape, World, assert_same, cpu, gpu, shape};

/// Sparse, nearly half full, more than half full, and full; with so many columns that sorting takes an odd number of
/// passes.
const SHAPES: [Shape; 4] = [
    Shape {
        n_in: 90,
        n_out: 40,
        active: 70,
    },
    Shape {
        n_in: 11,
        n_out: 12,
        active: 60,
    },
    Shape {
        n_in: 9,
        n_out: 8,
        active: 50,
    },
    Shape {
        n_in: 5,
        n_out: 4,
        active: 20,
    },
];

fn rig(device: Device, world: &World, method: &dyn Method, gamma: f64) -> Rig {
    Rig::with(device, world, method, Scope::Layer, gamma, |options| {
        options.distinct = true
    })
}

fn requested(shape: &Shape, gamma: f64) -> usize {
    let drawn = (gamma * shape.active as f64).ceil() as usize;
    drawn.min(shape.n_in * shape.n_out - shape.active)
}

/// Both executors find as many as requested, and the same ones.
#[test]
fn as_many_as_asked_for_are_found() {
    for (name, gamma) in [("gse-uniform", 1.0), ("set", 0.5), ("gse-uniform", 2.0)] {
        let method = method(name).unwrap();
        let world = World::new(&SHAPES, 6, 3);
        let mut ends = Vec::new();
        for device in [cpu(), gpu()] {
            let mut rig = rig(device, &world, method.as_ref(), gamma);
            for step in 1..=5 {
                rig.set(&world, step);
                let report = rig.run(0.4);
                for (layer, shape) in report.layers.iter().zip(&SHAPES) {
                    let requested = requested(shape, gamma);
                    assert_eq!(
                        layer.candidates, requested,
                        "{name}, gamma {gamma}, step {step}"
                    );
                    let exchanged = (0.4 * shape.active as f64).ceil() as usize;
                    assert_eq!(layer.grown, exchanged.min(requested));
                }
                rig.check_arena();
            }
            ends.push(rig.export());
        }
        assert_same(&ends[1], &ends[0]);
    }
}

/// A single draw finds fewer, which is why the option exists.
#[test]
fn one_draw_finds_fewer() {
    let method = method("gse-uniform").unwrap();
    let world = World::new(&SHAPES, 6, 3);
    let mut rig = Rig::new(cpu(), &world, method.as_ref(), Scope::Layer, 1.0);
    rig.set(&world, 1);
    let report = rig.run(0.4);
    let layers = report.layers.iter().zip(&SHAPES);
    assert!(
        layers
            .take(3)
            .all(|(l, s)| l.candidates < requested(s, 1.0))
    );
}

/// If every inactive pair is requested, the candidates are those of RigL, whose oracle goes through all pairs.
#[test]
fn all_inactive_pairs_are_those_of_rigl() {
    for device in [cpu, gpu] {
        let (gse, rigl) = (method("gse-uniform").unwrap(), method("rigl").unwrap());
        let mut world = World::new(&SHAPES, 6, 9);
        let mut rig = rig(device(), &world, gse.as_ref(), 60.0);
        for step in 1..=3 {
            rig.set(&world, step);
            rig.run(0.3);
            oracle::round(&mut world, rigl.as_ref(), Scope::Layer, 1.0, 0.3, step);
            assert_same(&rig.export(), &world.layers);
        }
    }
}

/// With weights, a unit whose share is zero is never drawn: the round does without it, and ends.
#[test]
fn pairs_of_no_weight_are_done_without() {
    let method = method("gse-grabo").unwrap();
    let shapes = [shape(12, 10, 20)];
    let mut world = World::new(&shapes, 4, 5);
    // Of the inputs, only the first two were ever active.
    world.activations[0][2 * world.lanes..].fill(0.0);
    let mut rig = rig(cpu(), &world, method.as_ref(), 1.0);
    rig.set(&world, 1);
    let report = rig.run(1.0);
    let seen = 2 * 10;
    let active = world.layers[0].pairs().filter(|&(_, a)| a < 2).count();
    assert!(report.layers[0].candidates <= seen - active);
    assert!(report.layers[0].candidates > 0);
}

/// Every inactive pair is equally likely: at alpha = 1 all candidates grow, so the graph after a round is the candidate
/// set. Pearson's chi-squared over 600 rounds from one graph; exceeded by chance for one in ten thousand seeds.
#[test]
fn inactive_pairs_are_drawn_alike() {
    const ROUNDS: u32 = 600;
    let method = method("gse-uniform").unwrap();
    let shapes = [shape(7, 5, 12)];
    let world = World::new(&shapes, 4, 11);
    let active: BTreeSet<(u32, u32)> = world.layers[0].pairs().collect();
    let mut rig = rig(cpu(), &world, method.as_ref(), 1.0);
    let mut counts = vec![0.0; 35];
    for step in 1..=ROUNDS {
        rig.arena.import(&rig.device, &world.layers).unwrap();
        rig.set(&world, step);
        rig.run(1.0);
        for (b, a) in rig.export()[0].pairs() {
            assert!(!active.contains(&(b, a)));
            counts[(b * 7 + a) as usize] += 1.0;
        }
    }
    // 12 of 23 inactive pairs in each round, without replacement.
    let share = 12.0 / 23.0;
    let expected = f64::from(ROUNDS) * share;
    let chi: f64 = (0..35u32)
        .filter(|i| !active.contains(&(i / 7, i % 7)))
        .map(|i| (counts[i as usize] - expected).powi(2) / (expected * (1.0 - share)))
        .sum();
    // The sum over the pairs is fixed: 22 degrees of freedom, scaled by 23 / 22.
    assert!(chi * 22.0 / 23.0 < 56.0, "chi-squared {chi}");
}
