//! Gradients that travel in 16 bits.

use rootlet::engine::Precision;
use rootlet::low_level::topology::MethodName;

use super::equal::config;
use super::together::{digits, on_ranks, options, train};

#[test]
fn rounded_gradients_train_as_well_and_alike_on_all_ranks() {
    let mut config = config(MethodName::GseUniform);
    config.run.epochs = 4;
    let data = digits();
    let alone = train(&config, &data, None).unwrap();
    config.machine.exchange = Precision::Bf16;
    let ends = on_ranks(2, &options(), move |ranks| {
        let end = train(&config, &data, Some(ranks.clone())).unwrap();
        (end, ranks.traffic().0)
    });
    assert_eq!(ends[0].0, ends[1].0);
    assert_ne!(ends[0].0.network, alone.network);
    let apart = ends[0].0.tested.loss - alone.tested.loss;
    assert!(apart.abs() < 0.05, "{apart}");
}

#[test]
fn they_take_half_the_bytes() {
    let data = digits();
    let bytes = [Precision::F32, Precision::Bf16].map(|exchange| {
        let (mut config, data) = (config(MethodName::Static), data.clone());
        config.model.hidden = vec![256];
        config.model.sparsity = 0.5;
        config.machine.exchange = exchange;
        on_ranks(2, &options(), move |ranks| {
            train(&config, &data, Some(ranks.clone())).unwrap();
            ranks.traffic().0
        })[0]
    });
    let share = bytes[1] as f64 / bytes[0] as f64;
    assert!((0.5..0.51).contains(&share), "{share}");
}
