// Mean of the values in a tile of `input`, whose first vector is `base`, and the sum of their squared differences from
// it: a workgroup's rows over local y, the batch over local x; on hardware (VECTORS is 1), four loads are in flight at
// once. The second pass finds the tile in the cache. All invocations must call it, and all receive both results.
#import step
#import members
#import workgroup_sum

fn tile_statistics(base: u32, rows: u32, vectors: u32, local: vec3<u32>) -> vec2<f32> {
    let index = local.y * LANES + local.x;
    let n = f32(rows * step.count);
    let step_p = ROWS * vectors;

    var sum = vec4(0.0);
    for (var v = local.x; v < vectors; v += LANES) {
        let keep = members(v);
        var p = local.y;
        for (; VECTORS == 1u && p + 3u * ROWS < rows; p += 4u * ROWS) {
            let at = base + p * vectors + v;
            let x0 = input[at];
            let x1 = input[at + step_p];
            let x2 = input[at + 2u * step_p];
            let x3 = input[at + 3u * step_p];
            sum += select(vec4(0.0), x0, keep);
            sum += select(vec4(0.0), x1, keep);
            sum += select(vec4(0.0), x2, keep);
            sum += select(vec4(0.0), x3, keep);
        }
        for (; p < rows; p += ROWS) {
            sum += select(vec4(0.0), input[base + p * vectors + v], keep);
        }
    }
    let mean = workgroup_sum(index, vec2((sum.x + sum.y) + (sum.z + sum.w), 0.0)).x / n;

    var rest = vec4(0.0);
    var squares = vec4(0.0);
    for (var v = local.x; v < vectors; v += LANES) {
        let keep = members(v);
        var p = local.y;
        for (; VECTORS == 1u && p + 3u * ROWS < rows; p += 4u * ROWS) {
            let at = base + p * vectors + v;
            let x0 = input[at];
            let x1 = input[at + step_p];
            let x2 = input[at + 2u * step_p];
            let x3 = input[at + 3u * step_p];
            let d0 = select(vec4(0.0), x0 - mean, keep);
            let d1 = select(vec4(0.0), x1 - mean, keep);
            let d2 = select(vec4(0.0), x2 - mean, keep);
            let d3 = select(vec4(0.0), x3 - mean, keep);
            rest += d0;
            squares += d0 * d0;
            rest += d1;
            squares += d1 * d1;
            rest += d2;
            squares += d2 * d2;
            rest += d3;
            squares += d3 * d3;
        }
        for (; p < rows; p += ROWS) {
            let d = select(vec4(0.0), input[base + p * vectors + v] - mean, keep);
            rest += d;
            squares += d * d;
        }
    }
    let both = workgroup_sum(
        index,
        vec2((rest.x + rest.y) + (rest.z + rest.w), (squares.x + squares.y) + (squares.z + squares.w)),
    );
    // Rounding errors of the mean are removed from both.
    let shift = both.x / n;
    return vec2(mean + shift, both.y - both.x * shift);
}
