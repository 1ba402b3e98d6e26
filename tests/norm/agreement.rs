//! Bits depend neither on the number of threads nor on the run.

use rootlet::checkpoint::NormKind;
use rootlet::engine::{Device, Plan};
use rootlet::layer::norm::{LayerNormBackwardViews, LayerNormPass};

use crate::batch::{Problem, record};
use crate::common::{Random, devices, gpus};
use crate::problem::{Size, TESTED, World};

/// Several tiles and tasks, some of them uneven.
const SIZES: [Size; 3] = [
    Size::new(3, 301, 132, 132),
    Size::new(70, 5, 36, 31),
    Size::new(2, 1, 1028, 1000),
];

fn bits(numbers: &[f32]) -> impl Iterator<Item = u32> {
    numbers.iter().map(|x| x.to_bits())
}

fn batch(device: &Device, size: Size) -> Vec<u32> {
    batch_norm(device, size, false)
}

fn fused(device: &Device, size: Size) -> Vec<u32> {
    batch_norm(device, size, true)
}

fn batch_norm(device: &Device, size: Size, fused: bool) -> Vec<u32> {
    let random = &mut Random(41);
    let world = World::new(device, size, NormKind::Batch, random);
    let mut problem = Problem::new(random, size, true, true);
    problem.fused = fused;
    let mut plan = Plan::new("test");
    let passed = record(&mut plan, &world, &problem, true, false, None);
    world.run(&plan);
    let results = [&passed.y, &passed.saved, &passed.dx, &passed.dr].map(|n| n.read(device));
    let after = world.norms.export(device).unwrap();
    results
        .iter()
        .map(Vec::as_slice)
        .chain([
            after[TESTED].values("running_mean"),
            after[TESTED].values("running_variance"),
        ])
        .flat_map(bits)
        .chain(world.gradient_words())
        .collect()
}

fn layer(device: &Device, size: Size) -> Vec<u32> {
    layer_norm(device, size, false)
}

fn whole_layer(device: &Device, size: Size) -> Vec<u32> {
    layer_norm(device, size, true)
}

fn layer_norm(device: &Device, size: Size, fused: bool) -> Vec<u32> {
    let random = &mut Random(42);
    let world = World::new(device, size, NormKind::Layer, random);
    let norm = LayerNormPass {
        channels: world.size.channels,
        positions: size.positions,
        lanes: size.lanes,
        fused,
    };
    let input = world.buffer(&size.activation(random));
    let delta = world.buffer(&size.delta(random));
    let words = [size.words(), norm.saved_words(), size.words()];
    let [y, saved, dx] = words.map(|n| world.noise(n));
    let mut plan = Plan::new("test");
    let (to, statistics) = (y.view(), saved.view());
    norm.forward(
        &mut plan,
        &world.tested(),
        &world.step(),
        input.clone(),
        to,
        statistics,
    )
    .unwrap();
    let views = LayerNormBackwardViews {
        input,
        delta,
        saved: saved.view(),
        output: Some((dx.view(), false)),
    };
    norm.backward(&mut plan, &world.tested(), views, false)
        .unwrap();
    world.run(&plan);
    let results = [y, saved, dx].map(|n| n.read(device));
    results
        .iter()
        .flat_map(|numbers| bits(numbers))
        .chain(world.gradient_words())
        .collect()
}

/// With few channels, a thread has too few to process each as a whole: the dispatches of a batch norm then run one by
/// one.
#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let devices = [1, 2, 3].map(|threads| Device::cpu(threads).unwrap());
    for size in SIZES {
        for pass in [batch, fused, layer, whole_layer] {
            let [one, two, three] = devices.each_ref().map(|device| pass(device, size));
            assert!(one == two && one == three, "{size:?}");
        }
    }
}

#[test]
fn a_run_repeats_bit_for_bit_on_an_adapter() {
    for (name, device) in gpus() {
        for size in SIZES {
            for pass in [batch, fused, layer, whole_layer] {
                assert!(
                    pass(&device, size) == pass(&device, size),
                    "{name}, {size:?}"
                );
            }
        }
    }
}

/// Statistics of several tiles are merged in one order, whether once or in each workgroup: on the CPU executor the bits
/// are the same. Planes that are processed whole have different sums.
#[test]
fn a_merge_in_every_workgroup_is_the_same_merge() {
    let device = Device::cpu(2).unwrap();
    for (size, same) in [(SIZES[0], true), (Size::new(2, 60, 260, 260), false)] {
        let [apart, together] = [batch, fused].map(|pass| pass(&device, size));
        // After the statistics, fused norms save their parameters.
        let (n, saved) = (size.words(), 2 * size.channels);
        assert_eq!(together.len(), apart.len() + saved);
        let rest = &together[n + 2 * saved..];
        let equal = apart[..n + saved] == together[..n + saved] && apart[n + saved..] == *rest;
        assert_eq!(equal, same, "{size:?}");
    }
}

#[test]
fn a_layer_norms_backward_pass_has_the_same_sums_in_one_dispatch() {
    for (name, device) in devices() {
        for size in SIZES {
            let equal = layer(&device, size) == whole_layer(&device, size);
            assert!(equal, "{name}, {size:?}");
        }
    }
}
