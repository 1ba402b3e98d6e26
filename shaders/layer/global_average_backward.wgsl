// Backward pass of the mean over all positions: each gets the same share. One unit per line of lanes.
#import grid
#import part

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    units: u32,
    positions: u32,
    vectors: u32,
    scale: f32, // 1 / positions
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> delta: array<vec4<f32>>; // [units][vectors]
@group(0) @binding(2) var<storage, read_write> result: array<vec4<f32>>; // [units][positions][vectors]

@compute @workgroup_size(LANES, ROWS)
fn global_average_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let unit = flat_group(group, groups) * ROWS + local.y;
    if unit >= params.units {
        return;
    }
    let vectors = params.vectors;
    let begin = (unit * params.positions + part.begin) * vectors;
    let end = (unit * params.positions + part.end) * vectors;
    for (var v = local.x; v < vectors; v += LANES) {
        let share = params.scale * delta[unit * vectors + v];
        if params.accumulate != 0u {
            for (var at = begin + v; at < end; at += vectors) {
                result[at] += share;
            }
        } else {
            for (var at = begin + v; at < end; at += vectors) {
                result[at] = share;
            }
        }
    }
}
