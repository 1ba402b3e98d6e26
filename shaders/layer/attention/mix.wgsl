// Products of attention's matrices with features. Each line of lanes computes a tile.
#import grid
#import part
#import mix

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    heads: u32,
    dim: u32,
    tokens: u32,
    vectors: u32,
    first_input: u32,
    first_output: u32,
    transposed: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> matrix: array<vec4<f32>>; // [heads][tokens][tokens][vectors]
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>; // [features][tokens][vectors]
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>; // [features][tokens][vectors]

@compute @workgroup_size(LANES, ROWS)
fn mix(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let unit = flat_group(group, groups) * ROWS + local.y;
    if unit >= tiles() {
        return;
    }
    let place = place_of(unit, params.transposed != 0u);
    let across = place.token * place.across;
    let feature = place.feature;
    let plane = params.tokens * params.vectors;
    for (var v = part.begin + local.x; v < part.end; v += LANES) {
        var m = place.matrix + v;
        var x = params.first_input * plane + place.features + v;
        var tile = Tile();
        for (var u = 0u; u < params.tokens; u++) {
            add_products(
                &tile,
                matrix[m + across.x],
                matrix[m + across.y],
                matrix[m + across.z],
                matrix[m + across.w],
                input[x + feature.x],
                input[x + feature.y],
                input[x + feature.z],
                input[x + feature.w],
            );
            m += place.along;
            x += params.vectors;
        }
        put_tile(params.first_output * plane + place.features + v, place, tile);
    }
}
