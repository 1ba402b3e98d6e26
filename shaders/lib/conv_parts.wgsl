// A plane of tiles in parts: a workgroup takes one part of a unit's plane, which has `part_items` items (each a tile
// for one vec4 of the batch), and sums over it. Host half: src/sparse/conv_parts.rs.

// The existing positions of a tile, one vec4 each; the others become zero.
fn only_held(x: Four, held: u32) -> Four {
    return Four(
        select(vec4(0.0), x.a, vec4(held > 0u)),
        select(vec4(0.0), x.b, vec4(held > 1u)),
        select(vec4(0.0), x.c, vec4(held > 2u)),
        select(vec4(0.0), x.d, vec4(held > 3u)),
    );
}

fn all_of(x: Four) -> f32 {
    let sum = (x.a + x.b) + (x.c + x.d);
    return (sum.x + sum.y) + (sum.z + sum.w);
}
