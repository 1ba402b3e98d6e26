//! A layer's weights with zeros for the missing connections.

use rootlet::dense::{Expand, ExpandParams};
use rootlet::engine::{Class, Plan};
use rootlet::sparse::{Arena, LayerState};

use crate::common::{Random, devices};

/// Every word of the matrix is written, and no other, after another layer in the arena.
#[test]
fn every_weight_is_where_it_belongs() {
    const MARGIN: usize = 64;
    let random = &mut Random(1);
    // The last one needs more workgroups than a dimension has.
    for [n_in, n_out] in [[1, 1], [5, 3], [64, 7], [130, 9], [1, 530_000]] {
        let mut expected = vec![0f32; n_in * n_out];
        let mut pairs = Vec::new();
        for (i, weight) in expected.iter_mut().enumerate() {
            let (row, col) = (i / n_in, i % n_in);
            // An empty row, an empty column, a full row.
            let active = row != 1 && col != 3 && random.word().is_multiple_of(2);
            if i == 0 || row == 2 || active {
                *weight = random.real();
                pairs.push((row as u32, col as u32));
            }
        }
        let mut first = LayerState::from_pairs(3, 2, &[(0, 1), (1, 0), (1, 2)]);
        first.values.fill(f32::NAN);
        let mut layer = LayerState::from_pairs(n_in, n_out, &pairs);
        layer.values = pairs
            .iter()
            .map(|&(row, col)| expected[row as usize * n_in + col as usize])
            .collect();
        for (name, device) in devices() {
            let arena = Arena::new(&device, &[first.clone(), layer.clone()]).unwrap();
            let noise = Random(2).noise((MARGIN + n_in * n_out + MARGIN).next_multiple_of(4));
            let output = device
                .buffer_with("output", Class::Scratch, &noise)
                .unwrap();
            let params = ExpandParams::of_layer(&arena.spans()[1]);
            let kernel = Expand {
                params,
                row_offsets: arena.row_offsets().all(),
                cols: arena.cols().all(),
                weights: arena.weights().all(),
                output: output.range(MARGIN..noise.len()),
            };
            let mut plan = Plan::new("test");
            plan.dispatch(kernel, params.grid()).unwrap();
            device.run(&device.prepare(&plan).unwrap()).unwrap();
            let found: Vec<u32> = device.download(&output.all()).unwrap();
            let mut requested = noise;
            requested[MARGIN..MARGIN + n_in * n_out]
                .copy_from_slice(bytemuck::cast_slice(&expected));
            let wrong = found.iter().zip(&requested).position(|(f, w)| f != w);
            assert_eq!(wrong, None, "{name}: {n_in} to {n_out}");
        }
    }
}
