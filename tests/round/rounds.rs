//! Whole rounds against the oracle, on both executors.

use rootlet::engine::Device;
use rootlet::topology::{LayerReport, Method, MethodName, Schedule, Scope, method};

use super::oracle;
use super::rig::Rig;
use super::world::{Random, Shape, World, assert_same, cpu, gpu, shape};

const SMALL: [Shape; 3] = [
    Shape {
        n_in: 13,
        n_out: 7,
        active: 30,
    },
    Shape {
        n_in: 7,
        n_out: 19,
        active: 66,
    },
    Shape {
        n_in: 19,
        n_out: 3,
        active: 11,
    },
];

fn assert_reports(found: &[LayerReport], expected: &[LayerReport]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        let near = |x: f32, y: f32| (x - y).abs() <= 1e-5 * y.abs();
        assert!(near(f.grown_gradient, e.grown_gradient), "{f:?} {e:?}");
        assert!(near(f.pruned_magnitude, e.pruned_magnitude), "{f:?} {e:?}");
        let counts = |r: &LayerReport| (r.active, r.total, r.candidates, r.pruned, r.grown);
        assert_eq!(counts(f), counts(e));
    }
}

/// Runs `rounds` rounds, each with new activations and some changed weights, and compares each with the oracle.
pub fn follow(
    device: Device,
    world: World,
    method: &dyn Method,
    scope: Scope,
    gamma: f64,
    rounds: u32,
) {
    let rig = Rig::new(device, &world, method, scope, gamma);
    follow_with(rig, world, method, scope, gamma, rounds);
}

/// The same with an existing round for the world.
pub fn follow_with(
    mut rig: Rig,
    mut world: World,
    method: &dyn Method,
    scope: Scope,
    gamma: f64,
    rounds: u32,
) {
    let schedule = Schedule {
        alpha: 0.5,
        every: 1,
        until: u64::from(rounds) + 1,
    };
    let n = rig.arena.connections();
    for step in 1..=rounds {
        let seed = u64::from(step) * 77 + 5;
        let windows = world.windows.clone();
        let fresh = World::with_windows(&shapes(&world), windows, world.count, seed);
        world.activations = fresh.activations;
        world.deltas = fresh.deltas;
        let mut random = Random(u64::from(step));
        for layer in &mut world.layers {
            for value in &mut layer.values {
                // Training moves the grown ones away from zero.
                if random.below(3) == 0 {
                    *value += (random.below(9) as f32 - 4.0) / 16.0;
                }
            }
        }
        rig.arena.import(&rig.device, &world.layers).unwrap();
        rig.set(&world, step);
        let alpha = schedule.alpha_at(u64::from(step));
        let report = rig.run(alpha);
        let expected = oracle::round(&mut world, method, scope, gamma, alpha, step);
        assert_same(&rig.export(), &world.layers);
        assert_reports(&report.layers, &expected);
        rig.check_arena();
        assert_eq!(report.layers.iter().map(|l| l.active).sum::<usize>(), n);
        let active: Vec<usize> = world.layers.iter().map(|l| l.active()).collect();
        assert_eq!(rig.round.active(), active);
    }
}

fn shapes(world: &World) -> Vec<Shape> {
    world
        .layers
        .iter()
        .map(|l| shape(l.n_in, l.n_out, 0))
        .collect()
}

fn all_methods(device: fn() -> Device, rounds: u32) {
    for scope in [Scope::Layer, Scope::Global] {
        for name in MethodName::NAMES {
            let world = World::new(&SMALL, 6, 3);
            follow(
                device(),
                world,
                method(name).unwrap().as_ref(),
                scope,
                1.0,
                rounds,
            );
        }
    }
}

#[test]
fn every_method_follows_the_oracle_on_cpu() {
    all_methods(cpu, 12);
}

#[test]
fn every_method_follows_the_oracle_on_wgpu() {
    all_methods(gpu, 4);
}

/// Several blocks of the scans and sorts, columns and rows of more than two digits.
const LARGE: [Shape; 3] = [
    Shape {
        n_in: 300,
        n_out: 280,
        active: 9000,
    },
    Shape {
        n_in: 280,
        n_out: 310,
        active: 5000,
    },
    Shape {
        n_in: 310,
        n_out: 10,
        active: 2500,
    },
];

#[test]
fn large_layers_follow_the_oracle() {
    for scope in [Scope::Layer, Scope::Global] {
        for device in [cpu, gpu] {
            let m = method("rigl").unwrap();
            follow(
                device(),
                World::new(&LARGE, 10, 8),
                m.as_ref(),
                scope,
                1.0,
                2,
            );
            let m = method("gse-grabo").unwrap();
            follow(
                device(),
                World::new(&LARGE, 10, 9),
                m.as_ref(),
                scope,
                2.0,
                2,
            );
        }
    }
}

#[test]
fn threads_do_not_change_bits() {
    let results: Vec<_> = [1, 2, 3]
        .map(|threads| {
            let mut world = World::new(&LARGE, 37, 21);
            // Not integers, so sums are rounded.
            for values in world.activations.iter_mut().chain(&mut world.deltas) {
                values.iter_mut().for_each(|v| *v *= 0.1);
            }
            let m = method("gse-graest").unwrap();
            let device = Device::cpu(threads).unwrap();
            let mut rig = Rig::new(device, &world, m.as_ref(), Scope::Global, 1.5);
            rig.set(&world, 4);
            let report = rig.run(0.3);
            (rig.export(), report.layers)
        })
        .into();
    for other in &results[1..] {
        assert_same(&results[0].0, &other.0);
        assert_eq!(results[0].1, other.1);
    }
}
