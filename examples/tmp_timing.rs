use rootlet::engine::{Class, Device, Plan};
use rootlet::sparse::*;
use std::time::Instant;

fn time(device: &Device, plan: &Plan) -> f64 {
    let program = device.prepare(plan).unwrap();
    for _ in 0..3 { device.run(&program).unwrap(); }
    let mut best = vec![];
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < 0.6 || best.len() < 5 {
        let t = Instant::now();
        device.run(&program).unwrap();
        best.push(t.elapsed().as_secs_f64());
    }
    best.sort_by(f64::total_cmp);
    best[best.len() / 2]
}

fn main() {
    let threads: usize = std::env::args().nth(1).map_or(2, |a| a.parse().unwrap());
    let device = Device::cpu(threads).unwrap();
    for (c, o, k, hw, s, p, n, batch) in [
        (16, 16, 3, 32, 1, 1, 134, 128),
        (16, 32, 3, 32, 2, 1, 134, 128),
        (32, 32, 3, 16, 1, 1, 300, 128),
        (64, 64, 3, 8, 1, 1, 900, 128),
        (64, 64, 3, 56, 1, 1, 64*36, 32),
        (512, 512, 3, 7, 1, 1, 512*230, 8),
        (512, 512, 3, 7, 1, 1, 512*230, 32),
        (3, 64, 7, 224, 2, 3, 64*30, 8),
        (256, 512, 1, 56, 2, 0, 512*13, 8),
        (64, 256, 1, 56, 1, 0, 256*6, 8),
        (512, 2048, 1, 7, 1, 0, 2048*51, 32),
        (2048, 512, 1, 7, 1, 0, 512*205, 8),
        (512, 256, 1, 8, 1, 0, 256*10, 128),
        (512, 1152, 1, 8, 1, 0, 1152*10, 128),
        (256, 512, 1, 8, 1, 0, 512*10, 128),
        (4096, 4096, 1, 1, 1, 0, 4096*82, 128),
        (1024, 1024, 1, 1, 1, 0, 1024*20, 128),
        (3072, 256, 1, 1, 1, 0, 256*61, 32),
        (4096, 4096, 1, 1, 1, 0, 4096*82, 512),
    ] {
        let window = Window::new([hw, hw], [k, k], [s, s], [p, p]).unwrap();
        let shape = Shape { n_in: c * k * k, n_out: o };
        let layer = draw(shape, n, 1, 0);
        let arena = Arena::new(&device, &[layer]).unwrap();
        let span = arena.spans[0];
        let input = device.buffer_with("input", Class::Activations, &vec![0.5f32; c * window.input_positions() * batch]).unwrap();
        let output = device.buffer_with("output", Class::Activations, &vec![0.25f32; o * window.output_positions() * batch]).unwrap();
        let run = |forward: bool| {
            let mut plan = Plan::new("t");
            if window.is_pointwise() {
                let lanes = window.output_positions() * batch;
                if forward {
                    let params = SpmmParams::of_layer(&span, lanes, false);
                    plan.dispatch(Spmm { params, row_offsets: arena.row_offsets.all(), cols: arena.cols.all(), weights: arena.weights.all(), bias: arena.bias.all(), input: input.all(), output: output.all() }, params.grid()).unwrap();
                } else {
                    let params = SpmmTransposedParams::of_layer(&span, lanes, false, false);
                    plan.dispatch(SpmmTransposed { params, col_offsets: arena.col_offsets.all(), order: arena.order.all(), order_rows: arena.order_rows.all(), weights: arena.weights.all(), delta: output.all(), activation: output.all(), output: input.all() }, params.grid()).unwrap();
                }
            } else if forward {
                let params = ConvParams::of_layer(&span, &window, batch, false).unwrap();
                plan.dispatch(Conv { params, row_offsets: arena.row_offsets.all(), cols: arena.cols.all(), weights: arena.weights.all(), bias: arena.bias.all(), input: input.all(), output: output.all() }, params.grid()).unwrap();
            } else {
                let params = ConvTransposedParams::of_layer(&span, &window, batch, false).unwrap();
                plan.dispatch(ConvTransposed { params, col_offsets: arena.col_offsets.all(), order: arena.order.all(), order_rows: arena.order_rows.all(), weights: arena.weights.all(), delta: output.all(), output: input.all() }, params.grid()).unwrap();
            }
            let t = time(&device, &plan);
            let gflop = 2.0 * n as f64 * (window.output_positions() * batch) as f64 / t / 1e9;
            let gbytes = 4.0 * (input.words() + output.words()) as f64 / t / 1e9;
            format!("{:8.3} ms {gflop:6.1} GFLOP/s {gbytes:5.1} GB/s", t * 1e3)
        };
        println!("{c:4}->{o:4} k{k} s{s} {hw:3}^2 b{batch:3} n{n:6}: fwd {} | bwd {}", run(true), run(false));
    }
}
