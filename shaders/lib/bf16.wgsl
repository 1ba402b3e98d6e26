// bfloat16, two per word: the upper halves of f32.

fn load_bf16(pairs: vec2<u32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4(pairs.x << 16u, pairs.x & 0xffff0000u, pairs.y << 16u, pairs.y & 0xffff0000u));
}

// Rounds to the nearest number, ties to even. NaN stays NaN: adding to its bits might carry over.
fn store_bf16(value: vec4<f32>) -> vec2<u32> {
    let bits = bitcast<vec4<u32>>(value);
    let rounded = bits + vec4(0x7fffu) + ((bits >> vec4(16u)) & vec4(1u));
    let nan = (bits & vec4(0x7fffffffu)) > vec4(0x7f800000u);
    let kept = select(rounded, bits | vec4(0x400000u), nan);
    return (kept.xz >> vec2(16u)) | (kept.yw & vec2(0xffff0000u));
}
