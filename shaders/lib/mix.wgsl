// A tile of attention's products of matrices with features: four tokens by four features of a head. Needs a kernel's
// params of heads, dim, tokens and vectors.
#import tile

const TOKENS = 4u;
const FEATURES = 4u;

struct Place {
    matrix: u32, // where the head's matrix starts
    features: u32, // where the head's features start among those of all heads
    token: vec4<u32>, // of the tile
    feature: vec4<u32>, // where each feature of the tile starts within the head
    across: u32, // from one output token to the next in the matrix
    along: u32, // from one term of the sum to the next
}

fn tiles() -> u32 {
    return params.heads * ((params.tokens + TOKENS - 1u) / TOKENS) * ((params.dim + FEATURES - 1u) / FEATURES);
}

// Adjacent tiles share the tokens, and so the loads of the matrix.
fn place_of(unit: u32, transposed: bool) -> Place {
    let tokens = params.tokens;
    let vectors = params.vectors;
    let token_tiles = (tokens + TOKENS - 1u) / TOKENS;
    let feature_tiles = (params.dim + FEATURES - 1u) / FEATURES;
    let head = unit / (token_tiles * feature_tiles);
    let token = unit / feature_tiles % token_tiles * TOKENS;
    let feature = unit % feature_tiles * FEATURES;
    // Tokens and features past the last one repeat the last one.
    let step = vec4(0u, 1u, 2u, 3u);
    return Place(
        head * tokens * tokens * vectors,
        head * params.dim * tokens * vectors,
        min(token + step, vec4(tokens - 1u)),
        min(feature + step, vec4(params.dim - 1u)) * tokens * vectors,
        select(tokens * vectors, vectors, transposed),
        select(vectors, tokens * vectors, transposed),
    );
}

// Stores one token's four features.
fn put(at: u32, feature: vec4<u32>, sum0: vec4<f32>, sum1: vec4<f32>, sum2: vec4<f32>, sum3: vec4<f32>) {
    output[at + feature.x] = sum0;
    output[at + feature.y] = sum1;
    output[at + feature.z] = sum2;
    output[at + feature.w] = sum3;
}

fn put_tile(at: u32, place: Place, tile: Tile) {
    let token = at + place.token * params.vectors;
    put(token.x, place.feature, tile[0], tile[1], tile[2], tile[3]);
    put(token.y, place.feature, tile[4], tile[5], tile[6], tile[7]);
    put(token.z, place.feature, tile[8], tile[9], tile[10], tile[11]);
    put(token.w, place.feature, tile[12], tile[13], tile[14], tile[15]);
}
