//! What a plan does, and what it refuses to record or to run.

use rootlet::engine::{Buffer, Class, Device, Grid, Plan, View};

use crate::common::{devices, gpus, says};
use crate::scale::{Scale, ScaleParams, Use};

fn scale(input: View, step: View, output: View) -> rootlet::Result<()> {
    let params = ScaleParams {
        length: 4,
        factor: 1.0,
    };
    let kernel = Scale {
        params,
        input,
        step,
        output,
    };
    Plan::new("refusing").dispatch(kernel, Grid::Items(4))
}

#[test]
fn a_plan_is_replayed_with_the_step_of_the_day() {
    for (name, device) in devices() {
        let used = Use::new(&device, 130);
        let mut plan = Plan::new("twice");
        plan.append(used.plan.clone());
        plan.append(used.plan.clone());
        let program = device.prepare(&plan).unwrap();
        assert_eq!((program.len(), program.is_empty()), (2, false));
        for step in [1, 2, 70_000] {
            used.set_step(&device, step);
            device.run(&program).unwrap();
            let expected: Vec<f32> = (0..130).map(|i| i as f32 - 3.5 + step as f32).collect();
            assert_eq!(used.outputs(&device, 130), expected, "{name}");
        }
        device.wait().unwrap();
    }
}

#[test]
fn an_empty_plan_runs() {
    for (_, device) in devices() {
        let used = Use::new(&device, 4);
        let kernel = Scale {
            params: ScaleParams {
                length: 0,
                factor: 1.0,
            },
            input: used.input.all(),
            step: used.step.all(),
            output: used.output.all(),
        };
        let mut plan = Plan::new("nothing");
        for grid in [Grid::Items(0), Grid::Rows(0), Grid::Groups(0)] {
            plan.dispatch(kernel.clone(), grid).unwrap();
        }
        let program = device.prepare(&plan).unwrap();
        assert!(program.is_empty());
        device.run(&program).unwrap();
        assert!(device.run_checked(&program, "").unwrap().is_empty());
    }
}

#[test]
fn bad_views_are_refused_by_name() {
    for (_, device) in devices() {
        let buffer = |label| device.buffer(label, Class::Scratch, 256).unwrap();
        let (x, s, y) = (buffer("x"), buffer("s"), buffer("y"));
        let all = |b: &Buffer| b.all();
        scale(all(&x), all(&s), all(&y)).unwrap();
        scale(x.range(64..80), s.range(128..134), y.range(192..256)).unwrap();

        let place = ["`refusing`", "`tests/scale`"];
        let refused = |result: rootlet::Result<()>, parts: &[&str]| {
            says(result, &[&place, parts].concat());
        };
        refused(
            scale(x.range(1..64), all(&s), all(&y)),
            &["`input`", "1..64", "`x`", "multiple of 64"],
        );
        refused(
            scale(all(&x), all(&s), y.range(0..257)),
            &["`output`", "`y` (256 words)", "out of bounds"],
        );
        refused(
            scale(x.range(64..64), all(&s), all(&y)),
            &["`input`", "empty"],
        );
        #[allow(clippy::reversed_empty_ranges)]
        let reversed = x.range(128..64);
        refused(scale(reversed, all(&s), all(&y)), &["`input`", "`x`"]);
        refused(
            scale(all(&x), s.range(0..3), all(&y)),
            &["`step`", "0..3", "`s`", "6 words"],
        );
        // Even if the ranges do not overlap: WebGPU counts whole buffers.
        refused(
            scale(x.range(0..64), all(&s), x.range(64..128)),
            &["`input`", "same buffer", "`output`"],
        );
        refused(
            scale(all(&x), y.range(0..6), y.range(64..128)),
            &["`step`", "same buffer", "`output`"],
        );
        // Two that only read may share.
        scale(all(&x), x.range(0..6), all(&y)).unwrap();
    }
}

#[test]
fn another_devices_plan_program_or_buffer_is_refused() {
    let mut devices: Vec<Device> = gpus().into_iter().map(|(_, device)| device).collect();
    devices.push(Device::cpu(1).unwrap());
    devices.push(Device::cpu(1).unwrap());
    for (i, owner) in devices.iter().enumerate() {
        let used = Use::new(owner, 10);
        let program = owner.prepare(&used.plan).unwrap();
        for (j, other) in devices.iter().enumerate().filter(|(j, _)| *j != i) {
            says(other.prepare(&used.plan).map(|_| ()), &["another device"]);
            says(other.run(&program), &["another device"]);
            says(other.run_checked(&program, ""), &["another device"]);
            let foreign = other.buffer("foreign", Class::Data, 10).unwrap();
            says(
                scale(used.input.all(), used.step.all(), foreign.all()),
                &["`output`", "`foreign`", "another device"],
            );
            assert_ne!(i, j);
        }
        // None of this has harmed the owner.
        owner.run(&program).unwrap();
        owner.wait().unwrap();
    }
}

#[test]
fn grids_count_workgroups_by_the_shaders_size() {
    let size = [32, 4, 1];
    for (grid, groups) in [
        (Grid::Items(1), 1),
        (Grid::Items(32), 1),
        (Grid::Items(33), 2),
        (Grid::Rows(4), 1),
        (Grid::Rows(5), 2),
        (Grid::Groups(7), 7),
    ] {
        assert_eq!(grid.workgroups(size), groups, "{grid:?}");
    }
}
