// GraBo: sums of magnitudes over the batch, whose products bound the magnitude of the gradient (triangle inequality).
#import grid
#import step

const LANES = 8u;
const ROWS = 8u;

struct Params {
    rows: u32,
    vectors: u32,
    first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<vec4<f32>>; // [rows][vectors]
@group(0) @binding(2) var<storage, read_write> sums: array<f32>; // this layer's from `first` on
@group(0) @binding(3) var<uniform> step: StepState;

var<workgroup> partial: array<f32, 64>; // [ROWS][LANES]

@compute @workgroup_size(8, 8)
fn grabo(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let row = flat_group(group, groups) * ROWS + local.y;
    var sum = vec4(0.0);
    if row < params.rows {
        for (var v = local.x; v * 4u < step.count; v += LANES) {
            let lanes = vec4(v * 4u) + vec4(0u, 1u, 2u, 3u);
            let value = abs(values[row * params.vectors + v]);
            sum += select(vec4(0.0), value, lanes < vec4(step.count));
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
        sums[params.first + row] = total;
    }
}
