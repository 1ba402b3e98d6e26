// What the products at sampled pairs are told, and what they add to.
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
