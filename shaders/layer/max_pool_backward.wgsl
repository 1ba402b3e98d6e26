// Backward pass of max pooling: an input takes the delta of each output that it equals, unless an earlier input of the
// window does.
#import nan
#import pool_backward

@group(0) @binding(3) var<storage, read> input: array<vec4<f32>>; // [channels][input_y][input_x][vectors]
@group(0) @binding(4) var<storage, read> output: array<vec4<f32>>; // [channels][output_y][output_x][vectors]

// Whether an input may take the delta of an output; the first in the window does.
fn takes(x: vec4<f32>, largest: vec4<f32>) -> vec4<bool> {
    return (x == largest) | is_nan(x);
}

fn gathered(before: vec4<f32>, at: Input) -> vec4<f32> {
    let vectors = params.vectors;
    let row = params.window.input_x * vectors;
    let x = input[at.own];
    var sum = before;
    for (var oy = at.rows.x; oy < at.rows.y; oy++) {
        for (var ox = at.columns.x; ox < at.columns.y; ox++) {
            let i = ((at.channel * params.window.output_y + oy) * params.window.output_x + ox) * vectors + at.v;
            let largest = output[i];
            var mine = takes(x, largest);
            // The inputs of the window before this one, row by row; the last row ends before it.
            let first_y = seen_y(oy).x;
            let seen = seen_x(ox);
            var start = at.own - (at.y - first_y) * row - (at.x - seen.x) * vectors;
            for (var y = first_y; y <= at.y; y++) {
                let end = start + select(seen.y - seen.x, at.x - seen.x, y == at.y) * vectors;
                for (var earlier = start; earlier < end; earlier += vectors) {
                    mine = mine & !takes(input[earlier], largest);
                }
                start += row;
            }
            sum += select(vec4(0.0), delta[i], mine);
        }
    }
    return sum;
}
