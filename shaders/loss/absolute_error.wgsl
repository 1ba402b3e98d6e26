// The mean over a sample's outputs of the absolute error, each in its own unit.
#import elementwise_score

@group(0) @binding(5) var<storage, read> units: array<f32>; // [outputs]

fn part(o: u32, y: f32, t: f32) -> f32 {
    return abs(y - t) * units[o];
}

fn whole(sum: f32) -> f32 {
    return sum / f32(params.outputs);
}
