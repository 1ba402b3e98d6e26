// GraEst: magnitudes of the sketches h·s and delta·s; the product of two sketches estimates the gradient without bias
// (Alon, Matias and Szegedy 1996).
#import grid

const LANES = 8u;
const ROWS = 8u;

struct Params {
    rows: u32,
    vectors: u32,
    first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<vec4<f32>>; // [rows][vectors]
@group(0) @binding(2) var<storage, read> signs: array<vec4<f32>>; // [vectors]
@group(0) @binding(3) var<storage, read_write> sums: array<f32>; // this layer's from `first` on

var<workgroup> partial: array<f32, 64>; // [ROWS][LANES]

@compute @workgroup_size(8, 8)
fn graest(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let row = flat_group(group, groups) * ROWS + local.y;
    var sum = vec4(0.0);
    if row < params.rows {
        for (var v = local.x; v < params.vectors; v += LANES) {
            let sign = signs[v];
            // A selection, not a product: what lies in the padding, were it no number, must not matter.
            sum += select(vec4(0.0), values[row * params.vectors + v] * sign, sign != vec4(0.0));
        }
    }
    // The order of this sum is part of the result's bits, the same on every adapter.
    partial[local.y * LANES + local.x] = (sum.x + sum.y) + (sum.z + sum.w);
    workgroupBarrier();
    if local.x == 0u && row < params.rows {
        var total = 0.0;
        for (var lane = 0u; lane < LANES; lane++) {
            total += partial[local.y * LANES + lane];
        }
        sums[params.first + row] = abs(total);
    }
}
