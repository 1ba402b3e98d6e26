// The mean over all positions, or tokens. One unit per line of lanes; four partial sums keep as many loads in flight.
#import grid
#import part

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    units: u32,
    positions: u32,
    vectors: u32,
    scale: f32, // 1 / positions
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [units][positions][vectors]
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>; // [units][vectors]

@compute @workgroup_size(LANES, ROWS)
fn global_average(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let unit = flat_group(group, groups) * ROWS + local.y;
    if unit >= params.units {
        return;
    }
    let vectors = params.vectors;
    let begin = unit * params.positions * vectors;
    let whole = begin + params.positions / 4u * 4u * vectors;
    let end = begin + params.positions * vectors;
    for (var v = part.begin + local.x; v < part.end; v += LANES) {
        var s0 = vec4(0.0);
        var s1 = vec4(0.0);
        var s2 = vec4(0.0);
        var s3 = vec4(0.0);
        for (var at = begin + v; at < whole; at += 4u * vectors) {
            s0 += input[at];
            s1 += input[at + vectors];
            s2 += input[at + 2u * vectors];
            s3 += input[at + 3u * vectors];
        }
        if whole + v < end {
            s0 += input[whole + v];
        }
        if whole + vectors + v < end {
            s1 += input[whole + vectors + v];
        }
        if whole + 2u * vectors + v < end {
            s2 += input[whole + 2u * vectors + v];
        }
        output[unit * vectors + v] = ((s0 + s1) + (s2 + s3)) * params.scale;
    }
}
