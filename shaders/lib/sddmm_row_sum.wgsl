// The gradient of a row's bias, summed through workgroup memory.

// The sum of a row of delta. All invocations of the workgroup must call it.
fn row_sum(unit: u32, local: vec2<u32>) {
    let width = LANES * ROWS;
    let index = local.y * LANES + local.x;
    let row = unit * params.vectors;
    var sum = vec4(0.0);
    // Four at a time, whose loads are in flight together.
    var v = part.begin + index;
    for (; v + 3u * width < part.end; v += 4u * width) {
        let d0 = delta[row + v];
        let d1 = delta[row + v + width];
        let d2 = delta[row + v + 2u * width];
        let d3 = delta[row + v + 3u * width];
        sum += d0;
        sum += d1;
        sum += d2;
        sum += d3;
    }
    for (; v < part.end; v += width) {
        sum += delta[row + v];
    }
    partial[local.y * PITCH + local.x] = (sum.x + sum.y) + (sum.z + sum.w);
    workgroupBarrier();
    if local.x == 0u {
        var total = 0.0;
        for (var l = 0u; l < LANES; l++) {
            total += partial[local.y * PITCH + l];
        }
        partial[local.y * PITCH] = total;
    }
    workgroupBarrier();
    if index == 0u {
        var total = 0.0;
        for (var r = 0u; r < ROWS; r++) {
            total += partial[r * PITCH];
        }
        let at = params.first_row + unit;
        bias[at] = select(0.0, bias[at], params.accumulate != 0u || part.begin > 0u) + total;
    }
}
