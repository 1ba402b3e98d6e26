// The factor by which gradients are multiplied so that their norm is at most the limit. One workgroup, in a fixed
// order.
const LANES = 64u;

struct Params {
    count: u32,
    limit: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>; // [count]
@group(0) @binding(2) var<storage, read_write> factor: array<f32>; // [2]: the factor, the norm

var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn clip_factor(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    for (var i = lane; i < params.count; i += LANES) {
        sum += sums[i];
    }
    partial[lane] = sum;
    workgroupBarrier();
    if lane == 0u {
        for (var i = 1u; i < LANES; i++) {
            sum += partial[i];
        }
        let norm = sqrt(sum);
        // A norm that is NaN stays NaN, so that the step shows it.
        factor[0] = select(params.limit / (norm + 1e-6), 1.0, norm <= params.limit);
        factor[1] = norm;
    }
}
