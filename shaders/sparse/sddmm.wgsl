// SDDMM: one workgroup or more per row b, which all its pairs (a, b) share. There are two shapes, chosen by the
// adapter. Hardware lays the lanes over the batch, so that loads are coalesced; each row of invocations takes its part
// of a tile of pairs, and sums are added up through workgroup memory. A software adapter lays the lanes over the pairs
// and keeps the row of delta in registers, because barriers are expensive there.
#import grid
#import part
#import sddmm_batch

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: lanes over the batch; 4: lanes over the pairs
override UNROLL: u32 = 4u; // 4 or 8, by lanes over the batch

// Vectors of delta that an invocation holds at a time: a batch of 128.
const HELD = 32u;
// Pairs that a workgroup takes at a time, by lanes over the pairs.
const TILE = 32u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [pairs]
@group(0) @binding(3) var<storage, read> input: array<vec4<f32>>; // [n_in][vectors]
@group(0) @binding(4) var<storage, read> delta: array<vec4<f32>>; // [n_out][vectors]
@group(0) @binding(5) var<storage, read_write> output: array<f32>; // [pairs]

// Processes every `chunks`-th tile of pairs from `begin` on.
fn lanes_over_pairs(unit: u32, begin: u32, end: u32, lane: u32) {
    if begin >= end {
        return;
    }
    let vectors = params.vectors;
    for (var block = part.begin; block < part.end; block += HELD) {
        let held = min(HELD, part.end - block);
        var d: array<vec4<f32>, HELD>;
        for (var v = 0u; v < held; v++) {
            d[v] = delta[unit * vectors + block + v];
        }
        for (var first = begin; first < end; first += TILE * part.chunks) {
            let last = min(first + TILE, end);
            for (var j = first + lane; j < last; j += LANES) {
                let at = (cols[j] - params.first_col) * vectors + block;
                var sum = vec4(0.0);
                for (var v = 0u; v < held; v++) {
                    sum += d[v] * input[at + v];
                }
                let total = (sum.x + sum.y) + (sum.z + sum.w);
                if block == part.begin {
                    output[j] = before(j) + total;
                } else {
                    output[j] += total;
                }
            }
        }
    }
}

@compute @workgroup_size(LANES, ROWS)
fn sddmm(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let share = share_of(flat_group(group, groups));
    if share.unit >= params.rows {
        return;
    }
    let pairs = pairs_of(share.unit);
    if VECTORS == 1u {
        lanes_over_batch(share.unit, pairs.x + share.chunk, pairs.y, local.xy);
    } else {
        lanes_over_pairs(share.unit, pairs.x + share.chunk * TILE, pairs.y, local.x);
    }
}
