// n / d for n < 2^22, by the reciprocal of d: an integer division is slow where it is done in software.
fn divide(n: u32, inverse: f32) -> u32 {
    return u32((f32(n) + 0.5) * inverse);
}
