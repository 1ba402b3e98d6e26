// sddmm, and the gradient of each row's bias: the first of a row's workgroups adds up the row of delta, which its pairs
// have already loaded. In both shapes the lanes lie over the batch.
#import grid
#import part
#import sddmm_batch
#import sddmm_row_sum

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

@compute @workgroup_size(LANES, ROWS)
fn sddmm_bias(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let share = share_of(flat_group(group, groups));
    if share.unit >= params.rows {
        return;
    }
    let pairs = pairs_of(share.unit);
    lanes_over_batch(share.unit, pairs.x + share.chunk, pairs.y, local.xy);
    if share.chunk == 0u {
        row_sum(share.unit, local.xy);
    }
}
