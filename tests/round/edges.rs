//! Extremes: dense, empty and tiny layers, ties everywhere, distributions of zeros, and what is refused.

use rootlet::engine::{Buffer, Class, STEP_WORDS};
use rootlet::sparse::{Arena, LayerState, Window};
use rootlet::topology::{Method, MethodName, Round, RoundOptions, Schedule, Scope, method};
use rootlet::{Error, Result};

use super::oracle;
use super::rig::Rig;
use super::rounds::follow;
use super::world::{World, assert_same, cpu, gpu, shape};

fn rigl() -> Box<dyn Method> {
    method("rigl").unwrap()
}

/// One round on each executor, compared with the oracle.
fn both(world: &World, method: &dyn Method, scope: Scope, gamma: f64, alpha_t: f64) -> World {
    let mut expected = world.clone();
    let reports = oracle::round(&mut expected, method, scope, gamma, alpha_t, 8);
    for device in [cpu(), gpu()] {
        let mut rig = Rig::new(device, world, method, scope, gamma);
        rig.set(world, 8);
        let found = rig.run(alpha_t);
        assert_same(&rig.export(), &expected.layers);
        rig.check_arena();
        for (f, e) in found.layers.iter().zip(&reports) {
            assert_eq!(
                (f.candidates, f.pruned, f.grown),
                (e.candidates, e.pruned, e.grown)
            );
        }
    }
    expected
}

#[test]
fn a_dense_layer_has_no_candidates() {
    let world = World::new(&[shape(6, 5, 30), shape(5, 4, 9)], 4, 1);
    for name in MethodName::NAMES {
        for scope in [Scope::Layer, Scope::Global] {
            both(&world, method(name).unwrap().as_ref(), scope, 1.0, 0.5);
        }
    }
    let dense = World::new(&[shape(6, 5, 30)], 4, 1);
    let after = both(&dense, rigl().as_ref(), Scope::Layer, 1.0, 1.0);
    assert_same(&after.layers, &dense.layers);
}

#[test]
fn no_more_is_exchanged_than_there_are_candidates() {
    let world = World::new(&[shape(8, 8, 60), shape(8, 3, 20)], 4, 2);
    for scope in [Scope::Layer, Scope::Global] {
        both(&world, rigl().as_ref(), scope, 1.0, 1.0);
        both(
            &world,
            method("gse-uniform").unwrap().as_ref(),
            scope,
            0.1,
            1.0,
        );
    }
}

#[test]
fn shares_of_nothing_and_of_everything() {
    let world = World::new(&[shape(20, 20, 40), shape(20, 9, 30)], 4, 3);
    for scope in [Scope::Layer, Scope::Global] {
        for alpha_t in [0.0, 1e-9, 1.0] {
            both(&world, rigl().as_ref(), scope, 1.0, alpha_t);
        }
        let m = method("gse-uniform").unwrap();
        let same = both(&world, m.as_ref(), scope, 0.0, 0.5);
        assert_same(&same.layers, &world.layers);
    }
}

#[test]
fn ties_go_to_the_lower_index() {
    let mut world = World::new(&[shape(90, 70, 3000), shape(70, 30, 300)], 4, 4);
    for layer in &mut world.layers {
        layer.values.fill(-0.25);
    }
    world.deltas.iter_mut().for_each(|d| d.fill(0.0));
    for scope in [Scope::Layer, Scope::Global] {
        both(&world, rigl().as_ref(), scope, 1.0, 0.37);
        // There is no distribution to draw from either, so the draw is uniform.
        for name in ["gse-grabo", "gse-graest"] {
            both(&world, method(name).unwrap().as_ref(), scope, 1.0, 0.37);
        }
    }
}

#[test]
fn empty_rows_dense_rows_and_empty_layers() {
    let mut world = World::new(&[shape(40, 30, 5), shape(30, 1, 0), shape(1, 50, 20)], 4, 5);
    let dense_row: Vec<(u32, u32)> = (0..40).map(|a| (17, a)).collect();
    world.layers[0] = LayerState::from_pairs(40, 30, &dense_row);
    for name in ["set", "gse-uniform", "gse-grabo"] {
        for scope in [Scope::Layer, Scope::Global] {
            both(&world, method(name).unwrap().as_ref(), scope, 2.0, 0.5);
        }
    }
    both(&world, rigl().as_ref(), Scope::Global, 1.0, 0.9);
}

#[test]
fn a_single_connection() {
    for shape in [
        shape(1, 1, 1),
        shape(2, 1, 1),
        shape(1, 2, 1),
        shape(9, 9, 1),
    ] {
        for device in [cpu, gpu] {
            follow(
                device(),
                World::new(&[shape], 1, 6),
                rigl().as_ref(),
                Scope::Layer,
                1.0,
                3,
            );
        }
    }
}

/// A round after an import equals one of a model that was like that from the start.
#[test]
fn an_import_is_followed_by_sync() {
    let first = World::new(&[shape(20, 20, 40), shape(20, 10, 60)], 4, 7);
    let second = World::new(&[shape(20, 20, 70), shape(20, 10, 30)], 4, 8);
    let m = method("gse-uniform").unwrap();
    let mut expected = second.clone();
    oracle::round(&mut expected, m.as_ref(), Scope::Layer, 1.0, 0.5, 8);
    let mut rig = Rig::new(gpu(), &first, m.as_ref(), Scope::Layer, 1.0);
    rig.arena.import(&rig.device, &second.layers).unwrap();
    rig.round.sync(&rig.device).unwrap();
    rig.set(&second, 8);
    rig.run(0.5);
    assert_same(&rig.export(), &expected.layers);
}

#[test]
fn work_space_grows_with_connections_not_with_pairs() {
    let bytes = |n: usize| {
        let pairs: Vec<(u32, u32)> = (0..20_000)
            .map(|i| (i as u32 / 20, i as u32 % 20))
            .collect();
        let device = cpu();
        let arena = Arena::new(&device, &[LayerState::from_pairs(n, n, &pairs)]).unwrap();
        let step = device
            .buffer("step", Class::Activations, STEP_WORDS)
            .unwrap();
        let m = method("gse-grabo").unwrap();
        let options = options(&step, 4, 1.0);
        let round = Round::new(&device, &arena, m.as_ref(), options).unwrap();
        let bytes = device.ledger().current(Class::Scratch);
        assert_eq!(
            bytes,
            round
                .scratch()
                .iter()
                .map(|v| 4 * v.words() as u64)
                .sum::<u64>(),
            "all of it is listed"
        );
        bytes as f64
    };
    let (narrow, wide) = (bytes(1000), bytes(4000));
    // Five words a unit of either side.
    assert!(wide - narrow <= 3000.0 * 20.0 + 64.0, "{narrow} {wide}");
    assert!(narrow / 20_000.0 < 26.0, "{narrow}");
}

#[test]
fn static_does_nothing() {
    let world = World::new(&[shape(6, 5, 12)], 4, 9);
    let m = method("static").unwrap();
    let mut rig = Rig::new(cpu(), &world, m.as_ref(), Scope::Layer, 1.0);
    rig.set(&world, 8);
    let report = rig.run(0.5);
    assert_eq!((rig.round.dispatches(), rig.round.scratch().len()), (0, 0));
    assert_eq!((report.layers[0].active, report.layers[0].grown), (12, 0));
    assert_same(&rig.export(), &world.layers);
}

#[test]
fn schedule() {
    let schedule = Schedule {
        alpha: 0.2,
        every: 100,
        until: 1000,
    };
    let due: Vec<u64> = (0..2000).filter(|&step| schedule.due(step)).collect();
    assert_eq!(due, [100, 200, 300, 400, 500, 600, 700, 800, 900]);
    assert_eq!(schedule.alpha_at(0), 0.2);
    assert!((schedule.alpha_at(500) - 0.1).abs() < 1e-15);
    assert!(schedule.alpha_at(999) > 0.0);
    assert_eq!(schedule.alpha_at(1000), 0.0);
    assert!(
        !Schedule {
            every: 0,
            ..schedule
        }
        .due(0)
    );
    assert_eq!(
        Schedule {
            until: 0,
            ..schedule
        }
        .alpha_at(0),
        0.0
    );
}

#[test]
fn what_cannot_be_used_is_refused() {
    let message = |result: Result<Round>| match result.err().unwrap() {
        error if error.is_usage() || matches!(error, Error::Shape(_)) => error.to_string(),
        other => panic!("{other}"),
    };
    assert!(message(method("rigle").map(|_| unreachable!())).contains("gse-graest"));

    let world = World::new(&[shape(6, 5, 12)], 4, 9);
    let device = cpu();
    let arena = Arena::new(&device, &world.layers).unwrap();
    let step = device
        .buffer("step", Class::Activations, STEP_WORDS)
        .unwrap();
    let m = method("gse-uniform").unwrap();
    let new = |gamma: f64, lanes: usize| {
        Round::new(&device, &arena, m.as_ref(), options(&step, lanes, gamma))
    };
    assert!(message(new(-1.0, 4)).contains("gamma"));
    assert!(message(new(f64::NAN, 4)).contains("gamma"));
    assert!(message(new(1e9, 4)).contains("2^31"));
    assert!(message(new(1.0, 6)).contains("multiple of 4"));
    // Six inputs are not a whole number of channels under a kernel of 2×2.
    let window = Window::new([3, 3], [2, 2], [1, 1], [0, 0]).unwrap();
    for windows in [vec![], vec![window]] {
        let options = RoundOptions {
            windows,
            ..options(&step, 4, 1.0)
        };
        assert!(message(Round::new(&device, &arena, m.as_ref(), options)).contains("windows"));
    }
    let mut round = new(1.0, 4).unwrap();
    for alpha_t in [-0.1, 1.1, f64::NAN] {
        assert!(round.begin(&device, alpha_t, None).is_err());
    }
}

/// For a single layer of one position.
fn options(step: &Buffer, lanes: usize, gamma: f64) -> RoundOptions {
    RoundOptions {
        scope: Scope::Layer,
        gamma,
        distinct: false,
        lanes,
        step: step.all(),
        windows: vec![Window::pointwise([1, 1])],
        tile: None,
    }
}
