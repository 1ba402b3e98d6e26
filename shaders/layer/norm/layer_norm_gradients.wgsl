// Layer norm backward: the gradients of its parameters. One workgroup per channel, its invocations over positions and
// lanes.
#import grid
#import part

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

#import workgroup_sum

struct Params {
    channels: u32,
    items: u32, // positions * vectors
    weight: u32, // where the channels' weights start
    bias: u32,
    accumulate: u32, // 1: add to the gradients that are there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels][items]
@group(0) @binding(2) var<storage, read> delta: array<vec4<f32>>; // [channels][items]
@group(0) @binding(3) var<storage, read> saved: array<vec4<f32>>; // [2][items]: mean, 1 / standard deviation; zero in padding lanes
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn layer_norm_gradients(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let c = flat_group(group, groups);
    if c >= params.channels {
        return;
    }
    let index = local.y * LANES + local.x;
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
        // The pieces, each of some items, add to the one before.
        if params.accumulate != 0u || part.begin > 0u {
            before = vec2(gradient[params.bias + c], gradient[params.weight + c]);
        }
        gradient[params.bias + c] = before.x + both.x;
        gradient[params.weight + c] = before.y + both.y;
    }
}
