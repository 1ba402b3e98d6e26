// Layer norm backward at the input. As in the forward pass, each local x has four lanes, and local y divides the
// channels. All invocations of a workgroup must call it; needs the kernel's params, overrides and bindings.
#import unfixed

var<workgroup> row_g: array<vec4<f32>, 128>;
var<workgroup> row_product: array<vec4<f32>, 128>;

fn backward_lanes(number: u32, local: vec2<u32>, add: bool) {
    let items = params.items;
    let channels = unfixed(params.channels, arrayLength(&input));
    // All invocations must reach the barrier: those beyond the last item repeat it and write nothing.
    let item = min(number, items - 1u);
    let mean = saved[item];
    let inverse = saved[items + item];
    var mean_g = vec4(0.0);
    var mean_product = vec4(0.0);
    for (var c = local.y; c < channels; c += ROWS) {
        let at = c * items + item;
        let g = delta[at] * values[params.weight + c];
        mean_g += g;
        mean_product += g * (input[at] - mean);
    }
    if ROWS > 1u {
        row_g[local.y * LANES + local.x] = mean_g;
        row_product[local.y * LANES + local.x] = mean_product;
        workgroupBarrier();
        mean_g = vec4(0.0);
        mean_product = vec4(0.0);
        for (var r = 0u; r < ROWS; r++) {
            mean_g += row_g[r * LANES + local.x];
            mean_product += row_product[r * LANES + local.x];
        }
    }
    if number >= items {
        return;
    }
    let n = f32(params.channels);
    mean_g = mean_g / n;
    mean_product = mean_product * inverse / n;
    for (var c = local.y; c < channels; c += ROWS) {
        let at = c * items + item;
        let normal = (input[at] - mean) * inverse;
        let dx = inverse * ((delta[at] * values[params.weight + c] - mean_g) - normal * mean_product);
        if add {
            output[at] += dx;
        } else {
            output[at] = dx;
        }
    }
}
