// What the products at sampled pairs are told, which pairs a workgroup takes, and what their sums are added to.
#import part

// The same for both products, with the gradients of biases or without.
struct Params {
    rows: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    accumulate: u32, // 1: add to what is there
    chunks: u32, // workgroups that share a row's pairs, at least
    cols: u32, // no row has more pairs
}

// What a sum is added to. Each piece has some vectors, and adds to the one before.
fn before(j: u32) -> f32 {
    return select(0.0, output[j], params.accumulate != 0u || part.begin > 0u);
}

// The row of a workgroup, by its number, and which of the row's workgroups it is.
struct Share {
    unit: u32,
    chunk: u32,
}

fn share_of(flat: u32) -> Share {
    let unit = flat / part.chunks;
    return Share(unit, flat - unit * part.chunks);
}

// Where the pairs of a row begin and end; only for rows that there are.
fn pairs_of(unit: u32) -> vec2<u32> {
    let row = params.first_row + unit;
    return vec2(row_offsets[row], row_offsets[row + 1u]);
}
