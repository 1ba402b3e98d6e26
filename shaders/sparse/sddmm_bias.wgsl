// sddmm, and the gradient of each row's bias: the first of a row's workgroups adds up the row of delta, which its pairs
// have already loaded. In both shapes the lanes lie over the batch.
#import grid
#import part
#import sddmm_batch

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override UNROLL: u32 = 4u; // 4 or 8

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [pairs]
@group(0) @binding(3) var<storage, read> input: array<vec4<f32>>; // [n_in][vectors]
@group(0) @binding(4) var<storage, read> delta: array<vec4<f32>>; // [n_out][vectors]
@group(0) @binding(5) var<storage, read_write> output: array<f32>; // [pairs]
@group(0) @binding(6) var<storage, read_write> bias: array<f32>; // [R]

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

@compute @workgroup_size(LANES, ROWS)
fn sddmm_bias(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let flat = flat_group(group, groups);
    let unit = flat / part.chunks;
    let chunk = flat - unit * part.chunks;
    if unit >= params.rows {
        return;
    }
    let begin = row_offsets[params.first_row + unit];
    let end = row_offsets[params.first_row + unit + 1u];
    lanes_over_batch(unit, begin + chunk, end, local.xy);
    if chunk == 0u {
        row_sum(unit, local.xy);
    }
}
