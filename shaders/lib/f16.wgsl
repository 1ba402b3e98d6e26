// IEEE half precision, two per word, computed with bits and so equal on every adapter. WGSL's own packing is not
// available everywhere, and rounds as the driver likes.

fn load_f16(pairs: vec2<u32>) -> vec4<f32> {
    let halves = vec4(pairs.x & 0xffffu, pairs.x >> 16u, pairs.y & 0xffffu, pairs.y >> 16u);
    let magnitude = halves & vec4(0x7fffu);
    // The exponent's bias is 15, not 127. Infinities and NaNs have the highest exponent in both.
    let bias = select(vec4(112u << 23u), vec4(224u << 23u), magnitude >= vec4(0x7c00u));
    let normal = (magnitude << vec4(13u)) + bias;
    // Below 2^-14 a number is a multiple of 2^-24.
    let small = bitcast<vec4<u32>>(vec4<f32>(magnitude) * 0x1p-24f);
    let bits = select(normal, small, magnitude < vec4(0x400u));
    return bitcast<vec4<f32>>(bits | ((halves & vec4(0x8000u)) << vec4(16u)));
}

// Rounds to the nearest number, ties to even. Numbers that are too large become infinite, so that a diverged run shows.
fn store_f16(value: vec4<f32>) -> vec2<u32> {
    let bits = bitcast<vec4<u32>>(value);
    let magnitude = bits & vec4(0x7fffffffu);
    let odd = (magnitude >> vec4(13u)) & vec4(1u);
    let normal = min((magnitude - vec4(112u << 23u) + vec4(0xfffu) + odd) >> vec4(13u), vec4(0x7c00u));
    // From 0.5 to 1 numbers are multiples of 2^-24, to which the addition rounds.
    let small = bitcast<vec4<u32>>(abs(value) + vec4(0.5)) - vec4(0x3f000000u);
    let finite = select(normal, small, magnitude < vec4(113u << 23u));
    let kept = select(finite, vec4(0x7e00u), magnitude > vec4(0x7f800000u));
    let halves = kept | ((bits >> vec4(16u)) & vec4(0x8000u));
    return halves.xz | (halves.yw << vec2(16u));
}
