// GraBo: sums of magnitudes over the batch and output positions, whose products bound the magnitude of the gradient
// (triangle inequality).
#import members
#import statistic

@group(0) @binding(3) var<uniform> step: StepState;

fn vectors() -> u32 {
    return (step.count + 3u) / 4u;
}

fn term(value: vec4<f32>, position: u32, v: u32) -> vec4<f32> {
    return select(vec4(0.0), abs(value), members(v));
}
