// Sums over the batch for the gradients of pairs, by subgroups: without workgroup memory and barriers. 32 lanes of a
// subgroup, or all of a smaller one, take four pairs at a time. A lane of a smaller one does the work of several of 32,
// and the sums are added up in the same order, so their bits are those of sddmm_batch.
#import sddmm_params

// As in sddmm_batch, whatever the shape.
const LANES = 32u;
const ROWS = 4u;
const WORKGROUP = 128u; // LANES * ROWS: subgroups have numbers in one dimension only

// The part of the sums of four pairs that a lane adds up by itself: those of `LANES / width` lanes of 32, in pairs,
// pairs of pairs and so on. `at`: the first vectors of the pairs' inputs; `row`: that of delta.
fn own_sums(at: vec4<u32>, row: u32, width: u32, lane: u32) -> vec4<f32> {
    let own = LANES / width;
    var sum = vec4(0.0);
    var one = vec4(0.0);
    var two = vec4(0.0);
    var four = vec4(0.0);
    for (var i = 0u; i < own; i++) {
        sum = vec4(0.0);
        for (var v = part.begin + lane * own + i; v < part.end; v += LANES) {
            let d = delta[row + v];
            let x0 = input[at.x + v];
            let x1 = input[at.y + v];
            let x2 = input[at.z + v];
            let x3 = input[at.w + v];
            sum += vec4(dot(x0, d), dot(x1, d), dot(x2, d), dot(x3, d));
        }
        if (i & 1u) == 0u {
            one = sum;
            continue;
        }
        sum = one + sum;
        if (i & 2u) == 0u {
            two = sum;
            continue;
        }
        sum = two + sum;
        if (i & 4u) == 0u {
            four = sum;
            continue;
        }
        sum = four + sum;
    }
    return sum;
}

// The sum over the `width` lanes of a share, for one of four pairs: lane 0 gets the first's, 1 the third's, 2 the
// second's and 3 the fourth's. Each of the first two exchanges halves the pairs that a lane holds: 6 exchanges for 32
// lanes, not 20.
fn over_share(sums: vec4<f32>, width: u32, lane: u32) -> f32 {
    let odd = (lane & 1u) != 0u;
    let two = select(sums.xy, sums.zw, odd) + subgroupShuffleXor(select(sums.zw, sums.xy, odd), 1u);
    let high = (lane & 2u) != 0u;
    var sum = select(two.x, two.y, high) + subgroupShuffleXor(select(two.y, two.x, high), 2u);
    if width > 4u {
        sum += subgroupShuffleXor(sum, 4u);
    }
    if width > 8u {
        sum += subgroupShuffleXor(sum, 8u);
    }
    if width > 16u {
        sum += subgroupShuffleXor(sum, 16u);
    }
    return sum;
}

// Processes every `chunks`-th pair from `begin` on. `size`: of the subgroup; `index`: of the invocation, subgroup by
// subgroup. All shares take as many turns, as exchanges between lanes demand.
fn lanes_over_batch(unit: u32, begin: u32, end: u32, size: u32, index: u32) {
    let chunks = part.chunks;
    let width = min(size, LANES);
    let shares = WORKGROUP / width;
    let share = index / width;
    let lane = index % width;
    for (var turn = begin; turn < end; turn += 4u * shares * chunks) {
        let first = turn + 4u * share * chunks;
        // Pairs past the end read the last one, and their sums are not used.
        let pairs = min(first + vec4(0u, 1u, 2u, 3u) * chunks, vec4(end - 1u));
        let units = vec4(cols[pairs.x], cols[pairs.y], cols[pairs.z], cols[pairs.w]);
        let at = (units - params.first_col) * params.vectors;
        let sum = over_share(own_sums(at, unit * params.vectors, width, lane), width, lane);
        let j = first + (2u * (lane & 1u) + (lane >> 1u)) * chunks;
        if lane < 4u && j < end {
            output[j] = before(j) + sum;
        }
    }
}
