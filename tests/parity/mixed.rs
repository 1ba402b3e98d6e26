//! Cross-entropy of mixed samples, against PyTorch's with probabilities for targets.

use crate::devices;
use crate::fixture::{Fixture, in_lanes};
use crate::kernels::{put, read, run, softmax, step};
use crate::losses::compare;
use crate::still;
use rootlet::engine::{Class, Grid};
use rootlet::loss::{MixLabels, MixLabelsParams};

#[test]
fn mixed_labels_are_those_of_pytorch() {
    let fixture = Fixture::open("mixed.safetensors");
    for device in devices() {
        for (count, outputs) in [(1, 1), (13, 3), (65, 67)] {
            let size = format!("{count}x{outputs}");
            let lanes = count + 3 - (count + 3) % 4;
            let x = in_lanes(&fixture.reals(&format!("{size}.x")), count, lanes);
            let of = |name: &str| {
                let mut labels = fixture.integers(&format!("{size}.{name}"));
                labels.resize(lanes, 0);
                labels
            };
            let (labels, others) = (of("labels"), of("others"));
            // Padding holds garbage.
            let mut shares = fixture.reals(&format!("{size}.shares"));
            shares.resize(lanes, f32::NAN);
            for smoothing in [0.0, 0.1] {
                let [delta, losses, _] = softmax(&device, &x, &labels, count, smoothing);
                let words =
                    |words: &[u32]| device.buffer_with("words", Class::Data, words).unwrap();
                let kernel = MixLabels {
                    params: MixLabelsParams {
                        lanes: lanes as u32,
                        kept: 1.0 - smoothing,
                    },
                    step: step(&device, still(count)).all(),
                    logits: put(&device, &x).all(),
                    labels: words(&labels).all(),
                    others: words(&others).all(),
                    shares: put(&device, &shares).all(),
                    delta: delta.all(),
                    losses: losses.all(),
                };
                run(&device, kernel, Grid::Items(lanes));
                let found = [&delta, &losses].map(|buffer| read(&device, buffer));
                let at = format!("{}, {size}, {smoothing}", device.name());
                let case = format!("{size}.mixed_{smoothing:?}");
                compare(&fixture, &case, &at, [&found[0], &found[1]], count);
                let padding = |row: &[f32]| row[count..].iter().all(|&x| x == 0.0);
                let rows = found.iter().flat_map(|rows| rows.chunks(lanes));
                assert!(rows.into_iter().all(padding), "{at}");
            }
        }
    }
}
