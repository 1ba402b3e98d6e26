// Sums each row of delta: the gradients of the biases. There are two shapes, chosen by the adapter. Hardware gives each
// row a workgroup, whose invocations lie over the vectors, so that loads are coalesced. A software adapter gives it one
// invocation, because barriers are expensive there.
#import grid
#import part

override VECTORS: u32 = 4u; // 1: a workgroup per row; 4: an invocation per row

const WORKGROUP = 64u;
// Number of invocations whose sums one of them adds up.
const GROUP = 8u;

struct Params {
    rows: u32,
    vectors: u32,
    first_row: u32,
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> delta: array<vec4<f32>>; // [rows][vectors]
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>; // [R]

var<workgroup> sums: array<f32, WORKGROUP>;

fn put(row: u32, sum: f32) {
    // Each piece has some vectors, and adds to the one before.
    let add = params.accumulate != 0u || part.begin > 0u;
    let before = select(0.0, gradient[params.first_row + row], add);
    gradient[params.first_row + row] = before + sum;
}

// Sums every `step`-th vector of a row; on hardware, four loads are in flight at a time.
fn sum_of(row: u32, first: u32, step: u32) -> f32 {
    let at = row * params.vectors;
    var sum = vec4(0.0);
    var v = first;
    for (; VECTORS == 1u && v + 3u * step < part.end; v += 4u * step) {
        let d0 = delta[at + v];
        let d1 = delta[at + v + step];
        let d2 = delta[at + v + 2u * step];
        let d3 = delta[at + v + 3u * step];
        sum += d0;
        sum += d1;
        sum += d2;
        sum += d3;
    }
    for (; v < part.end; v += step) {
        sum += delta[at + v];
    }
    return (sum.x + sum.y) + (sum.z + sum.w);
}

fn by_workgroup(row: u32, lane: u32) {
    sums[lane] = sum_of(row, part.begin + lane, WORKGROUP);
    workgroupBarrier();
    if lane < WORKGROUP / GROUP {
        var sum = 0.0;
        for (var i = 0u; i < GROUP; i++) {
            sum += sums[lane * GROUP + i];
        }
        // No other invocation reads this group's values.
        sums[lane * GROUP] = sum;
    }
    workgroupBarrier();
    if lane == 0u {
        var sum = 0.0;
        for (var i = 0u; i < WORKGROUP; i += GROUP) {
            sum += sums[i];
        }
        put(row, sum);
    }
}

@compute @workgroup_size(WORKGROUP)
fn bias_gradient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = flat_group(group, groups);
    if VECTORS == 1u {
        if number < params.rows {
            by_workgroup(number, lane);
        }
    } else {
        let row = number * WORKGROUP + lane;
        if row < params.rows {
            put(row, sum_of(row, part.begin, 1u));
        }
    }
}
