// The gradients of a layer norm's weight and bias for one channel, with invocations over positions and lanes. All
// invocations of a workgroup must call it; needs the kernel's params, overrides and bindings.
#import part
#import workgroup_sum

fn sum_channel(c: u32, index: u32) {
    var sum = vec4(0.0);
    var product = vec4(0.0);
    for (var item = part.begin + index; item < part.end; item += LANES * ROWS) {
        let dy = delta[c * params.items + item];
        sum += dy;
        product += dy * ((input[c * params.items + item] - saved[item]) * saved[params.items + item]);
    }
    let both = workgroup_sum(
        index,
        vec2((sum.x + sum.y) + (sum.z + sum.w), (product.x + product.y) + (product.z + product.w)),
    );
    if index == 0u {
        var before = vec2(0.0);
        // Each piece has some items, and adds to the one before.
        if params.accumulate != 0u || part.begin > 0u {
            before = vec2(gradient[params.bias + c], gradient[params.weight + c]);
        }
        gradient[params.bias + c] = before.x + both.x;
        gradient[params.weight + c] = before.y + both.y;
    }
}
