// Counter-based random numbers: pcg4d (Jarzynski and Olano, JCGT 9(3), 2020). Twin: src/engine/shader/random.rs.

const STREAM_CANDIDATES = 1u;
const STREAM_SIGNS = 2u;
const STREAM_RANDOM_SCORES = 3u;
const STREAM_AUGMENTATION = 6u;
const STREAM_DROPOUT = 7u;
const STREAM_REDRAWS = 8u;

fn pcg4d(key: vec4<u32>) -> vec4<u32> {
    var v = key * 1664525u + 1013904223u;
    v.x += v.y * v.w;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    v.w += v.y * v.z;
    v = v ^ (v >> vec4(16u));
    v.x += v.y * v.w;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    v.w += v.y * v.z;
    return v;
}

fn random(seed: u32, step: u32, stream: u32, layer: u32, index: u32) -> vec4<u32> {
    return pcg4d(vec4(seed, step, (stream << 24u) | layer, index));
}

// In [0, 1), 24 random bits.
fn unit(word: u32) -> f32 {
    return f32(word >> 8u) * (1.0 / 16777216.0);
}

// In 0..n: the high half of the 64-bit product, for which WGSL has no instruction.
fn below(word: u32, n: u32) -> u32 {
    let a = word & 0xffffu;
    let b = word >> 16u;
    let c = n & 0xffffu;
    let d = n >> 16u;
    let middle = b * c + ((a * c) >> 16u);
    let cross = a * d + (middle & 0xffffu);
    return b * d + (middle >> 16u) + (cross >> 16u);
}
