// Sums over the batch for the gradients of pairs. The lanes lie over the batch, so that loads are coalesced; each row
// of invocations takes its part of a tile of pairs, and sums are added up through workgroup memory.
#import sddmm_params

// Pairs summed between two barriers by lanes over the batch: a multiple of UNROLL * ROWS.
const SUMMED = 64u;
// Pitch of a sum's parts: one more than the lanes, to keep the banks of workgroup memory apart.
const PITCH = 33u;

var<workgroup> partial: array<f32, 2112>; // SUMMED * PITCH

// Stores a lane's parts of the sums of four pairs.
fn keep(t: u32, lane: u32, sums: vec4<f32>) {
    let to = t * PITCH + lane;
    partial[to] = sums.x;
    partial[to + ROWS * PITCH] = sums.y;
    partial[to + 2u * ROWS * PITCH] = sums.z;
    partial[to + 3u * ROWS * PITCH] = sums.w;
}

// The sum of a pair's parts from `at` on: of 32 lanes in pairs, pairs of pairs and so on, as subgroups add them up.
fn over_lanes(at: u32) -> f32 {
    if LANES == 32u {
        return over_sixteen(at) + over_sixteen(at + 16u);
    }
    var sum = 0.0;
    for (var l = 0u; l < LANES; l++) {
        sum += partial[at + l];
    }
    return sum;
}

fn over_sixteen(at: u32) -> f32 {
    return (over_four(at) + over_four(at + 4u)) + (over_four(at + 8u) + over_four(at + 12u));
}

fn over_four(at: u32) -> f32 {
    return (partial[at] + partial[at + 1u]) + (partial[at + 2u] + partial[at + 3u]);
}

// Processes every `chunks`-th pair from `begin` on.
fn lanes_over_batch(unit: u32, begin: u32, end: u32, local: vec2<u32>) {
    let vectors = params.vectors;
    let chunks = part.chunks;
    for (var first = begin; first < end; first += SUMMED * chunks) {
        // Four or eight pairs at a time, whose loads are in flight together. Pairs past the end read the last one, and
        // their sums are not used.
        if UNROLL == 8u {
            for (var t = local.y; t < SUMMED && first + t * chunks < end; t += 8u * ROWS) {
                let steps = vec4(0u, ROWS, 2u * ROWS, 3u * ROWS);
                let near = min(first + (t + steps) * chunks, vec4(end - 1u));
                let far = min(first + (t + 4u * ROWS + steps) * chunks, vec4(end - 1u));
                let near_at = (vec4(cols[near.x], cols[near.y], cols[near.z], cols[near.w]) - params.first_col)
                    * vectors;
                let far_at = (vec4(cols[far.x], cols[far.y], cols[far.z], cols[far.w]) - params.first_col) * vectors;
                var near_sum = vec4(0.0);
                var far_sum = vec4(0.0);
                for (var v = part.begin + local.x; v < part.end; v += LANES) {
                    let d = delta[unit * vectors + v];
                    let x0 = input[near_at.x + v];
                    let x1 = input[near_at.y + v];
                    let x2 = input[near_at.z + v];
                    let x3 = input[near_at.w + v];
                    let x4 = input[far_at.x + v];
                    let x5 = input[far_at.y + v];
                    let x6 = input[far_at.z + v];
                    let x7 = input[far_at.w + v];
                    near_sum += vec4(dot(x0, d), dot(x1, d), dot(x2, d), dot(x3, d));
                    far_sum += vec4(dot(x4, d), dot(x5, d), dot(x6, d), dot(x7, d));
                }
                keep(t, local.x, near_sum);
                keep(t + 4u * ROWS, local.x, far_sum);
            }
        } else {
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
                keep(t, local.x, sum);
            }
        }
        workgroupBarrier();
        for (var t = local.y * LANES + local.x; t < SUMMED && first + t * chunks < end; t += LANES * ROWS) {
            let j = first + t * chunks;
            output[j] = before(j) + over_lanes(t * PITCH);
        }
        workgroupBarrier();
    }
}
