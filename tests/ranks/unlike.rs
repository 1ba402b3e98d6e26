//! Ranks on adapters of different kinds.

use rootlet::engine::DeviceOptions;
use rootlet::low_level::topology::MethodName;
use rootlet::prelude::*;

use super::common::adapters;
use super::equal::config;
use super::together::{digits, end, on_ranks, options, train, trained};

/// Rank 0 on the CPU's cores, rank 1 on an adapter: the network that both end with, and how often connections were
/// exchanged.
fn beside_an_adapter(config: &TrainConfig) -> f32 {
    let data = digits();
    let adapter = adapters()[0].index.to_string();
    let (of_ranks, images) = (config.clone(), data.clone());
    let ends = on_ranks(2, &options(), move |ranks| {
        let device = match ranks.is_first() {
            true => Device::cpu(1).unwrap(),
            false => Device::open(&adapter, &DeviceOptions::default()).unwrap(),
        };
        let trainer = trained(device, None, &of_ranks, &images, Some(ranks)).unwrap();
        end(&trainer).unwrap()
    });
    assert_eq!(ends[0].network, ends[1].network);
    let alone = train(config, &data, None).unwrap();
    assert_eq!(ends[0].rounds, alone.rounds);
    ends[0].tested.loss - alone.tested.loss
}

/// Longer than where bits are compared, so that what is learned can be.
fn longer(method: MethodName) -> TrainConfig {
    let mut config = config(method);
    config.topology.round_every = 10;
    config.run.epochs = 3;
    config.machine.micro_batch = Some(24);
    config
}

#[test]
fn rank_0_decides_and_all_have_its_network() {
    for method in [
        MethodName::GseUniform,
        MethodName::Static,
        MethodName::Gradual,
        MethodName::Snip,
    ] {
        let apart = beside_an_adapter(&longer(method));
        // Rounded otherwise, a round may choose otherwise; the training stays as good.
        assert!(apart.abs() < 0.1, "{method:?}: {apart}");
    }
}
