// Back through attention's softmax. A workgroup handles four queries of a head. Its rows divide the keys, four at a
// time, and combine the softmax's mean gradient through workgroup memory. In the meantime the products are in `output`,
// where each invocation reads only what it wrote itself.
#import grid
#import part
#import tile

override LANES: u32 = 8u;
override ROWS: u32 = 1u; // 1: no barriers, whose mere presence keeps a software adapter from using registers

const QUERIES = 4u;
const KEYS = 4u;

struct Params {
    heads: u32,
    dim: u32,
    tokens: u32,
    vectors: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>; // [3][heads][dim][tokens][vectors]
@group(0) @binding(2) var<storage, read> delta: array<vec4<f32>>; // [heads][dim][tokens][vectors]
@group(0) @binding(3) var<storage, read> probabilities: array<vec4<f32>>; // [heads][tokens][tokens][vectors]
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>; // [heads][tokens][tokens][vectors]

// [ROWS][QUERIES][LANES], at most 4 rows of 32 lanes.
var<workgroup> partial: array<vec4<f32>, 512>;

// Stores the gradients at the probabilities of the queries from `query` on and the keys from `key` on in vector `v`.
fn products(head: u32, query: u32, key: u32, v: u32) {
    let tokens = params.tokens;
    let vectors = params.vectors;
    // Tokens past the last one repeat the last one.
    let last = tokens - 1u;
    let i0 = query;
    let i1 = min(query + 1u, last);
    let i2 = min(query + 2u, last);
    let i3 = min(query + 3u, last);
    let j0 = key;
    let j1 = min(key + 1u, last);
    let j2 = min(key + 2u, last);
    let j3 = min(key + 3u, last);
    var g = head * params.dim * tokens * vectors + v;
    var w = (2u * params.heads + head) * params.dim * tokens * vectors + v;
    var tile = Tile();
    for (var d = 0u; d < params.dim; d++) {
        add_products(
            &tile,
            delta[g + i0 * vectors],
            delta[g + i1 * vectors],
            delta[g + i2 * vectors],
            delta[g + i3 * vectors],
            qkv[w + j0 * vectors],
            qkv[w + j1 * vectors],
            qkv[w + j2 * vectors],
            qkv[w + j3 * vectors],
        );
        g += tokens * vectors;
        w += tokens * vectors;
    }
    put(head * tokens + i0, j0, j1, j2, j3, v, tile[0], tile[1], tile[2], tile[3]);
    put(head * tokens + i1, j0, j1, j2, j3, v, tile[4], tile[5], tile[6], tile[7]);
    put(head * tokens + i2, j0, j1, j2, j3, v, tile[8], tile[9], tile[10], tile[11]);
    put(head * tokens + i3, j0, j1, j2, j3, v, tile[12], tile[13], tile[14], tile[15]);
}

// Stores one query's four gradients.
fn put(
    row: u32,
    j0: u32,
    j1: u32,
    j2: u32,
    j3: u32,
    v: u32,
    sum0: vec4<f32>,
    sum1: vec4<f32>,
    sum2: vec4<f32>,
    sum3: vec4<f32>,
) {
    let at = row * params.tokens;
    output[(at + j0) * params.vectors + v] = sum0;
    output[(at + j1) * params.vectors + v] = sum1;
    output[(at + j2) * params.vectors + v] = sum2;
    output[(at + j3) * params.vectors + v] = sum3;
}

@compute @workgroup_size(LANES, ROWS)
fn scores_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let tokens = params.tokens;
    let vectors = params.vectors;
    let tiles = (tokens + QUERIES - 1u) / QUERIES;
    let unit = flat_group(group, groups);
    if unit >= params.heads * tiles {
        return;
    }
    let head = unit / tiles;
    let query = unit % tiles * QUERIES;
    let queries = min(QUERIES, tokens - query);
    let own = local.y * QUERIES * LANES + local.x;

    for (var first = part.begin; first < part.end; first += LANES) {
        let v = first + local.x;
        // Lanes past the batch's last vector do nothing, but reach the barriers.
        let keys = select(0u, tokens, v < part.end);

        for (var key = local.y * KEYS; key < keys; key += ROWS * KEYS) {
            products(head, query, key, v);
        }
        for (var i = 0u; i < queries; i++) {
            var sum = vec4(0.0);
            for (var key = local.y * KEYS; key < keys; key += ROWS * KEYS) {
                for (var j = key; j < min(key + KEYS, tokens); j++) {
                    let at = ((head * tokens + query + i) * tokens + j) * vectors + v;
                    sum += probabilities[at] * output[at];
                }
            }
            partial[own + i * LANES] = sum;
        }
        if ROWS > 1u {
            workgroupBarrier();
        }
        for (var i = 0u; i < queries; i++) {
            var mean = partial[i * LANES + local.x];
            for (var row = 1u; row < ROWS; row++) {
                mean += partial[(row * QUERIES + i) * LANES + local.x];
            }
            for (var key = local.y * KEYS; key < keys; key += ROWS * KEYS) {
                for (var j = key; j < min(key + KEYS, tokens); j++) {
                    let at = ((head * tokens + query + i) * tokens + j) * vectors + v;
                    output[at] = (probabilities[at] * (output[at] - mean)) * params.scale;
                }
            }
        }
        if ROWS > 1u {
            workgroupBarrier();
        }
    }
}
