// Backward pass of average pooling: an input gets the same share of the delta of every output that sees it.
#import pool_backward

fn gathered(before: vec4<f32>, at: Input) -> vec4<f32> {
    let row = params.window.output_x * params.vectors;
    let rows = (at.channel * params.window.output_y + at.rows) * row + at.v;
    let columns = at.columns * params.vectors;
    var sum = before;
    for (var y = rows.x; y < rows.y; y += row) {
        for (var i = y + columns.x; i < y + columns.y; i += params.vectors) {
            sum += params.window.inverse_taps * delta[i];
        }
    }
    return sum;
}
