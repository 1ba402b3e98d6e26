// The gradient at a batch norm's input over a tile whose first vector is `base`, and that at the residual; `means`: of
// dz, and of dz times the normalised input, over the channel. On hardware (VECTORS is 1), four places at once.
#import members
#import norm_channel

fn backward_tile(base: u32, rows: u32, local: vec3<u32>, channel: Channel, means: vec2<f32>) {
    let vectors = params.vectors;
    let step_p = ROWS * vectors;
    for (var v = local.x; v < vectors; v += LANES) {
        let keep = members(v);
        var p = local.y;
        for (; VECTORS == 1u && p + 3u * ROWS < rows; p += 4u * ROWS) {
            let at = base + p * vectors + v;
            let x = inputs(at, step_p);
            let m = channel.mean;
            let away = Four(x.x0 - m, x.x1 - m, x.x2 - m, x.x3 - m);
            let dz = gradients(at, step_p, keep, away, channel);
            put(at, keep, dz.x0, away.x0, channel, means);
            put(at + step_p, keep, dz.x1, away.x1, channel, means);
            put(at + 2u * step_p, keep, dz.x2, away.x2, channel, means);
            put(at + 3u * step_p, keep, dz.x3, away.x3, channel, means);
        }
        for (; p < rows; p += ROWS) {
            let at = base + p * vectors + v;
            let away = input[at] - channel.mean;
            let dz = select(vec4(0.0), delta[at], let_through(at, keep, away, channel));
            put(at, keep, dz, away, channel, means);
        }
    }
}

fn put(at: u32, keep: vec4<bool>, dz: vec4<f32>, away: vec4<f32>, channel: Channel, means: vec2<f32>) {
    let dx = channel.scale * ((dz - means.x) - away * channel.inverse * means.y);
    output[at] = select(vec4(0.0), dx, keep);
    if params.residual_mode == 1u {
        residual[at] = dz;
    } else if params.residual_mode == 2u {
        residual[at] += dz;
    }
}
