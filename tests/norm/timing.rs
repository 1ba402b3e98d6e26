use crate::common::Random;
use crate::problem::{Size, TESTED, World};
use rootlet::bench::{Copy, CopyParams};
use rootlet::engine::{Class, Device, Grid, Plan, Program};
use rootlet::layer::norm::*;
use std::time::Instant;

fn least(device: &Device, program: &Program) -> f64 {
    device.run(program).unwrap();
    device.wait().unwrap();
    (0..60)
        .map(|_| {
            let t = Instant::now();
            device.run(program).unwrap();
            device.wait().unwrap();
            t.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

#[test]
#[ignore]
fn timing() {
    let choice = std::env::var("TIMING").unwrap_or("cpu".into());
    let device = Device::open(&choice, &Default::default()).unwrap();
    println!("{}", device.description());
    for size in [
        Size::new(16, 1024, 128, 128),
        Size::new(64, 64, 128, 128),
        Size::new(16, 1024, 128, 125),
    ] {
        let world = World::new(&device, size, NormKind::Batch, &mut Random(1));
        let n = size.words();
        let buf = |l: &str| {
            device
                .buffer_with(l, Class::Activations, &Random(2).reals(n))
                .unwrap()
                .all()
        };
        let (x, r, y, dy, dx, dr) = (
            buf("x"),
            buf("r"),
            buf("y"),
            buf("dy"),
            buf("dx"),
            buf("dr"),
        );
        let norm = BatchNorm {
            span: world.norms.spans[TESTED],
            positions: size.positions,
            stride: size.stride,
            relu: true,
        };
        let saved = device
            .buffer("s", Class::Activations, norm.saved_words())
            .unwrap()
            .all();
        let scratch = NormScratch::new(&device, &[norm]).unwrap();
        let mb = n as f64 * 4.0 / 1e9;
        let mut plan = Plan::new("copy");
        plan.dispatch(
            Copy {
                params: CopyParams {
                    vectors: n as u32 / 4,
                },
                input: x.clone(),
                output: y.clone(),
            },
            Grid::Items(n / 4),
        )
        .unwrap();
        let t = least(&device, &device.prepare(&plan).unwrap());
        println!(
            "{size:?} copy {:.3} ms {:.1} GB/s (2)",
            t * 1e3,
            2.0 * mb / t
        );
        for residual in [false, true] {
            let mut plan = Plan::new("f");
            norm.forward_train(
                &mut plan,
                &world.norms,
                &scratch,
                &world.step(),
                BatchNormForwardViews {
                    input: x.clone(),
                    residual: residual.then(|| r.clone()),
                    output: y.clone(),
                    saved: saved.clone(),
                },
                true,
            )
            .unwrap();
            norm.backward(
                &mut plan,
                &world.norms,
                &scratch,
                &world.step(),
                BatchNormBackwardViews {
                    input: x.clone(),
                    delta: dy.clone(),
                    activation: residual.then(|| y.clone()),
                    saved: saved.clone(),
                    output: dx.clone(),
                    residual: residual.then(|| (dr.clone(), false)),
                },
                false,
            )
            .unwrap();
            let program = device.prepare(&plan).unwrap();
            println!(
                "  residual {residual}: whole {:.3} ms",
                least(&device, &program) * 1e3
            );
            let r = residual as usize as f64;
            for (i, (d, passes)) in plan
                .dispatches()
                .iter()
                .zip([1.0, 0.0, 2.0 + r, 2.0 + r, 0.0, 3.0 + 2.0 * r])
                .enumerate()
            {
                let t = least(&device, &device.prepare(&plan.only(i)).unwrap());
                println!(
                    "    {:38} {:.3} ms {:.1} GB/s ({passes})",
                    d.kernel.name,
                    t * 1e3,
                    passes * mb / t
                );
            }
        }
    }
    for size in [Size::new(512, 64, 128, 128), Size::new(48, 64, 128, 128)] {
        let world = World::new(&device, size, NormKind::Layer, &mut Random(1));
        let n = size.words();
        let mb = n as f64 * 4.0 / 1e9;
        let buf = |l: &str| {
            device
                .buffer_with(l, Class::Activations, &Random(2).reals(n))
                .unwrap()
                .all()
        };
        let (x, y, dy, dx) = (buf("x"), buf("y"), buf("dy"), buf("dx"));
        let norm = LayerNorm {
            span: world.norms.spans[TESTED],
            positions: size.positions,
            stride: size.stride,
        };
        let saved = device
            .buffer("s", Class::Activations, norm.saved_words())
            .unwrap()
            .all();
        let mut plan = Plan::new("copy");
        plan.dispatch(
            Copy {
                params: CopyParams {
                    vectors: n as u32 / 4,
                },
                input: x.clone(),
                output: y.clone(),
            },
            Grid::Items(n / 4),
        )
        .unwrap();
        let t = least(&device, &device.prepare(&plan).unwrap());
        println!(
            "{size:?} copy {:.3} ms {:.1} GB/s (2)",
            t * 1e3,
            2.0 * mb / t
        );
        let mut plan = Plan::new("f");
        norm.forward(
            &mut plan,
            &world.norms,
            &world.step(),
            x.clone(),
            y.clone(),
            saved.clone(),
        )
        .unwrap();
        norm.backward(
            &mut plan,
            &world.norms,
            LayerNormBackwardViews {
                input: x.clone(),
                delta: dy.clone(),
                saved: saved.clone(),
                output: Some((dx.clone(), true)),
            },
            false,
        )
        .unwrap();
        for (i, (d, passes)) in plan.dispatches().iter().zip([3.0, 2.0, 6.0]).enumerate() {
            let t = least(&device, &device.prepare(&plan.only(i)).unwrap());
            println!(
                "    {:38} {:.3} ms {:.1} GB/s ({passes})",
                d.kernel.name,
                t * 1e3,
                passes * mb / t
            );
        }
    }
}
