use rootlet::engine::*;
use rootlet::layer::Attention;
use std::time::Instant;
fn main() {
    let which = std::env::args().nth(1).unwrap_or("cpu".into());
    let t: usize = std::env::args()
        .nth(2)
        .map(|s| s.parse().unwrap())
        .unwrap_or(64);
    let reps: usize = std::env::args()
        .nth(3)
        .map(|s| s.parse().unwrap())
        .unwrap_or(20);
    let device = Device::open(&which, &DeviceOptions::default()).unwrap();
    let a = Attention {
        heads: 6,
        dim: 64,
        tokens: t,
        stride: 128,
    };
    let data: Vec<f32> = (0..a.qkv_words())
        .map(|i| ((i as u32).wrapping_mul(2654435761) >> 8) as f32 / (1 << 23) as f32 - 1.0)
        .collect();
    let b = |n: &str, w| device.buffer(n, Class::Scratch, w).unwrap();
    let qkv = device.buffer_with("qkv", Class::Scratch, &data).unwrap();
    let (p, o, s, dq) = (
        b("p", a.probability_words()),
        b("o", a.output_words()),
        b("s", a.scratch_words()),
        b("dq", a.qkv_words()),
    );
    let d = device
        .buffer_with("d", Class::Scratch, &data[..a.output_words()])
        .unwrap();
    let st = StepState::whole(0, 0, 128, 0.1);
    let step = device.buffer("step", Class::Scratch, STEP_WORDS).unwrap();
    device
        .upload(
            &step.range(0..STEP_WORDS),
            bytemuck::cast_slice::<_, u32>(&[st]),
        )
        .unwrap();
    let gf = 4e-9 * 6.0 * 64.0 * (t * t * 128) as f64;
    let mut all = Plan::new("all");
    a.forward(&mut all, step.all(), qkv.all(), p.all(), o.all())
        .unwrap();
    a.backward(&mut all, qkv.all(), p.all(), d.all(), s.all(), dq.all())
        .unwrap();
    let mut plans = vec![];
    let mut f = Plan::new("f");
    a.forward(&mut f, step.all(), qkv.all(), p.all(), o.all())
        .unwrap();
    plans.push(("forward", f, gf));
    let mut f = Plan::new("b");
    a.backward(&mut f, qkv.all(), p.all(), d.all(), s.all(), dq.all())
        .unwrap();
    plans.push(("backward", f, 2.0 * gf));
    let mut f = Plan::new("x");
    rootlet::layer::attention::dispatch_one(&all, 0, &mut f);
    plans.push(("scores", f, gf / 2.0));
    let mut f = Plan::new("x");
    rootlet::layer::attention::dispatch_one(&all, 1, &mut f);
    plans.push(("mix out", f, gf / 2.0));
    let mut f = Plan::new("x");
    rootlet::layer::attention::dispatch_one(&all, 2, &mut f);
    plans.push(("scores_backward", f, gf / 2.0));
    let mut f = Plan::new("x");
    rootlet::layer::attention::dispatch_one(&all, 3, &mut f);
    plans.push(("mix dq", f, gf / 2.0));
    let mut f = Plan::new("x");
    rootlet::layer::attention::dispatch_one(&all, 4, &mut f);
    plans.push(("mix dk", f, gf / 2.0));
    let mut f = Plan::new("x");
    rootlet::layer::attention::dispatch_one(&all, 5, &mut f);
    plans.push(("mix dv", f, gf / 2.0));
    for (n, plan, g) in &plans {
        let program = device.prepare(plan).unwrap();
        device.run(&program).unwrap();
        device.wait().unwrap();
        let c0 = cpu();
        let mut times: Vec<f64> = (0..reps)
            .map(|_| {
                let t0 = Instant::now();
                device.run(&program).unwrap();
                device.wait().unwrap();
                t0.elapsed().as_secs_f64()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let m = times[reps / 2];
        let c = (cpu() - c0) / reps as f64 / 2.0;
        println!(
            "cpu {:7.2} ms {:6.1} GF/s | {n:16} {:8.2} ms {:7.1} GFLOP/s (best {:.2})",
            c * 1e3,
            g / c,
            m * 1e3,
            g / m,
            times[0] * 1e3
        );
    }
}

fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
