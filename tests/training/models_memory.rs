//! Nothing dense is ever resident, whatever the model: the ledger's proof. Every model by name is made at width 1 and,
//! with as many connections, at width 4, where its layers' inputs × outputs are up to 16 times as many: every buffer
//! grows at most like the units. Nothing is trained, so that even the largest take little time.

use crate::cpu;
use rootlet::engine::Class;
use rootlet::model::{Extent, MODELS, Model, ModelOptions, by_name};
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::sparse::{Assignment, allocate};
use rootlet::topology::method;

const BATCH: usize = 4;
/// Connections that a model of width 1 keeps.
const DENSITY: f64 = 0.01;

fn model(name: &str, width: f64) -> Model {
    let options = ModelOptions {
        input: Extent {
            channels: 3,
            height: 32,
            width: 32,
        },
        classes: 10,
        width,
        hidden: &[256, 256],
    };
    by_name(name, &options).unwrap()
}

fn dense(model: &Model) -> u64 {
    model.shapes().iter().map(|s| s.dense()).sum()
}

/// A buffer of the ledger.
#[derive(Clone)]
struct Entry {
    label: String,
    class: Class,
    bytes: u64,
}

/// The sizes of a network, and what the ledger says about it.
struct Sizes {
    connections: u64,
    layers: u64,
    rows: u64,
    cols: u64,
    norm_channels: u64,
    /// Inputs × outputs of the largest layer.
    largest_layer: u64,
    /// Words of the largest value of a batch, including attention's probabilities.
    largest_value: u64,
    /// Every buffer.
    entries: Vec<Entry>,
}

impl Sizes {
    /// Everything that exists once per unit, in words.
    fn units(&self) -> u64 {
        self.rows + self.cols + 2 * self.norm_channels
    }

    fn connection_bytes(&self) -> u64 {
        let entries = self.entries.iter();
        entries
            .filter(|e| e.class == Class::Connections)
            .map(|e| e.bytes)
            .sum()
    }
}

/// Whether a buffer's size is that of a batch.
fn of_the_batch(entry: &Entry) -> bool {
    let label = entry.label.as_str();
    label.starts_with("shared.") || ["input", "labels", "logits", "constants"].contains(&label)
}

/// Words of a batch's largest value.
fn largest_value(model: &Model) -> u64 {
    let words = model.nodes().iter().map(|node| {
        let saved = node.layer().saved_words(&model.inputs_of(node), 1);
        node.extent().size().max(saved)
    });
    (words.max().unwrap() * BATCH) as u64
}

/// Makes a network of `connections` and records what is resident.
fn measure(model: &Model, connections: u64) -> Sizes {
    let sparsity = 1.0 - connections as f64 / dense(model) as f64;
    let counts = allocate(&model.shapes(), sparsity, Assignment::ErdosRenyi).unwrap();
    assert_eq!(counts.iter().sum::<u64>(), connections, "{}", model.name());
    let device = cpu();
    let network = {
        let state = NetworkState::initialise(model, &counts, 1);
        let options = NetworkOptions {
            micro_batch: Some(BATCH),
            ..NetworkOptions::of_batch(BATCH)
        };
        // Its candidates are drawn by weights, so that it needs all of a round's work space.
        let method = method("gse-grabo").unwrap();
        Network::new(&device, model, &state, &options, method.as_ref()).unwrap()
    };
    let shapes = model.shapes();
    Sizes {
        connections: network.arena().connections() as u64,
        layers: shapes.len() as u64,
        rows: network.arena().n_rows() as u64,
        cols: network.arena().n_cols() as u64,
        norm_channels: network.parameters().words() as u64 / 2,
        largest_layer: shapes.iter().map(|s| s.dense()).max().unwrap(),
        largest_value: largest_value(model),
        entries: (device.ledger().entries().into_iter())
            .map(|e| Entry {
                label: e.label,
                class: e.class,
                bytes: e.bytes,
            })
            .collect(),
    }
}

fn check(name: &str, sizes: &Sizes) {
    // Tables by layer (a histogram of 256 words each), the metrics' rings of 2048 words, sizes rounded up.
    let small = 4096 + 512 * sizes.layers;
    for entry in &sizes.entries {
        let words = entry.bytes / 4;
        let most = match of_the_batch(entry) {
            true => sizes.largest_value,
            false => sizes.connections + sizes.units() + small,
        };
        let label = &entry.label;
        assert!(
            words <= most,
            "{name}: {label}: {words} words, more than {most}"
        );
    }
    // 28 bytes per connection, 4 per column, 16 per row, 32 per channel of a norm, whose number is rounded up to 64.
    let units = 4 * sizes.cols + 16 * sizes.rows + 32 * sizes.norm_channels;
    let (bytes, most) = (
        sizes.connection_bytes(),
        28 * sizes.connections + units + 4096,
    );
    assert!(
        bytes <= most,
        "{name}: {bytes} bytes for connections, more than {most}"
    );
    assert!(
        bytes >= 28 * sizes.connections,
        "{name}: the ledger misses some"
    );
}

#[test]
fn no_model_has_anything_dense_at_any_width() {
    for name in MODELS {
        let models = [1.0, 4.0].map(|width| model(name, width));
        let connections = (dense(&models[0]) as f64 * DENSITY).round() as u64;
        let [narrow, wide] = models.each_ref().map(|m| measure(m, connections));
        check(name, &narrow);
        check(name, &wide);

        // Not even what a batch of this size needs is as large as a layer.
        for entry in &wide.entries {
            let (label, words) = (&entry.label, entry.bytes / 4);
            assert!(words < wide.largest_layer, "{name}: {label}: {words} words");
        }
        // Four times as wide with the same connections: larger only by the units.
        assert!(wide.largest_layer >= 4 * narrow.largest_layer, "{name}");
        assert!(wide.units() <= 4 * narrow.units(), "{name}");
        let more = wide.units() - narrow.units();
        let (before, after) = (narrow.connection_bytes(), wide.connection_bytes());
        assert!(
            after <= before + 16 * more + 4096,
            "{name}: connections grow from {before} to {after} bytes for {more} more units"
        );
        let own = |sizes: &Sizes| {
            let entries = sizes.entries.iter();
            entries
                .filter(|e| !of_the_batch(e))
                .cloned()
                .collect::<Vec<_>>()
        };
        let (narrow, wide) = (own(&narrow), own(&wide));
        assert_eq!(narrow.len(), wide.len(), "{name}");
        for (before, after) in narrow.iter().zip(&wide) {
            let label = &before.label;
            assert_eq!(label, &after.label, "{name}");
            assert!(
                after.bytes <= before.bytes + 4 * more + 1024,
                "{name}: {label} grows from {} to {} bytes for {more} more units",
                before.bytes,
                after.bytes
            );
        }
    }
}
