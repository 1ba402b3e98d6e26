// A channel's sums over its tiles, in order.
fn add_up(c: u32, tiles: u32) -> vec2<f32> {
    var sum = vec2(0.0);
    for (var t = 0u; t < tiles; t++) {
        let at = 2u * (c * tiles + t);
        sum += vec2(parts[at], parts[at + 1u]);
    }
    return sum;
}
