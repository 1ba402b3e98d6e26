// Layer norm backward: the gradient at its input. As forward: local x takes four lanes each, local y shares the
// channels out.
#import grid
#import unfixed

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    channels: u32,
    items: u32, // positions * vectors
    weight: u32, // where the channels' weights start
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels][items]
@group(0) @binding(2) var<storage, read> delta: array<vec4<f32>>; // [channels][items]
@group(0) @binding(3) var<storage, read> saved: array<vec4<f32>>; // [2][items]: mean, 1 / standard deviation; zero in padding lanes
@group(0) @binding(4) var<storage, read> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>; // [channels][items]

var<workgroup> row_g: array<vec4<f32>, 128>;
var<workgroup> row_product: array<vec4<f32>, 128>;

@compute @workgroup_size(LANES, ROWS)
fn layer_norm_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let items = params.items;
    let channels = unfixed(params.channels, arrayLength(&input));
    let number = flat_group(group, groups) * LANES + local.x;
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
        if params.accumulate != 0u {
            output[at] += dx;
        } else {
            output[at] = dx;
        }
    }
}
