//! Every kernel against its twin on wgpu, bit for bit, over scratch memory full of noise.

use std::collections::BTreeSet;

use rootlet::engine::reflect::reflect;
use rootlet::engine::{Class, Grid, Plan};
use rootlet::kernels::kernels;
use rootlet::topology::{MethodName, RandomScore, RandomScoreParams, Scope, method};

use super::rig::Rig;
use super::world::{Random, Shape, World, gpu, shape};

/// Odd sizes; one unit; dense, empty and nearly empty layers; several blocks of the scans and sorts.
fn worlds() -> Vec<World> {
    let of = |shapes: &[Shape], count| World::new(shapes, count, 40 + count as u64);
    vec![
        of(&[shape(1, 1, 1)], 1),
        of(&[shape(3, 1, 2), shape(1, 5, 0), shape(5, 2, 10)], 3),
        of(
            &[
                shape(64, 33, 700),
                shape(33, 257, 258),
                shape(257, 10, 2570),
            ],
            31,
        ),
        of(
            &[
                shape(300, 280, 9000),
                shape(280, 310, 5000),
                shape(310, 10, 2500),
            ],
            70,
        ),
    ]
}

#[test]
fn every_kernel_equals_its_twin() {
    let mut seen = BTreeSet::new();
    for world in worlds() {
        for scope in [Scope::Layer, Scope::Global] {
            for name in MethodName::NAMES {
                let m = method(name).unwrap();
                let rig = Rig::new(gpu(), &world, m.as_ref(), scope, 1.3);
                checked(rig, &world, &mut seen);
            }
        }
        // Several tiles per layer, including ragged ones.
        let m = method("rigl").unwrap();
        for (scope, tile) in [(Scope::Layer, 1000), (Scope::Global, 333)] {
            if world.layers[0].active() < 9000 || tile == 1000 {
                let rig = Rig::with_tile(gpu(), &world, m.as_ref(), scope, 1.0, Some(tile));
                checked(rig, &world, &mut seen);
            }
        }
    }
    // These two belong to Top-KAST, which has no rounds.
    let others = ["topology/forward_weights", "topology/explore_decay"];
    let rounds = |name: &&str| {
        let room = name.split('/').next();
        matches!(room, Some("topology" | "primitive")) && !others.contains(name)
    };
    let all = kernels().into_iter().map(|kernel| kernel.name);
    let all: BTreeSet<String> = all.filter(rounds).map(str::to_owned).collect();
    seen.remove("sparse/sddmm");
    assert_eq!(
        seen, all,
        "a kernel that no method dispatches is not tested"
    );
}

fn checked(mut rig: Rig, world: &World, seen: &mut BTreeSet<String>) {
    rig.set(world, 5);
    let stale = [
        rig.arena.gradient(),
        rig.arena.order(),
        rig.arena.order_rows(),
    ];
    for (i, view) in rig
        .round
        .scratch()
        .into_iter()
        .chain(stale.map(|b| b.all()))
        .enumerate()
    {
        let noise = Random(i as u64).words(view.words());
        rig.device.upload(&view, &noise).unwrap();
    }
    for check in rig.run_checked(0.4) {
        assert_eq!(check.different, 0, "{check:?}");
        seen.insert(check.kernel);
    }
    if rig.round.dispatches() > 0 {
        rig.check_arena();
    }
}

/// 16,777,217 invocations, 256 per workgroup: folded into y, since x ends at 65,535.
#[test]
fn more_workgroups_than_one_dimension_holds() {
    let device = gpu();
    let capacity = 65_536 * 256 + 1;
    let scores = device.buffer("scores", Class::Scratch, capacity).unwrap();
    let step = device
        .buffer_with("step", Class::Scratch, &[1u32, 2, 3, 4, 0, 3])
        .unwrap();
    let mut plan = Plan::new("large");
    plan.dispatch(
        RandomScore {
            params: RandomScoreParams {
                capacity: capacity as u32,
            },
            scores: scores.all(),
            step: step.all(),
        },
        Grid::Items(capacity),
    )
    .unwrap();
    let program = device.prepare(&plan).unwrap();
    for check in device.run_checked(&program, "").unwrap() {
        assert_eq!(check.different, 0, "{check:?}");
    }
}

#[test]
fn every_shader_agrees_with_its_host_half() {
    for kernel in kernels() {
        reflect(kernel, &[]).unwrap();
    }
}
