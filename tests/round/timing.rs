//! The time of the kernels of RigL's tiles besides the products:
//! `cargo nextest run --test round timing --run-ignored only --no-capture`.

use std::collections::BTreeMap;

use rootlet::engine::Device;
use rootlet::topology::{Scope, method};

use super::rig::Rig;
use super::world::{World, shape};

#[test]
#[ignore = "a measurement"]
fn timing() {
    let choice = std::env::var("TIMING").unwrap_or("cpu".into());
    for n in [1024, 2048] {
        let mut world = World::new(&[shape(n, n, n * n / 50)], 128, 1);
        // Fractions, so that few gradients tie.
        for (i, value) in world.activations[0].iter_mut().enumerate() {
            *value *= 0.1 + (i % 97) as f32 / 89.0;
        }
        for tile in [None, Some(1 << 16), Some(1 << 20)] {
            let device = Device::open(&choice, &Default::default()).unwrap();
            let m = method("rigl").unwrap();
            let mut rig = Rig::with_tile(device, &world, m.as_ref(), Scope::Layer, 1.0, tile);
            rig.set(&world, 1);
            rig.run(0.1);
            let times = rig.run_timed(0.1);
            let total: f64 = times.iter().map(|t| t.seconds).sum();
            println!(
                "n {n}, tile {tile:?}: {} dispatches, {:.1} ms, {:.2} ns a pair",
                times.len(),
                total * 1e3,
                total * 1e9 / (n * n) as f64
            );
            let mut kernels: BTreeMap<&str, f64> = BTreeMap::new();
            for time in &times {
                *kernels.entry(time.kernel).or_default() += time.seconds;
            }
            let mut kernels: Vec<_> = kernels.into_iter().collect();
            kernels.sort_by(|a, b| b.1.total_cmp(&a.1));
            for (kernel, seconds) in kernels {
                let share = 100.0 * seconds / total;
                println!("  {share:5.1} %  {:8.2} ms  {kernel}", seconds * 1e3);
            }
        }
    }
}
