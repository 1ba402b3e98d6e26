// Batch norm's statistics, first half: mean and sum of squared differences of each channel's tiles. One workgroup per
// tile: its rows over local y, the batch over local x. The second pass finds the tile in the cache.
#import grid
#import step
#import members

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

#import workgroup_sum

struct Params {
    channels: u32,
    positions: u32,
    vectors: u32,
    tile: u32, // positions
    tiles: u32, // of a plane
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>; // [channels][positions][vectors]
@group(0) @binding(3) var<storage, read_write> parts: array<f32>; // [channels][tiles][2]

@compute @workgroup_size(LANES, ROWS)
fn batch_norm_statistics(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let item = flat_group(group, groups);
    if item >= params.channels * params.tiles {
        return;
    }
    let index = local.y * LANES + local.x;
    let vectors = params.vectors;
    let first = (item % params.tiles) * params.tile;
    let rows = min(params.tile, params.positions - first);
    let base = (item / params.tiles * params.positions + first) * vectors;
    let n = f32(rows * step.count);

    var sum = vec4(0.0);
    for (var v = local.x; v < vectors; v += LANES) {
        let keep = members(v);
        for (var p = local.y; p < rows; p += ROWS) {
            sum += select(vec4(0.0), input[base + p * vectors + v], keep);
        }
    }
    let mean = workgroup_sum(index, vec2((sum.x + sum.y) + (sum.z + sum.w), 0.0)).x / n;

    var rest = vec4(0.0);
    var squares = vec4(0.0);
    for (var v = local.x; v < vectors; v += LANES) {
        let keep = members(v);
        for (var p = local.y; p < rows; p += ROWS) {
            let d = select(vec4(0.0), input[base + p * vectors + v] - mean, keep);
            rest += d;
            squares += d * d;
        }
    }
    let both = workgroup_sum(
        index,
        vec2((rest.x + rest.y) + (rest.z + rest.w), (squares.x + squares.y) + (squares.z + squares.w)),
    );
    if index == 0u {
        // What rounding left in the mean is taken out of both.
        let shift = both.x / n;
        parts[2u * item] = mean + shift;
        parts[2u * item + 1u] = both.y - both.x * shift;
    }
}
