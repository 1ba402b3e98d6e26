//! The variants of kernels, other shapes of their workgroups: each agrees with the twin, all have the same bits, and
//! measuring chooses the fastest that is right.
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::{bits, digits, open, train};
use rootlet::engine::tune::Tune;
use rootlet::engine::{Device, DeviceOptions, WorkgroupShape};
use rootlet::kernels::kernels;
use rootlet::train::{TrainConfig, Trainer};
use rootlet::verify::{Depth, verify_devices};

/// The most shapes that a kernel has.
fn most(base: WorkgroupShape) -> usize {
    let kernels = kernels().into_iter();
    kernels
        .map(|kernel| kernel.shapes(base).count())
        .max()
        .unwrap()
}

fn in_variant(base: WorkgroupShape, number: usize) -> Device {
    open(DeviceOptions {
        shape: Some(base),
        variant: Some(number),
        ..DeviceOptions::default()
    })
}

/// At the sizes of a verification: odd ones, and some that people train. The narrowest and the largest for hardware,
/// and the one for software; by the next test, the others have the same bits as the usual one.
#[test]
fn some_agree_with_their_twins() {
    let numbers = [
        (WorkgroupShape::HARDWARE, 1),
        (WorkgroupShape::HARDWARE, 5),
        (WorkgroupShape::SOFTWARE, 1),
    ];
    let devices = numbers.map(|(base, number)| {
        assert!(number < most(base));
        in_variant(base, number)
    });
    let report = verify_devices(&devices, 2, Depth::Quick, &mut |_, _| Ok(())).unwrap();
    report.verdict().unwrap();
}

/// The bits that a training ends with.
fn trained(device: Device, config: &TrainConfig) -> Vec<u64> {
    bits(&train(device, config, &digits(Some(160))).1)
}

fn perceptron(batch: usize) -> TrainConfig {
    let mut config = TrainConfig::default();
    config.model.hidden = vec![200, 120];
    config.run.batch = batch;
    config.run.epochs = 1;
    config.topology.round_every = 1;
    config.topology.round_until = Some(1.0);
    config
}

fn resnet() -> TrainConfig {
    let mut config = perceptron(40);
    config.model = TrainConfig::default().model;
    config.model.name = "resnet20".into();
    config.model.width = 0.25;
    config.model.sparsity = 0.8;
    config.data.augment = "none".into();
    config
}

#[test]
fn all_have_the_same_bits() {
    for config in [perceptron(20), perceptron(128), resnet()] {
        for base in WorkgroupShape::ALL {
            let usual = trained(in_variant(base, 0), &config);
            for number in 1..most(base) {
                let other = trained(in_variant(base, number), &config);
                assert!(usual == other, "{base:?}, variant {number}, {config:?}");
            }
        }
    }
}

/// Makes one shape of the product slow, and another wrong if requested.
fn slow_but(source: String, wrong: bool) -> String {
    let begin = "    let row = params.first_row + unit;\n";
    assert!(source.contains(begin));
    let waste = "    var waste = 0u;
    for (var k = 0u; k < select(0u, 2000u, ROWS == 1u); k++) {
        waste += row_offsets[k % 2u];
    }
    if waste == 12345u {
        return;
    }
";
    let source = source.replace(begin, &format!("{begin}{waste}"));
    match wrong {
        true => source.replace(
            "let initial = vec4(bias[row]);",
            "let initial = vec4(bias[row] + f32(ROWS == 4u));",
        ),
        false => source,
    }
}

#[test]
fn the_fastest_is_chosen_unless_it_is_wrong() {
    type Rewrite = fn(&str, String) -> String;
    let right: Rewrite = |kernel, source| match kernel {
        "sparse/spmm" => slow_but(source, false),
        _ => source,
    };
    let wrong: Rewrite = |kernel, source| match kernel {
        "sparse/spmm" => slow_but(source, true),
        _ => source,
    };
    let config = perceptron(128);
    let tuning = |rewrite| {
        open(DeviceOptions {
            tune: Tune::On,
            keep_doubtful: true,
            rewrite: Some(rewrite),
            ..DeviceOptions::default()
        })
    };
    let device = tuning(right);
    let data = digits(Some(160));
    let trainer = Trainer::new(device, config.clone(), data.clone()).unwrap();
    let measured = trainer.device().measured();
    let products = || {
        measured
            .iter()
            .filter(|tuned| tuned.class.starts_with("sparse/spmm "))
    };
    assert!(products().count() >= 2, "{measured:?}");
    for tuned in products() {
        assert_eq!(tuned.chosen.name(), "8x4", "{tuned:?}");
        assert!(tuned.gain() > 1.0 && tuned.wrong.is_empty(), "{tuned:?}");
    }
    // What it has chosen is not measured again, and is what runs.
    let choices = trainer.device().choices();
    assert_eq!(choices.len(), measured.len());
    let trainer = Trainer::new(tuning(wrong), config.clone(), data).unwrap();
    let measured = trainer.device().measured();
    let mut products = measured
        .iter()
        .filter(|tuned| tuned.class.starts_with("sparse/spmm "));
    assert!(
        products.all(|tuned| tuned.chosen.name() == "software" && tuned.wrong.len() == 1),
        "{measured:?}"
    );
    // The bits are those of a training that measures nothing.
    let quiet = open(DeviceOptions {
        tune: Tune::Off,
        ..DeviceOptions::default()
    });
    assert!(!quiet.tunes());
    assert!(trained(tuning(right), &config) == trained(quiet, &config));
}

/// Even if another shape is many times as fast: nobody knows that with other times.
#[test]
fn what_a_busy_machine_measures_chooses_nothing() {
    let device = open(DeviceOptions {
        tune: Tune::On,
        rewrite: Some(|kernel, source| match kernel {
            "sparse/spmm" => slow_but(source, false),
            _ => source,
        }),
        ..DeviceOptions::default()
    });
    let data = digits(Some(160));
    let done = AtomicBool::new(false);
    let measured = std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().unwrap().get();
        for _ in 0..3 * cores {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let trainer = Trainer::new(device, perceptron(128), data);
        done.store(true, Relaxed);
        let trainer = trainer.unwrap();
        let measured = trainer.device().measured();
        // The run itself measures once.
        assert_eq!(trainer.device().choices().len(), measured.len());
        measured
    });
    assert!(measured.len() >= 2, "{measured:?}");
    for tuned in &measured {
        let doubt = tuned.doubt.as_ref().unwrap();
        assert!(doubt.starts_with("the machine was busy"), "{doubt}");
        assert_eq!(tuned.chosen, tuned.seconds[0].0, "{tuned:?}");
    }
}
