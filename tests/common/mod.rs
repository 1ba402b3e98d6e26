//! What the tests of the engine and of the kernels share: the devices to test on, and numbers to test with.
#![allow(dead_code)] // Each test program uses its part.

pub mod norms;

use rootlet::engine::{AdapterSummary, Device, DeviceOptions, adapter};

/// The wgpu adapters of this machine that rootlet can use. If there are none, that is a failure: nothing would be
/// tested.
pub fn adapters() -> Vec<AdapterSummary> {
    let usable: Vec<_> = adapter::list().into_iter().filter(|a| a.usable).collect();
    assert!(
        !usable.is_empty(),
        "no usable wgpu adapter; on Debian or Ubuntu `apt-get install mesa-vulkan-drivers libvulkan1` \
         installs a software one. Found: {:?}",
        adapter::list()
    );
    usable
}

/// Every adapter in every workgroup shape that is right on it, by name, and again with run-time checks in the crate's
/// own kernels.
pub fn gpus() -> Vec<(String, Device)> {
    let mut devices = Vec::new();
    for adapter in adapters() {
        let as_used = adapter.shapes.iter().map(|&shape| (Some(shape), false));
        for (shape, checked) in as_used.chain([(None, true)]) {
            let options = DeviceOptions {
                shape,
                checked,
                ..DeviceOptions::default()
            };
            let device = Device::open(&adapter.index.to_string(), &options).unwrap();
            let how = match checked {
                true => "with checks".to_owned(),
                false => format!("{:?} shape", device.shape().unwrap()),
            };
            devices.push((format!("{}, {how}", device.description()), device));
        }
    }
    devices
}

/// The CPU executor and every adapter in every workgroup shape.
pub fn devices() -> Vec<(String, Device)> {
    let mut devices = vec![("cpu".to_owned(), Device::cpu(2).unwrap())];
    devices.extend(gpus());
    devices
}

/// Every device, with fused kernels and without.
pub fn both() -> impl Iterator<Item = ((String, Device), bool)> {
    [false, true]
        .into_iter()
        .flat_map(|fused| devices().into_iter().map(move |device| (device, fused)))
}

/// A small generator of its own (SplitMix64), independent of the crate's.
pub struct Random(pub u64);

impl Random {
    pub fn word(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 32) as u32
    }

    /// In [-1, 1).
    pub fn real(&mut self) -> f32 {
        (self.word() >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    pub fn reals(&mut self, length: usize) -> Vec<f32> {
        (0..length).map(|_| self.real()).collect()
    }

    /// What a buffer may hold before a kernel writes it: any bits, including quiet and signalling NaN and infinities.
    pub fn noise(&mut self, length: usize) -> Vec<u32> {
        (0..length)
            .map(|i| match i % 4 {
                0 => 0x7fc0_0000 | (self.word() & 0x803f_ffff),
                1 => 0x7f80_0001 | (self.word() & 0x8000_ffff),
                2 => 0x7f80_0000 | (self.word() & 0x8000_0000),
                _ => self.word(),
            })
            .collect()
    }
}

/// Asserts that an error's message contains each of `parts`.
#[track_caller]
pub fn says<T>(result: rootlet::Result<T>, parts: &[&str]) {
    let message = match result {
        Ok(_) => panic!("expected an error that says {parts:?}"),
        Err(e) => e.to_string(),
    };
    for part in parts {
        assert!(message.contains(part), "no {part:?} in: {message}");
    }
}
