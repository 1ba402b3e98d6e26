// The normal distribution. Twin: src/layer/normal.rs, which says more about the formulas.

struct Normal {
    distribution: vec4<f32>, // Phi(x), within 1.1e-7
    density: vec4<f32>,
}

// Finite for any x; NaN gives arbitrary finite numbers.
fn normal(x: vec4<f32>) -> Normal {
    let a = min(abs(x), vec4(20.0));
    let square = a * a;
    let density = 0.3989423 * exp(-0.5 * square);
    // Abramowitz and Stegun 26.2.10, the power series: for |x| < 1, where rounding would triple the error of 26.2.17.
    var near = vec4(-4.1226675e-8);
    near = near * square + 6.6596936e-7;
    near = near * square - 0.000009444656;
    near = near * square + 0.00011543469;
    near = near * square - 0.0011873282;
    near = near * square + 0.009973557;
    near = near * square - 0.06649038;
    near = near * square + 0.3989423;
    near = 0.5 - a * near;
    // Abramowitz and Stegun 26.2.17, within 7.5e-8.
    let t = 1.0 / (1.0 + 0.2316419 * a);
    var far = 1.3302744 * t;
    far = (far - 1.821256) * t;
    far = (far + 1.7814779) * t;
    far = (far - 0.35656378) * t;
    far = (far + 0.31938153) * t;
    let tail = select(density * far, near, a < vec4(1.0));
    return Normal(select(1.0 - tail, tail, x < vec4(0.0)), density);
}
