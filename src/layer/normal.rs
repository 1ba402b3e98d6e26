//! The normal distribution, for GELU's twin: the shader's formulas (`shaders/lib/normal.wgsl`), in a form that
//! compilers vectorise.

/// `1 / sqrt(2 pi)`.
const PEAK: f32 = 0.398_942_3;

/// Coefficients of the power series of the distribution function around zero, `(-1)^n / (2^n n! (2n + 1) sqrt(2 pi))`:
/// Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.2.10. For |x| < 1 the first omitted term is 3e-9.
const NEAR: [f32; 8] = [
    0.398_942_3,
    -0.066_490_38,
    0.009_973_557,
    -0.001_187_328_2,
    0.000_115_434_69,
    -0.000_009_444_656,
    6.659_693_6e-7,
    -4.122_667_5e-8,
];

/// Abramowitz and Stegun 26.2.17: `1 - Phi(x) = density(x) (b1 t + … + b5 t^5)`, `t = 1 / (1 + p x)`, x >= 0, within
/// 7.5e-8.
const FAR: [f32; 5] = [
    0.319_381_53,
    -0.356_563_78,
    1.781_477_9,
    -1.821_256,
    1.330_274_4,
];
const P: f32 = 0.231_641_9;

/// Beyond this the density is zero in 32-bit floats, and its square stays finite.
const LARGEST: f32 = 20.0;

/// The distribution function Phi(x), within 1.1e-7, and the density at x.
///
/// Both are finite for any x; NaN gives arbitrary finite numbers.
#[inline(always)]
pub(super) fn normal(x: f32) -> (f32, f32) {
    let a = x.abs();
    let a = if a < LARGEST { a } else { LARGEST };
    let square = a * a;
    let density = PEAK * exp(-0.5 * square);
    // Rounding would triple the error of 26.2.17 near zero, where its terms cancel.
    let near = NEAR.iter().rev().fold(0.0, |sum, c| sum * square + c);
    let near = 0.5 - a * near;
    let t = 1.0 / (1.0 + P * a);
    let far = FAR.iter().rev().fold(0.0, |sum, b| (sum + b) * t);
    let tail = if a < 1.0 { near } else { density * far };
    (if x < 0.0 { tail } else { 1.0 - tail }, density)
}

/// `e^x` for x <= 0, within 8e-8 of its value; zero at -87 and below, where it would no longer be a normal number.
///
/// The nearest power of two times the Taylor polynomial of the rest. The standard library's function is a call for each
/// element, which no compiler vectorises.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding and subtracting it rounds to an integer.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first short enough to be multiplied exactly (Cody and Waite 1980).
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const TAYLOR: [f32; 8] = [
        1.0,
        1.0,
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5040.0,
    ];
    let x = if x > -87.0 { x } else { -88.0 };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let power = shifted - ROUND;
    let rest = x - power * LN_2[0] - power * LN_2[1];
    let sum = TAYLOR.iter().rev().fold(0.0, |sum, c| sum * rest + c);
    // The integer is in the low bits of `shifted`. Shifted up by 23 it becomes the exponent, and everything above drops
    // out.
    let scale = f32::from_bits(
        shifted
            .to_bits()
            .wrapping_sub(ROUND.to_bits())
            .wrapping_add(127)
            << 23,
    );
    if x > -87.0 { scale * sum } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_that_of_the_standard_library() {
        let mut x = 0f32;
        while x > -87.0 {
            let (exact, found) = (f64::from(x).exp(), f64::from(exp(x)));
            assert!((found / exact - 1.0).abs() < 1.2e-7, "{x}: {found}");
            x -= 0.001_37;
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!([exp(-87.5), exp(-1e30), exp(f32::NEG_INFINITY)], [0.0; 3]);
        assert!(exp(f32::NAN).is_finite());
    }

    #[test]
    fn coefficients_are_those_of_the_series() {
        let mut factor = 1.0 / (2.0 * std::f64::consts::PI).sqrt();
        for (n, c) in NEAR.iter().enumerate() {
            let exact = factor / (2 * n + 1) as f64;
            assert_eq!(*c, exact as f32, "term {n}");
            factor /= -2.0 * (n + 1) as f64;
        }
        assert_eq!(PEAK, NEAR[0]);
    }
}
