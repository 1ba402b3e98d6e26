// Quotient n / d for inverse = 1 / d rounded to f32. It is exact for n < 2^22, where (n + 0.5) / d is at least 0.5 / d
// away from any integer and the two roundings are off by less. An integer division is expensive on a software adapter.
fn divide(n: u32, inverse: f32) -> u32 {
    return u32((f32(n) + 0.5) * inverse);
}
