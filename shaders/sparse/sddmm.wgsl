// SDDMM: one workgroup or more per row b, which all its pairs (a, b) share. Two shapes, by the adapter: hardware lays
// the lanes over the batch, so that loads are coalesced, each row of invocations taking its part of a tile of pairs,
// and adds up through workgroup memory; a software adapter lays them over the pairs, keeping the row of delta in
// registers, since barriers cost it dearly.
#import grid
#import part

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: lanes over the batch; 4: lanes over the pairs

// Vectors of delta that an invocation holds at a time: a batch of 128.
const HELD = 32u;
// Pairs that a workgroup takes at a time, by lanes over the pairs.
const TILE = 32u;
// Pairs summed between two barriers, by lanes over the batch: a multiple of 4 * ROWS.
const SUMMED = 64u;
// Of a sum's parts: one more than the lanes, to keep the workgroup memory's banks apart.
const PITCH = 33u;

struct Params {
    rows: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    accumulate: u32, // 1: add to what is there
    chunks: u32, // workgroups that share a row's pairs, at least
    cols: u32, // no row has more pairs
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [pairs]
@group(0) @binding(3) var<storage, read> input: array<vec4<f32>>; // [n_in][vectors]
@group(0) @binding(4) var<storage, read> delta: array<vec4<f32>>; // [n_out][vectors]
@group(0) @binding(5) var<storage, read_write> output: array<f32>; // [pairs]

var<workgroup> partial: array<f32, 2112>; // SUMMED * PITCH

// What a sum is added to; the pieces, each of some vectors, add to the one before.
fn before(j: u32) -> f32 {
    return select(0.0, output[j], params.accumulate != 0u || part.begin > 0u);
}

// Every `chunks`-th pair from `begin` on.
fn lanes_over_batch(unit: u32, begin: u32, end: u32, local: vec2<u32>) {
    let vectors = params.vectors;
    let chunks = part.chunks;
    for (var first = begin; first < end; first += SUMMED * chunks) {
        // Four pairs at a time, whose loads are under way together; those past the end read the last one, and nobody
        // reads their sums.
        for (var t = local.y; t < SUMMED && first + t * chunks < end; t += 4u * ROWS) {
            let pairs = min(first + (t + vec4(0u, ROWS, 2u * ROWS, 3u * ROWS)) * chunks, vec4(end - 1u));
            let units = vec4(cols[pairs.x], cols[pairs.y], cols[pairs.z], cols[pairs.w]);
            let at = (units - params.first_col) * vectors;
            var sum = vec4(0.0);
            for (var v = part.begin + local.x; v < part.end; v += LANES) {
                let d = delta[unit * vectors + v];
                let x0 = input[at.x + v];
                let x1 = input[at.y + v];
                let x2 = input[at.z + v];
                let x3 = input[at.w + v];
                sum += vec4(dot(x0, d), dot(x1, d), dot(x2, d), dot(x3, d));
            }
            let to = t * PITCH + local.x;
            partial[to] = sum.x;
            partial[to + ROWS * PITCH] = sum.y;
            partial[to + 2u * ROWS * PITCH] = sum.z;
            partial[to + 3u * ROWS * PITCH] = sum.w;
        }
        workgroupBarrier();
        for (var t = local.y * LANES + local.x; t < SUMMED && first + t * chunks < end; t += LANES * ROWS) {
            var sum = 0.0;
            for (var l = 0u; l < LANES; l++) {
                sum += partial[t * PITCH + l];
            }
            let j = first + t * chunks;
            output[j] = before(j) + sum;
        }
        workgroupBarrier();
    }
}

// Every `chunks`-th tile of pairs from `begin` on.
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
    let flat = flat_group(group, groups);
    let unit = flat / part.chunks;
    let chunk = flat - unit * part.chunks;
    if unit >= params.rows {
        return;
    }
    let begin = row_offsets[params.first_row + unit];
    let end = row_offsets[params.first_row + unit + 1u];
    if VECTORS == 1u {
        lanes_over_batch(unit, begin + chunk, end, local.xy);
    } else {
        lanes_over_pairs(unit, begin + chunk * TILE, end, local.x);
    }
}
