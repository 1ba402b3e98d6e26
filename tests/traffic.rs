//! What a training step of each model dispatches and moves, counted from recorded plans: the table of docs/steps.md,
//! which `REDRAW=1 cargo nextest run --test traffic` rewrites. `KERNELS=1` prints the dispatches by kernel, and needs
//! `--no-capture`.
#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use rootlet::engine::{Device, Precision, Traffic};
use rootlet::model::{Extent, ModelOptions, by_name};
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::optim::Sgd;
use rootlet::sparse::{Assignment, allocate};
use rootlet::topology::method;

const BEGIN: &str = "<!-- steps: written by tests/traffic -->\n";
const END: &str = "<!-- end -->\n";
const SPARSITY: f64 = 0.98;

/// Models by name, with the side of their images and the batch size.
const MODELS: [(&str, usize, usize); 6] = [
    ("mlp", 32, 128),
    ("resnet20", 32, 128),
    ("resnet56", 32, 128),
    ("vgg16-small", 32, 128),
    ("simple-vit-tiny", 32, 128),
    ("resnet50", 224, 32),
];

/// A step's traffic, and the bytes that its sparse products gather: a row of the batch for each connection, output
/// position, and product.
fn step(
    name: &str,
    side: usize,
    batch: usize,
    activations: Precision,
    fused: bool,
) -> (Traffic, f64) {
    let options = ModelOptions {
        input: Extent {
            channels: 3,
            height: side,
            width: side,
        },
        classes: 10,
        width: 1.0,
        hidden: &[4096, 4096],
    };
    let model = by_name(name, &options).unwrap();
    let counts = allocate(&model.shapes(), SPARSITY, Assignment::ErdosRenyi).unwrap();
    let state = NetworkState::initialise(&model, &counts, 1);
    let options = NetworkOptions {
        micro_batch: Some(batch),
        activations,
        optimiser: Arc::new(Sgd::new(0.9, 1e-4, false).unwrap()),
        fused: Some(fused),
        ..NetworkOptions::of_batch(batch)
    };
    let method = method("gse-uniform").unwrap();
    // Nothing is computed, and untouched memory takes none.
    let device = Device::cpu(1).unwrap();
    let network = Network::new(&device, &model, &state, &options, method.as_ref()).unwrap();
    let layers = model.sparse();
    let rows = layers
        .iter()
        .zip(&counts)
        .enumerate()
        .map(|(l, (layer, &active))| {
            // Forward and the connections' gradients read the input; except for the first layer, the gradient at the
            // input reads that at the output. The batch and the gradient at the logits are always f32.
            let stored = activations.bits() / 8;
            let bytes = match l {
                0 => 2 * 4,
                _ if l + 1 == layers.len() => 2 * stored + 4,
                _ => 3 * stored,
            };
            (bytes * active as usize * layer.window.output_positions()) as f64
        });
    let gathered = rows.sum::<f64>() * batch as f64;
    (network.step_traffic().unwrap(), gathered)
}

fn table() -> String {
    let mut table = String::from(
        "| model | dispatches | barriers | bound, MB | in bf16 | not fused: dispatches | bound, MB | gathered, MB | in bf16 |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for (name, side, batch) in MODELS {
        let (traffic, gathered) = step(name, side, batch, Precision::F32, true);
        let (apart, _) = step(name, side, batch, Precision::F32, false);
        let (half, half_gathered) = step(name, side, batch, Precision::Bf16, true);
        if std::env::var_os("KERNELS").is_some() {
            println!("{name}: {:#?}", traffic.kernels);
        }
        let size = match side {
            32 => String::new(),
            _ => format!(", {side} pixels, batch {batch}"),
        };
        writeln!(
            table,
            "| {name}{size} | {} | {} | {:.0} | {:.0} | {} | {:.0} | {:.0} | {:.0} |",
            traffic.dispatches(),
            traffic.barriers,
            traffic.bytes as f64 * 1e-6,
            half.bytes as f64 * 1e-6,
            apart.dispatches(),
            apart.bytes as f64 * 1e-6,
            gathered * 1e-6,
            half_gathered * 1e-6,
        )
        .unwrap();
    }
    table
}

#[test]
fn steps_dispatch_and_move_what_the_page_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/steps.md");
    let page = std::fs::read_to_string(&path)
        .unwrap()
        .replace("\r\n", "\n");
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (stated, behind) = rest.split_once(END).unwrap();
    let table = table();
    if std::env::var_os("REDRAW").is_some() {
        let page = format!("{before}{BEGIN}{table}{END}{behind}");
        std::fs::write(&path, page).unwrap();
        return;
    }
    assert_eq!(
        stated, table,
        "docs/steps.md: REDRAW=1 before this test writes the table anew"
    );
}
