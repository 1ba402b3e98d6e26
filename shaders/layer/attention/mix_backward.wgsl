// The three independent products of attention's backward pass: each line of lanes computes a tile of the gradient of
// the queries, of the keys or of the values.
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
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> scores: array<vec4<f32>>; // [heads][tokens][tokens][vectors]: their gradient
@group(0) @binding(2) var<storage, read> probabilities: array<vec4<f32>>; // [heads][tokens][tokens][vectors]
@group(0) @binding(3) var<storage, read> qkv: array<vec4<f32>>; // [3][heads][dim][tokens][vectors]
@group(0) @binding(4) var<storage, read> delta: array<vec4<f32>>; // [heads][dim][tokens][vectors]
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>; // as qkv

@compute @workgroup_size(LANES, ROWS)
fn mix_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let number = flat_group(group, groups) * ROWS + local.y;
    let product = number / tiles(); // 0: the queries', 1: the keys', 2: the values'
    if product > 2u {
        return;
    }
    let place = place_of(number % tiles(), product > 0u);
    let across = place.token * place.across;
    let feature = place.feature;
    let third = params.heads * params.dim * params.tokens * params.vectors;
    for (var v = part.begin + local.x; v < part.end; v += LANES) {
        var m = place.matrix + v;
        var x = place.features + v;
        var tile = Tile();
        if product < 2u {
            // The gradient of the queries is made from the keys, and that of the keys from the queries.
            x += select(third, 0u, product == 1u);
            for (var u = 0u; u < params.tokens; u++) {
                add_products(
                    &tile,
                    scores[m + across.x],
                    scores[m + across.y],
                    scores[m + across.z],
                    scores[m + across.w],
                    qkv[x + feature.x],
                    qkv[x + feature.y],
                    qkv[x + feature.z],
                    qkv[x + feature.w],
                );
                m += place.along;
                x += params.vectors;
            }
        } else {
            for (var u = 0u; u < params.tokens; u++) {
                add_products(
                    &tile,
                    probabilities[m + across.x],
                    probabilities[m + across.y],
                    probabilities[m + across.z],
                    probabilities[m + across.w],
                    delta[x + feature.x],
                    delta[x + feature.y],
                    delta[x + feature.z],
                    delta[x + feature.w],
                );
                m += place.along;
                x += params.vectors;
            }
        }
        put_tile(product * third + place.features + v, place, tile);
    }
}
