// A tile of 4 by 4 sums in registers: 8 loaded vectors serve 16 products. Written out, because an array with a variable
// index does not stay in registers.
alias Tile = array<vec4<f32>, 16>;

// Adds the product of each a with each b.
fn add_products(
    tile: ptr<function, Tile>,
    a0: vec4<f32>,
    a1: vec4<f32>,
    a2: vec4<f32>,
    a3: vec4<f32>,
    b0: vec4<f32>,
    b1: vec4<f32>,
    b2: vec4<f32>,
    b3: vec4<f32>,
) {
    (*tile)[0] += a0 * b0;
    (*tile)[1] += a0 * b1;
    (*tile)[2] += a0 * b2;
    (*tile)[3] += a0 * b3;
    (*tile)[4] += a1 * b0;
    (*tile)[5] += a1 * b1;
    (*tile)[6] += a1 * b2;
    (*tile)[7] += a1 * b3;
    (*tile)[8] += a2 * b0;
    (*tile)[9] += a2 * b1;
    (*tile)[10] += a2 * b2;
    (*tile)[11] += a2 * b3;
    (*tile)[12] += a3 * b0;
    (*tile)[13] += a3 * b1;
    (*tile)[14] += a3 * b2;
    (*tile)[15] += a3 * b3;
}
