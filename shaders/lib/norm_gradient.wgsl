// The gradients of a channel's bias and weight, from the sums over its values.
fn put_gradients(c: u32, sum: vec2<f32>) {
    var before = vec2(0.0);
    if params.accumulate != 0u {
        before = vec2(gradient[params.bias + c], gradient[params.weight + c]);
    }
    gradient[params.bias + c] = before.x + sum.x;
    gradient[params.weight + c] = before.y + sum.y;
}
