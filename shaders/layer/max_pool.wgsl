// Max pooling: padding counts as minus infinity, and NaN beats everything.
#import nan
#import pool_forward

fn initial() -> vec4<f32> {
    // Minus infinity, in a variable: WGSL has no infinite constants.
    var lowest = 0xff800000u;
    return vec4(bitcast<f32>(lowest));
}

fn with_input(best: vec4<f32>, x: vec4<f32>) -> vec4<f32> {
    return select(best, x, (x > best) | is_nan(x));
}

fn finished(best: vec4<f32>) -> vec4<f32> {
    return best;
}
