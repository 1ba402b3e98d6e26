//! Convolutions in the form for hardware, with listed connections and gradients in slices: they learn the same as in
//! the other form, up to rounding; and an interrupted run has the bits of an unbroken one.

use rootlet::engine::{Device, DeviceOptions, WorkgroupShape};
use rootlet::topology::MethodName;
use rootlet::train::TrainConfig;

use crate::resume::resumed_equals_unbroken;
use crate::{digits, open, train};

fn hardware() -> Device {
    in_shape(WorkgroupShape::HARDWARE)
}

fn in_shape(shape: WorkgroupShape) -> Device {
    open(DeviceOptions {
        shape: Some(shape),
        ..DeviceOptions::default()
    })
}

/// Planes of 8 × 8 for a batch of 128 have four slices. Four steps per epoch, with a round at every second one.
fn resnet() -> TrainConfig {
    let mut config = TrainConfig::default();
    config.model.name = "resnet20".into();
    config.model.width = 0.25;
    config.model.sparsity = 0.8;
    config.topology.method = MethodName::GseUniform;
    config.topology.round_every = 2;
    config.topology.round_until = Some(2.0);
    config.data.augment = "none".into();
    config.run.batch = 128;
    config.run.epochs = 2;
    config
}

/// Losses differ by rounding, and by the few connections that a round therefore chose differently, whose weights begin
/// at zero.
#[test]
fn a_resnet_learns_what_it_learns_in_the_software_shape() {
    let data = digits(Some(512));
    let losses = |shape| -> Vec<f32> {
        let (log, _) = train(in_shape(shape), &resnet(), &data);
        log.epochs.iter().map(|epoch| epoch.train_loss).collect()
    };
    let [one, other] = WorkgroupShape::ALL.map(losses);
    assert_eq!(one.len(), 2);
    for (one, other) in one.iter().zip(&other) {
        assert!((one - other).abs() < 5e-3 * other, "{one} and {other}");
    }
}

#[test]
fn a_resnet_in_slices_resumes_to_the_bit() {
    resumed_equals_unbroken(hardware, &resnet(), &digits(Some(512)), &[3]);
}
