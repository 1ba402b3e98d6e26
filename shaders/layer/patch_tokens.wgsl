// From images to tokens of one patch each, or back: a permutation of rows of lanes, gathered.
#import grid

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    channels: u32,
    height: u32,
    width: u32,
    side: u32, // of a patch
    vectors: u32,
    inverse: u32, // 1: `input` holds tokens, `output` the image
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // an image [channels][height][width][vectors]
// `output` is tokens [side * side * channels][tokens][vectors].
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

// The place of the tokens' element `row` in the image.
fn of_tokens(row: u32) -> u32 {
    let across = params.width / params.side;
    let tokens = params.height / params.side * across;
    let feature = row / tokens;
    let token = row % tokens;
    let tap = feature / params.channels;
    let c = feature % params.channels;
    let y = token / across * params.side + tap / params.side;
    let x = token % across * params.side + tap % params.side;
    return (c * params.height + y) * params.width + x;
}

// The place of the image's element `row` in the tokens.
fn of_image(row: u32) -> u32 {
    let across = params.width / params.side;
    let tokens = params.height / params.side * across;
    let c = row / (params.height * params.width);
    let y = row / params.width % params.height;
    let x = row % params.width;
    let feature = (y % params.side * params.side + x % params.side) * params.channels + c;
    return feature * tokens + y / params.side * across + x / params.side;
}

@compute @workgroup_size(LANES, ROWS)
fn patch_tokens(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let row = flat_group(group, groups) * ROWS + local.y;
    if row >= params.channels * params.height * params.width {
        return;
    }
    var source: u32;
    if params.inverse == 0u {
        source = of_tokens(row);
    } else {
        source = of_image(row);
    }
    for (var v = local.x; v < params.vectors; v += LANES) {
        output[row * params.vectors + v] = input[source * params.vectors + v];
    }
}
