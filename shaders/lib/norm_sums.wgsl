// Sums over a tile whose first vector is `base`: of the gradient dz after the ReLU, and of dz times the normalised
// input; on hardware (VECTORS is 1), four places at once. All invocations must call it, and all receive both results.
#import members
#import norm_channel
#import workgroup_sum

fn tile_sums(base: u32, rows: u32, local: vec3<u32>, channel: Channel) -> vec2<f32> {
    let vectors = params.vectors;
    let step_p = ROWS * vectors;
    var sum = vec4(0.0);
    var product = vec4(0.0);
    for (var v = local.x; v < vectors; v += LANES) {
        let keep = members(v);
        var p = local.y;
        for (; VECTORS == 1u && p + 3u * ROWS < rows; p += 4u * ROWS) {
            let at = base + p * vectors + v;
            let x = inputs(at, step_p);
            let away = Four(
                select(vec4(0.0), x.x0 - channel.mean, keep),
                select(vec4(0.0), x.x1 - channel.mean, keep),
                select(vec4(0.0), x.x2 - channel.mean, keep),
                select(vec4(0.0), x.x3 - channel.mean, keep),
            );
            let dz = gradients(at, step_p, keep, away, channel);
            sum += dz.x0;
            product += dz.x0 * (away.x0 * channel.inverse);
            sum += dz.x1;
            product += dz.x1 * (away.x1 * channel.inverse);
            sum += dz.x2;
            product += dz.x2 * (away.x2 * channel.inverse);
            sum += dz.x3;
            product += dz.x3 * (away.x3 * channel.inverse);
        }
        for (; p < rows; p += ROWS) {
            let at = base + p * vectors + v;
            let away = select(vec4(0.0), input[at] - channel.mean, keep);
            let dz = select(vec4(0.0), delta[at], let_through(at, keep, away, channel));
            sum += dz;
            product += dz * (away * channel.inverse);
        }
    }
    return workgroup_sum(
        local.y * LANES + local.x,
        vec2((sum.x + sum.y) + (sum.z + sum.w), (product.x + product.y) + (product.z + product.w)),
    );
}
