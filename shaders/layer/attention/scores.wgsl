// Attention's probabilities. A workgroup handles four queries of a head. Its rows divide the keys, four at a time, and
// combine the softmax's maximum and sum through workgroup memory. In the meantime the products are in `probabilities`,
// where each invocation reads only what it wrote itself.
#import grid
#import part
#import step
#import unfixed
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
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> qkv: array<vec4<f32>>; // [3][heads][dim][tokens][vectors]
@group(0) @binding(3) var<storage, read_write> probabilities: array<vec4<f32>>; // [heads][tokens][tokens][vectors]

// [ROWS][QUERIES][LANES], at most 4 rows of 32 lanes.
var<workgroup> partial: array<vec4<f32>, 512>;

// Computes and stores the scores of the queries from `query` on and the keys from `key` on in vector `v`; returns each
// query's highest score.
fn products(head: u32, query: u32, key: u32, v: u32) -> array<vec4<f32>, 4> {
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
    var q = head * params.dim * tokens * vectors + v;
    var k = (params.heads + head) * params.dim * tokens * vectors + v;
    var tile = Tile();
    let dim = unfixed(params.dim, arrayLength(&qkv));
    for (var d = 0u; d < dim; d++) {
        add_products(
            &tile,
            qkv[q + i0 * vectors],
            qkv[q + i1 * vectors],
            qkv[q + i2 * vectors],
            qkv[q + i3 * vectors],
            qkv[k + j0 * vectors],
            qkv[k + j1 * vectors],
            qkv[k + j2 * vectors],
            qkv[k + j3 * vectors],
        );
        q += tokens * vectors;
        k += tokens * vectors;
    }
    let h0 = put(head * tokens + i0, j0, j1, j2, j3, v, tile[0], tile[1], tile[2], tile[3]);
    let h1 = put(head * tokens + i1, j0, j1, j2, j3, v, tile[4], tile[5], tile[6], tile[7]);
    let h2 = put(head * tokens + i2, j0, j1, j2, j3, v, tile[8], tile[9], tile[10], tile[11]);
    let h3 = put(head * tokens + i3, j0, j1, j2, j3, v, tile[12], tile[13], tile[14], tile[15]);
    return array(h0, h1, h2, h3);
}

// Stores one query's four scores and returns the highest.
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
) -> vec4<f32> {
    let at = row * params.tokens;
    let z0 = params.scale * sum0;
    let z1 = params.scale * sum1;
    let z2 = params.scale * sum2;
    let z3 = params.scale * sum3;
    probabilities[(at + j0) * params.vectors + v] = z0;
    probabilities[(at + j1) * params.vectors + v] = z1;
    probabilities[(at + j2) * params.vectors + v] = z2;
    probabilities[(at + j3) * params.vectors + v] = z3;
    return higher(higher(z0, z1), higher(z2, z3));
}

// NaN may be ignored here; its own exponential is still NaN.
fn higher(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    return select(a, b, b > a);
}

@compute @workgroup_size(LANES, ROWS)
fn scores(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let tokens = params.tokens;
    let vectors = unfixed(params.vectors, arrayLength(&probabilities));
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

        var h0 = vec4(-3.4028234e38);
        var h1 = h0;
        var h2 = h0;
        var h3 = h0;
        for (var key = local.y * KEYS; key < keys; key += ROWS * KEYS) {
            let h = products(head, query, key, v);
            h0 = higher(h0, h[0]);
            h1 = higher(h1, h[1]);
            h2 = higher(h2, h[2]);
            h3 = higher(h3, h[3]);
        }
        partial[own] = h0;
        partial[own + LANES] = h1;
        partial[own + 2u * LANES] = h2;
        partial[own + 3u * LANES] = h3;
        if ROWS > 1u {
            workgroupBarrier();
        }
        // Until the next barrier, another invocation reads this row's slot, so the sums stay in registers.
        var sums = array<vec4<f32>, QUERIES>();
        for (var i = 0u; i < queries; i++) {
            var highest = partial[i * LANES + local.x];
            for (var row = 1u; row < ROWS; row++) {
                highest = higher(highest, partial[(row * QUERIES + i) * LANES + local.x]);
            }
            var sum = vec4(0.0);
            for (var key = local.y * KEYS; key < keys; key += ROWS * KEYS) {
                for (var j = key; j < min(key + KEYS, tokens); j++) {
                    let at = ((head * tokens + query + i) * tokens + j) * vectors + v;
                    let e = exp(probabilities[at] - highest);
                    probabilities[at] = e;
                    sum += e;
                }
            }
            sums[i] = sum;
        }
        if ROWS > 1u {
            workgroupBarrier();
        }
        for (var i = 0u; i < queries; i++) {
            partial[own + i * LANES] = sums[i];
        }
        if ROWS > 1u {
            workgroupBarrier();
        }
        let filled = vec4(4u * v) + vec4(0u, 1u, 2u, 3u) < vec4(step.count);
        for (var i = 0u; i < queries; i++) {
            var total = partial[i * LANES + local.x];
            for (var row = 1u; row < ROWS; row++) {
                total += partial[(row * QUERIES + i) * LANES + local.x];
            }
            let share = vec4(1.0) / total;
            for (var key = local.y * KEYS; key < keys; key += ROWS * KEYS) {
                for (var j = key; j < min(key + KEYS, tokens); j++) {
                    let at = ((head * tokens + query + i) * tokens + j) * vectors + v;
                    probabilities[at] = select(vec4(0.0), probabilities[at] * share, filled);
                }
            }
        }
        if ROWS > 1u {
            workgroupBarrier();
        }
    }
}
