// Batch norm's output over a tile whose first vector is `base`, with the addition and the ReLU that may follow: a
// workgroup's rows over local y, the batch over local x; on hardware (VECTORS is 1), four loads are in flight at once.
#import members

fn apply_tile(base: u32, rows: u32, local: vec3<u32>, mean: f32, scale: f32, bias: f32) {
    let vectors = params.norm.vectors;
    let relu = vec4(params.norm.relu != 0u);
    let step_p = ROWS * vectors;
    for (var v = local.x; v < vectors; v += LANES) {
        let keep = members(v);
        var p = local.y;
        for (; VECTORS == 1u && p + 3u * ROWS < rows; p += 4u * ROWS) {
            let at = base + p * vectors + v;
            let x0 = input[at];
            let x1 = input[at + step_p];
            let x2 = input[at + 2u * step_p];
            let x3 = input[at + 3u * step_p];
            var y0 = (x0 - mean) * scale + bias;
            var y1 = (x1 - mean) * scale + bias;
            var y2 = (x2 - mean) * scale + bias;
            var y3 = (x3 - mean) * scale + bias;
            if params.norm.add != 0u {
                let r0 = residual[at];
                let r1 = residual[at + step_p];
                let r2 = residual[at + 2u * step_p];
                let r3 = residual[at + 3u * step_p];
                y0 += r0;
                y1 += r1;
                y2 += r2;
                y3 += r3;
            }
            output[at] = shown(y0, keep, relu);
            output[at + step_p] = shown(y1, keep, relu);
            output[at + 2u * step_p] = shown(y2, keep, relu);
            output[at + 3u * step_p] = shown(y3, keep, relu);
        }
        for (; p < rows; p += ROWS) {
            let at = base + p * vectors + v;
            var y = (input[at] - mean) * scale + bias;
            if params.norm.add != 0u {
                y += residual[at];
            }
            output[at] = shown(y, keep, relu);
        }
    }
}

fn shown(y: vec4<f32>, keep: vec4<bool>, relu: vec4<bool>) -> vec4<f32> {
    // A NaN stays a NaN, so that a diverged run shows.
    return select(y, vec4(0.0), !keep | (relu & (y < vec4(0.0))));
}
