// GraEst: the sketches h·s and delta·s over the batch and output positions; the product of two sketches estimates the
// gradient without bias (Alon, Matias and Szegedy 1996).
#import statistic

@group(0) @binding(3) var<storage, read> signs: array<vec4<f32>>; // [output_y][output_x][vectors]

fn vectors() -> u32 {
    return params.vectors;
}

fn term(value: vec4<f32>, position: u32, v: u32) -> vec4<f32> {
    let sign = signs[position];
    // A selection, not a product, so that NaN in the padding does not matter.
    return select(vec4(0.0), value * sign, sign != vec4(0.0));
}
