// What a batch norm's backward kernels know about a channel, and what the ReLU after it let through.
struct Channel {
    mean: f32,
    inverse: f32, // 1 / standard deviation
    scale: f32, // of the input, less its mean
    bias: f32,
}

fn channel_of(mean: f32, inverse: f32, weight: f32, bias: f32) -> Channel {
    return Channel(mean, inverse, inverse * weight, bias);
}

fn let_through(at: u32, keep: vec4<bool>, away: vec4<f32>, channel: Channel) -> vec4<bool> {
    var passed = keep;
    if params.mask == 1u {
        passed &= away * channel.scale + channel.bias > vec4(0.0);
    } else if params.mask == 2u {
        passed &= activation[at] > vec4(0.0);
    }
    return passed;
}

// The same at four places at once, `step_p` apart, whose loads are in flight together.
struct Four {
    x0: vec4<f32>,
    x1: vec4<f32>,
    x2: vec4<f32>,
    x3: vec4<f32>,
}

fn gradients(at: u32, step_p: u32, keep: vec4<bool>, away: Four, channel: Channel) -> Four {
    let d0 = delta[at];
    let d1 = delta[at + step_p];
    let d2 = delta[at + 2u * step_p];
    let d3 = delta[at + 3u * step_p];
    var passed0 = keep;
    var passed1 = keep;
    var passed2 = keep;
    var passed3 = keep;
    if params.mask == 1u {
        passed0 &= away.x0 * channel.scale + channel.bias > vec4(0.0);
        passed1 &= away.x1 * channel.scale + channel.bias > vec4(0.0);
        passed2 &= away.x2 * channel.scale + channel.bias > vec4(0.0);
        passed3 &= away.x3 * channel.scale + channel.bias > vec4(0.0);
    } else if params.mask == 2u {
        let y0 = activation[at];
        let y1 = activation[at + step_p];
        let y2 = activation[at + 2u * step_p];
        let y3 = activation[at + 3u * step_p];
        passed0 &= y0 > vec4(0.0);
        passed1 &= y1 > vec4(0.0);
        passed2 &= y2 > vec4(0.0);
        passed3 &= y3 > vec4(0.0);
    }
    return Four(
        select(vec4(0.0), d0, passed0),
        select(vec4(0.0), d1, passed1),
        select(vec4(0.0), d2, passed2),
        select(vec4(0.0), d3, passed3),
    );
}

fn inputs(at: u32, step_p: u32) -> Four {
    return Four(input[at], input[at + step_p], input[at + 2u * step_p], input[at + 3u * step_p]);
}
