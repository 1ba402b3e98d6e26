// Sums each row of delta: the gradient of the biases. One invocation per row, vec4 at a time, in order.
#import grid
#import part

const WORKGROUP = 64u;

struct Params {
    rows: u32,
    vectors: u32,
    first_row: u32,
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> delta: array<vec4<f32>>; // [rows][vectors]
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>; // [R]

@compute @workgroup_size(WORKGROUP)
fn bias_gradient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = flat_group(group, groups) * WORKGROUP + lane;
    if row >= params.rows {
        return;
    }
    var sum = vec4(0.0);
    for (var v = part.begin; v < part.end; v++) {
        sum += delta[row * params.vectors + v];
    }
    // The pieces, each of some vectors, add to the one before.
    let add = params.accumulate != 0u || part.begin > 0u;
    let before = select(0.0, gradient[params.first_row + row], add);
    gradient[params.first_row + row] = before + ((sum.x + sum.y) + (sum.z + sum.w));
}
