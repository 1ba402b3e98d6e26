//! Sin-cos positions against values computed by hand, and adding them, both in place and not.

use rootlet::engine::{Class, Device, Plan};
use rootlet::layer::{PositionsPass, sincos_positions};

use crate::common::{Random, devices, says};
use crate::problem::{Output, run_checked};

#[test]
fn the_table_holds_sines_and_cosines_of_x_then_y() {
    // dim 12: three frequencies, 1, 1/100 and 1/10000, in each of the quarters sin x, cos x, sin y, cos y.
    let (height, width) = (2, 3);
    let table = sincos_positions(height, width, 12).unwrap();
    assert_eq!(table.len(), 12 * 6);
    let at = |feature: usize, y: usize, x: usize| table[feature * 6 + y * 3 + x];
    let sin_1 = 0.841_471;
    let sin_2 = 0.909_297_4;
    let cos_1 = 0.540_302_3;
    let cos_2 = -0.416_146_84;
    for (feature, y, x, expected) in [
        (0, 0, 0, 0.0),
        (0, 0, 1, sin_1),
        (0, 1, 2, sin_2),
        (1, 0, 2, 0.019_998_667), // sin 0.02
        (2, 1, 1, 1e-4),
        (3, 1, 0, 1.0),
        (3, 0, 1, cos_1),
        (3, 1, 2, cos_2),
        (4, 0, 2, 0.999_8), // cos 0.02
        (6, 0, 2, 0.0),
        (6, 1, 0, sin_1),
        (7, 1, 2, 0.009_999_833), // sin 0.01
        (8, 1, 0, 1e-4),
        (9, 0, 2, 1.0),
        (9, 1, 2, cos_1),
        (10, 1, 1, 0.999_95), // cos 0.01
        (11, 1, 0, 1.0),
    ] {
        let found = at(feature, y, x);
        assert!(
            (found - expected).abs() < 1e-7,
            "feature {feature} at y {y}, x {x} is {found}, not {expected}"
        );
    }
    // dim 8: two frequencies, the second 1/10000.
    let table = sincos_positions(1, 2, 8).unwrap();
    let expected = [sin_1, 1e-4, cos_1, 1.0, 0.0, 0.0, 1.0, 1.0];
    for (feature, expected) in expected.into_iter().enumerate() {
        let found = table[2 * feature + 1];
        assert!((found - expected).abs() < 1e-7, "{feature}: {found}");
    }
}

#[test]
fn tables_that_cannot_be_are_refused() {
    for (height, width, dim) in [(2, 2, 6), (2, 2, 4), (2, 2, 0), (0, 2, 8), (2, 0, 8)] {
        let what = format!("{height} x {width} tokens with {dim} features");
        says(
            sincos_positions(height, width, dim),
            &[&what, "multiple of 4"],
        );
    }
}

#[test]
fn positions_are_added_in_every_lane_in_place_or_not() {
    let random = &mut Random(3);
    for (name, device) in devices() {
        for (dim, tokens, lanes) in [(1, 1, 4), (8, 6, 8), (12, 5, 132), (5, 13, 36)] {
            let layer = PositionsPass { dim, tokens, lanes };
            let table = random.reals(dim * tokens);
            let mut input = random.reals(layer.words());
            input[2] = f32::NAN;
            let what = &format!("{name}, {layer:?}");
            let given = |data: &[f32]| device.buffer_with("given", Class::Data, data).unwrap();
            let output = Output::new(&device, "output", layer.words());
            let (rows, from) = (given(&table), given(&input));
            let mut plan = Plan::new("positions");
            layer
                .forward(&mut plan, rows.all(), from.all(), output.view())
                .unwrap();
            run_checked(&device, &plan, what);
            let apart = output.read(&device, what);

            let there = Output::new(&device, "in place", layer.words());
            device.upload(&there.view(), &input).unwrap();
            let mut plan = Plan::new("positions in place");
            layer
                .forward(&mut plan, rows.all(), there.view(), there.view())
                .unwrap();
            run_checked(&device, &plan, what);
            let in_place = there.read(&device, what);
            for (i, x) in input.iter().enumerate() {
                let expected = x + table[i / lanes];
                for found in [apart[i], in_place[i]] {
                    assert!(
                        found == expected || (found.is_nan() && expected.is_nan()),
                        "{what}: word {i} is {found}, not {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn views_that_do_not_fit_are_refused() {
    let device = Device::cpu(1).unwrap();
    let buffer = |words| device.buffer("some", Class::Scratch, words).unwrap();
    let layer = PositionsPass {
        dim: 4,
        tokens: 16,
        lanes: 4,
    };
    let (table, right, small) = (buffer(64), buffer(256), buffer(252));
    let plan = &mut Plan::new("test");
    let mut forward =
        |table: &rootlet::engine::Buffer, from, to| layer.forward(plan, table.all(), from, to);
    says(forward(&table, small.all(), right.all()), &["252", "256"]);
    says(forward(&table, right.all(), small.all()), &["252", "256"]);
    says(
        forward(&buffer(60), right.all(), buffer(256).all()),
        &["60", "64"],
    );
    // Overlapping, but not the same.
    let large = buffer(512);
    says(
        forward(&table, large.range(0..256), large.range(64..320)),
        &["the same buffer"],
    );
}
