//! The connections that forward passes use: the largest of each layer, at odd sizes, and beyond 65,535 workgroups.

use rootlet::engine::{Class, Device, Plan};
use rootlet::sparse::{Arena, LayerState};
use rootlet::topology::ForwardSet;

use super::world::{Random, cpu, gpu};

/// A layer of `active` random connections between more units than that.
fn layer(random: &mut Random, active: usize) -> LayerState {
    let n_in = active.div_ceil(8).max(1) * 3;
    let pairs: Vec<(u32, u32)> = (0..active)
        .map(|i| ((i / n_in) as u32, (i % n_in) as u32))
        .collect();
    let n_out = active.div_ceil(n_in) + 2;
    LayerState {
        // Few different magnitudes, so that there are ties.
        values: (0..active)
            .map(|_| (random.words(1)[0] % 64) as f32 - 32.0)
            .collect(),
        ..LayerState::from_pairs(n_in, n_out, &pairs)
    }
}

fn check(device: &Device, name: &str, sizes: &[(usize, usize)]) {
    let mut random = Random(sizes.len() as u64);
    let layers: Vec<LayerState> = sizes.iter().map(|s| layer(&mut random, s.0)).collect();
    let arena = Arena::new(device, &layers).unwrap();
    let n = arena.connections();
    let noise: Vec<f32> = (0..n).map(|_| random.words(1)[0] as f32).collect();
    let forward = device
        .buffer_with("forward", Class::Connections, &noise)
        .unwrap();
    device
        .upload(&arena.gradient().range(0..n), &noise)
        .unwrap();
    let (active, counts): (Vec<usize>, Vec<usize>) = sizes.iter().copied().unzip();
    let set = ForwardSet::new(device, &arena, &active, &counts).unwrap();
    let mut plan = Plan::new("forward set");
    set.select(&mut plan, &arena, &forward).unwrap();
    set.decay(&mut plan, &arena, 0.5).unwrap();
    let program = device.prepare(&plan).unwrap();
    // Twice: the second selection must not see what the first left.
    device.run(&program).unwrap();
    device
        .upload(&arena.gradient().range(0..n), &noise)
        .unwrap();
    device.run(&program).unwrap();
    let found: Vec<f32> = device.download(&forward.range(0..n)).unwrap();
    let gradient: Vec<f32> = device.download(&arena.gradient().range(0..n)).unwrap();
    let mut first = 0;
    for (l, (layer, &count)) in layers.iter().zip(&counts).enumerate() {
        let values = &layer.values;
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[b].abs().total_cmp(&values[a].abs()).then(a.cmp(&b)));
        let mut used = vec![false; values.len()];
        order[..count].iter().for_each(|&j| used[j] = true);
        for (j, (&value, &used)) in values.iter().zip(&used).enumerate() {
            let at = first + j;
            let (weight, added) = if used {
                (value, 0.0)
            } else {
                (0.0, 0.5 * value)
            };
            assert_eq!(found[at], weight, "{name}: layer {l}, connection {j}");
            assert_eq!(
                gradient[at],
                noise[at] + added,
                "{name}: layer {l}, connection {j}"
            );
        }
        first += values.len();
    }
}

#[test]
fn the_largest_of_each_layer_are_used() {
    for (name, device) in [("cpu", cpu()), ("gpu", gpu())] {
        check(&device, name, &[(1, 1)]);
        check(
            &device,
            name,
            &[(1, 0), (257, 100), (0, 0), (4097, 4097), (33, 1)],
        );
    }
}

#[test]
fn more_than_65535_workgroups_select() {
    let connections = 65_536 * 256 + 77;
    check(&gpu(), "gpu", &[(connections, 1000)]);
}

#[test]
fn more_than_there_are_is_refused() {
    let layers = [layer(&mut Random(1), 10)];
    let arena = Arena::new(&cpu(), &layers).unwrap();
    let error = ForwardSet::new(&cpu(), &arena, &[10], &[11]).err().unwrap();
    assert!(error.to_string().contains("do not fit"), "{error}");
}
