// Products of attention's matrices with features. Each line of lanes has four tokens by four features of a head; lines
// next to each other share the tokens, and so the loads of the matrix.
#import grid
#import part
#import tile

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

const TOKENS = 4u;
const FEATURES = 4u;

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

// Stores one token's four features.
fn put(
    at: u32,
    d0: u32,
    d1: u32,
    d2: u32,
    d3: u32,
    sum0: vec4<f32>,
    sum1: vec4<f32>,
    sum2: vec4<f32>,
    sum3: vec4<f32>,
) {
    output[at + d0] = sum0;
    output[at + d1] = sum1;
    output[at + d2] = sum2;
    output[at + d3] = sum3;
}

@compute @workgroup_size(LANES, ROWS)
fn mix(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let tokens = params.tokens;
    let vectors = params.vectors;
    let token_tiles = (tokens + TOKENS - 1u) / TOKENS;
    let feature_tiles = (params.dim + FEATURES - 1u) / FEATURES;
    let unit = flat_group(group, groups) * ROWS + local.y;
    if unit >= params.heads * token_tiles * feature_tiles {
        return;
    }
    let head = unit / (token_tiles * feature_tiles);
    let token = unit / feature_tiles % token_tiles * TOKENS;
    let feature = unit % feature_tiles * FEATURES;

    // Steps of the matrix from one output token, and from one term of the sum, to the next.
    let across = select(tokens * vectors, vectors, params.transposed != 0u);
    let along = select(vectors, tokens * vectors, params.transposed != 0u);
    // Tokens and features past the last one are the last one once more.
    let last_token = tokens - 1u;
    let t0 = token;
    let t1 = min(token + 1u, last_token);
    let t2 = min(token + 2u, last_token);
    let t3 = min(token + 3u, last_token);
    let last_feature = params.dim - 1u;
    let d0 = feature * tokens * vectors;
    let d1 = min(feature + 1u, last_feature) * tokens * vectors;
    let d2 = min(feature + 2u, last_feature) * tokens * vectors;
    let d3 = min(feature + 3u, last_feature) * tokens * vectors;
    let first_input = (params.first_input + head * params.dim) * tokens * vectors;
    let first_output = (params.first_output + head * params.dim) * tokens * vectors;

    for (var v = part.begin + local.x; v < part.end; v += LANES) {
        var m = head * tokens * tokens * vectors + v;
        var x = first_input + v;
        var tile = Tile();
        for (var u = 0u; u < tokens; u++) {
            add_products(
                &tile,
                matrix[m + t0 * across],
                matrix[m + t1 * across],
                matrix[m + t2 * across],
                matrix[m + t3 * across],
                input[x + d0],
                input[x + d1],
                input[x + d2],
                input[x + d3],
            );
            m += along;
            x += vectors;
        }
        let at = first_output + v;
        put(at + t0 * vectors, d0, d1, d2, d3, tile[0], tile[1], tile[2], tile[3]);
        put(at + t1 * vectors, d0, d1, d2, d3, tile[4], tile[5], tile[6], tile[7]);
        put(at + t2 * vectors, d0, d1, d2, d3, tile[8], tile[9], tile[10], tile[11]);
        put(at + t3 * vectors, d0, d1, d2, d3, tile[12], tile[13], tile[14], tile[15]);
    }
}
