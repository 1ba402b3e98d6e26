//! Buffers of 16-bit numbers: their contents, how kernels see them, and what is refused.

use rootlet::engine::lifetime::place;
use rootlet::engine::{Buffer, Class, Device, DeviceOptions, Plan, Precision, WorkgroupShape};
use rootlet::layer::Activation;

use crate::common::says;
use crate::scale::Use;

const HALVES: [Precision; 2] = [Precision::Bf16, Precision::F16];

/// The CPU executor, and the first adapter in both shapes.
fn devices() -> Vec<Device> {
    let mut devices = vec![Device::cpu(2).unwrap()];
    let adapter = crate::common::adapters()[0].index.to_string();
    for shape in WorkgroupShape::ALL {
        let options = DeviceOptions {
            shape: Some(shape),
            ..DeviceOptions::default()
        };
        devices.push(Device::open(&adapter, &options).unwrap());
    }
    devices
}

fn halves(device: &Device, label: &str, numbers: usize, precision: Precision) -> Buffer {
    (device.buffer_of(label, Class::Activations, numbers, precision)).unwrap()
}

/// All finite 16-bit numbers, those half-way to the next, and their neighbours.
fn numbers(precision: Precision) -> Vec<f32> {
    let mut numbers = Vec::new();
    for bits in (0..=u16::MAX).step_by(7) {
        let number = match precision {
            Precision::Bf16 => f32::from_bits(u32::from(bits) << 16),
            _ => half::f16::from_bits(bits).to_f32(),
        };
        if number.is_finite() {
            let middle = match precision {
                Precision::Bf16 => f32::from_bits(number.to_bits() | 0x8000),
                _ => f32::from_bits(number.to_bits() | 0x1000),
            };
            let near = [middle.to_bits() - 1, middle.to_bits() + 1].map(f32::from_bits);
            numbers.extend([number, middle, near[0], near[1]]);
        }
    }
    // A driver may treat numbers below the smallest normal f32 as zero.
    numbers.retain(|x| x.is_finite() && (*x == 0.0 || x.is_normal()));
    numbers.truncate(numbers.len() / 4 * 4);
    numbers
}

#[test]
fn what_is_uploaded_comes_back_rounded() {
    for device in devices() {
        for precision in HALVES {
            let numbers = numbers(precision);
            let buffer = halves(&device, "numbers", numbers.len(), precision);
            let view = buffer.range(0..numbers.len());
            assert_eq!(view.bytes(), numbers.len() as u64 * 2);
            device.upload(&view, &numbers).unwrap();
            let back: Vec<f32> = device.download(&view).unwrap();
            for (x, y) in numbers.iter().zip(&back) {
                assert_eq!(precision.round(*x).to_bits(), y.to_bits(), "{x}");
            }
        }
    }
}

/// Kernels round as the host does, to the bit.
#[test]
fn kernels_load_and_store_them() {
    for device in devices() {
        for precision in HALVES {
            let numbers = numbers(precision);
            let n = numbers.len();
            let input = device
                .buffer_with("input", Class::Activations, &numbers)
                .unwrap();
            let packed = halves(&device, "packed", n, precision);
            let output = device.buffer("output", Class::Activations, n).unwrap();
            let mut plan = Plan::new("there and back");
            let relu = |plan: &mut Plan, from: &Buffer, to: &Buffer| {
                let (from, to) = (from.range(0..n), to.range(0..n));
                Activation::Relu.forward(plan, from, to, n).unwrap();
            };
            relu(&mut plan, &input, &packed);
            relu(&mut plan, &packed, &output);
            let program = device.prepare(&plan).unwrap();
            device.run(&program).unwrap();
            let found: Vec<f32> = device.download(&output.range(0..n)).unwrap();
            for (x, y) in numbers.iter().zip(&found) {
                let expected = precision.round(x.max(0.0));
                let what = format!("{}, {precision}: {x} became {y}", device.name());
                assert_eq!(*y, expected, "{what}");
            }
            for check in device.run_checked(&program, "").unwrap() {
                check.verdict().unwrap();
            }
        }
    }
}

#[test]
fn what_16_bits_cannot_hold_shows() {
    for device in devices() {
        for precision in HALVES {
            let numbers = [f32::NAN, f32::INFINITY, 3e38, f32::from_bits(0x7f80_0001)];
            let input = device
                .buffer_with("input", Class::Activations, &numbers)
                .unwrap();
            let output = halves(&device, "output", 4, precision);
            let mut plan = Plan::new("extremes");
            let views = (input.range(0..4), output.range(0..4));
            Activation::Relu
                .forward(&mut plan, views.0, views.1.clone(), 4)
                .unwrap();
            let program = device.prepare(&plan).unwrap();
            device.run(&program).unwrap();
            let found: Vec<f32> = device.download(&views.1).unwrap();
            assert!(found[0].is_nan() && found[3].is_nan(), "{found:?}");
            assert_eq!(found[1], f32::INFINITY);
            match precision {
                Precision::F16 => assert_eq!(found[2], f32::INFINITY),
                _ => assert!((found[2] / 3e38 - 1.0).abs() < 1e-2),
            }
        }
    }
}

/// A transient of 16 bits beside one of 32 in the same memory.
#[test]
fn transients_of_both_kinds_share_memory() {
    for device in devices() {
        let n = 1000;
        let numbers: Vec<f32> = (0..n).map(|i| i as f32 - 200.0).collect();
        let input = (device.buffer_with("input", Class::Data, &numbers)).unwrap();
        let output = device.buffer("output", Class::Data, n).unwrap();
        let transient = |precision| device.transient_of("t", Class::Activations, n, precision);
        let kinds = [
            Precision::F32,
            Precision::Bf16,
            Precision::F16,
            Precision::F32,
            Precision::Bf16,
        ];
        let mut plan = Plan::new("through memory that is shared");
        let mut from = input.range(0..n);
        for precision in kinds {
            let to = transient(precision).range(0..n);
            Activation::Relu
                .forward(&mut plan, from, to.clone(), n)
                .unwrap();
            from = to;
        }
        Activation::Relu
            .forward(&mut plan, from, output.range(0..n), n)
            .unwrap();
        place(&device, &mut [&mut plan]).unwrap();
        let shared = device.ledger().current(Class::Activations);
        assert!(shared <= 2 * 4096 + 64, "{shared}");
        let program = device.prepare(&plan).unwrap();
        device.run(&program).unwrap();
        let found: Vec<f32> = device.download(&output.range(0..n)).unwrap();
        for (x, y) in numbers.iter().zip(&found) {
            assert!((x.max(0.0) - y).abs() <= x.abs() / 256.0, "{x} became {y}");
        }
    }
}

#[test]
fn the_ledger_counts_half() {
    let device = Device::cpu(1).unwrap();
    let _full = device.buffer("full", Class::Activations, 4096).unwrap();
    let _half = halves(&device, "half", 4096, Precision::F16);
    let bytes: Vec<u64> = device.ledger().entries().iter().map(|e| e.bytes).collect();
    assert_eq!(bytes, [16384, 8192]);
}

/// A kernel that takes single numbers could only write half of a word, which it shares with another invocation.
#[test]
fn kernels_of_single_numbers_are_refused_by_name() {
    let used = |device: &Device| {
        let mut plan = Plan::new("scaling");
        let mut dispatch = Use::new(device, 8).plan.dispatches()[0].clone();
        dispatch.views[2] = halves(device, "output", 8, Precision::Bf16).range(0..8);
        plan.push(dispatch).unwrap();
        plan
    };
    let device = devices().remove(1);
    let refused = device.prepare(&used(&device));
    says(refused, &["tests/scale", "`output`", "bf16", "f32"]);
}

#[test]
fn integers_and_parts_of_vectors_are_refused() {
    let device = Device::cpu(1).unwrap();
    let half = halves(&device, "half", 256, Precision::F16);
    let full = device.buffer("full", Class::Activations, 256).unwrap();
    let relu = |range: std::ops::Range<usize>| {
        let (from, n) = (half.range(range.clone()), range.len());
        let mut plan = Plan::new("relu");
        Activation::Relu.forward(&mut plan, from, full.range(0..n), n)
    };
    relu(128..256).unwrap();
    says(relu(64..128), &["half", "must start at"]);
    let mut dispatch = Use::new(&device, 8).plan.dispatches()[0].clone();
    dispatch.views[1] = half.range(0..128);
    let refused = Plan::new("step").push(dispatch);
    says(refused, &["`step`", "16-bit", "f32"]);
    says(
        device.download::<f32>(&half.range(0..3)),
        &["half", "vectors of four"],
    );
}
