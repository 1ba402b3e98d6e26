//! The exponential function for vectors of lanes: the standard library's only handles one number at a time.

/// 1.5 * 2^23: adding it rounds a small number to the nearest integer, which is then in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts, the first short enough for exact products with exponents.
const LN2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// `e^x` for x <= 0 with a relative error of at most 2.4e-7, zero below -87 (where it approaches the smallest normal
/// number); NaN stays NaN.
///
/// The method and the polynomial are those of Cephes' `expf` (Moshier 1989): `x = n ln 2 + r`, `e^x = 2^n e^r`. It has
/// no branches, so a loop over lanes becomes vector code, with the same bits at any width.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2[0]) - n * LN2[1];
    let mut p = 1.987_569_1e-4f32;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let fraction = p * (r * r) + r + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    let power = f32::from_bits(exponent.wrapping_add(127) << 23);
    if x < -87.0 { 0.0 } else { fraction * power }
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn is_the_exponential_function() {
        for i in 0..870_000 {
            let x = i as f32 * -1e-4;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(error < 2.0 * f64::from(f32::EPSILON), "{x}: {error:e}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        for x in [-87.1, -88.0, -1e4, -1e38, f32::NEG_INFINITY] {
            assert_eq!(exp(x), 0.0, "{x}");
        }
        assert!(exp(f32::NAN).is_nan());
    }
}
