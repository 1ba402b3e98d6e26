// The backward pass of a convolution in one dispatch. Its first workgroups sum the gradients of connections, as
// conv_sddmm does; the others gather the gradient at its input, as conv_transposed does, each for a part of a channel's
// plane. Neither waits for the other. If the input is a batch norm's output, the latter also take that gradient back
// through the norm's ReLU, and compute the sums that the norm's own backward pass needs.
#import grid
#import part
#import members
#import workgroup_sum
#import conv_positions
#import conv_transposed
#import conv_parts
#import unfixed

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override UNROLL: u32 = 4u; // 4 or 8: two or four connections at a time

struct Params {
    window: Window,
    rows: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    accumulate: u32, // 1: add to the gradients of connections that are there
    inverse_vectors: f32,
    cols: u32, // no row has more pairs
    slices: u32, // of the output's lines; each has gradients of its own
    stride: u32, // from one's to the next's
    normal: u32, // 1: the layer's input is that of the norm, through it, and the ReLU if there is one
    relu: u32,
    tiles: u32, // of four positions, stride_x apart, in a part of a line
    parts: u32, // of a plane
    part_items: u32, // a multiple of the invocations of a workgroup
    add: u32, // 1: add to the gradient at the input that is there
    mask: u32, // the ReLU's: 0 none, 1 from what went into the norm, 2 from the input
    sums: u32, // 1: leave sums for the norm
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(3) var<storage, read> col_offsets: array<u32>; // [C + 1]
@group(0) @binding(4) var<storage, read> cols: array<u32>; // [N]
@group(0) @binding(5) var<storage, read> order: array<u32>; // [N]
@group(0) @binding(6) var<storage, read> order_rows: array<u32>; // [N]
@group(0) @binding(7) var<storage, read> weights: array<f32>; // [N]
@group(0) @binding(8) var<storage, read> input: array<vec4<f32>>; // [channels][input_y][input_x][vectors]
@group(0) @binding(9) var<storage, read> normed: array<vec4<f32>>; // as input: what went into the norm
@group(0) @binding(10) var<storage, read> saved: array<f32>; // [4][channels]: mean, 1 / standard deviation, weight, bias
@group(0) @binding(11) var<storage, read> delta: array<vec4<f32>>; // [rows][output_y][output_x][vectors]
@group(0) @binding(12) var<storage, read_write> gradient: array<f32>; // [slices][stride], or [N]
@group(0) @binding(13) var<storage, read_write> output: array<vec4<f32>>; // as input
@group(0) @binding(14) var<storage, read_write> parts: array<f32>; // [channels][parts][2]: of dz, dz * normalised input

// A channel's norm.
struct Seen {
    mean: f32,
    inverse: f32, // 1 / standard deviation
    scale: f32,
    bias: f32,
}

fn seen_of(channel: u32) -> Seen {
    let n = params.window.channels;
    let inverse = saved[n + channel];
    return Seen(saved[channel], inverse, inverse * saved[2u * n + channel], saved[3u * n + channel]);
}

fn taken(x: vec4<f32>, v: u32, seen: Seen) -> vec4<f32> {
    if params.normal == 0u {
        return x;
    }
    let y = (x - seen.mean) * seen.scale + seen.bias;
    // As in batch_norm_apply: a NaN stays NaN, padding is zero.
    return select(y, vec4(0.0), !members(v) | (vec4(params.relu != 0u) & (y < vec4(0.0))));
}

// At a tile's positions, with its first position in place of those that do not exist.
fn held_places(on: On) -> vec4<u32> {
    return vec4(on.to) + select(vec4(0u), vec4(0u, 1u, 2u, 3u), vec4(0u, 1u, 2u, 3u) < vec4(on.held)) * on.step;
}

fn let_through(d: vec4<f32>, at: u32, x: vec4<f32>, keep: vec4<bool>, seen: Seen) -> vec4<f32> {
    var passed = keep;
    if params.mask == 1u {
        passed &= (x - seen.mean) * seen.scale + seen.bias > vec4(0.0);
    } else if params.mask == 2u {
        passed &= input[at] > vec4(0.0);
    }
    return select(vec4(0.0), d, passed);
}

fn normalised(x: vec4<f32>, keep: vec4<bool>, seen: Seen) -> vec4<f32> {
    return select(vec4(0.0), (x - seen.mean) * seen.inverse, keep);
}

// Writes a tile's gradient, taken back through the ReLU, and adds what the norm needs from it to `sums`.
fn put_behind_norm(on: On, sum: Four, seen: Seen, sums: vec2<f32>) -> vec2<f32> {
    let at = held_places(on);
    let keep = members(on.v);
    let x = Four(normed[at.x], normed[at.y], normed[at.z], normed[at.w]);
    let dz = only_held(
        Four(
            let_through(sum.a, at.x, x.a, keep, seen),
            let_through(sum.b, at.y, x.b, keep, seen),
            let_through(sum.c, at.z, x.c, keep, seen),
            let_through(sum.d, at.w, x.d, keep, seen),
        ),
        on.held,
    );
    put(on, dz);
    if params.sums == 0u {
        return sums;
    }
    let products = Four(
        dz.a * normalised(x.a, keep, seen),
        dz.b * normalised(x.b, keep, seen),
        dz.c * normalised(x.c, keep, seen),
        dz.d * normalised(x.d, keep, seen),
    );
    return sums + vec2(all_of(dz), all_of(products));
}

fn over_part(group: u32, index: u32) {
    // Neighbouring workgroups have the same part of different channels' planes, which see the same of delta.
    let number = group / params.window.channels;
    let channel = group - number * params.window.channels;
    let first_col = params.first_col + channel * params.window.taps;
    let begin = col_offsets[first_col];
    let end = col_offsets[first_col + params.window.taps];
    let behind_norm = params.mask != 0u || params.sums != 0u;
    let width = LANES * ROWS;
    let tiles = params.window.input_y * params.window.stride_x * params.tiles;
    var seen = Seen();
    if behind_norm {
        seen = seen_of(channel);
    }
    var sums = vec2(0.0);
    // There are no more items than vectors of the output, a part of a line for each stride.
    let items = unfixed(params.part_items, arrayLength(&output) * params.window.stride_x);
    for (var round = 0u; round < items; round += width) {
        let item = number * params.part_items + round + index;
        let tile = item / params.vectors;
        let on = on_tile(channel, tile, item - tile * params.vectors);
        let present = tile < tiles && on.held > 0u;
        var sum = Four();
        if present {
            sum = before(on, params.add != 0u);
        }
        for (var first = begin; first < end; first += LISTED) {
            let count = min(LISTED, end - first);
            if round == 0u || end - begin > LISTED {
                list_connections(first, count, first_col, index);
            }
            if present {
                sum = plus_listed(sum, count, on);
            }
        }
        if present {
            if behind_norm {
                sums = put_behind_norm(on, sum, seen, sums);
            } else {
                put(on, sum);
            }
        }
    }
    if params.sums != 0u {
        let total = workgroup_sum(index, sums);
        if index == 0u {
            let to = 2u * (channel * params.parts + number);
            parts[to] = total.x;
            parts[to + 1u] = total.y;
        }
    }
}

@compute @workgroup_size(LANES, ROWS)
fn conv_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let flat = flat_group(group, groups);
    let of_pairs = params.rows * params.slices * part.chunks;
    if flat < of_pairs {
        let share = share_of(flat);
        let begin = row_offsets[params.first_row + share.unit];
        let end = row_offsets[params.first_row + share.unit + 1u];
        over_positions(share, begin, end, index);
    } else if flat - of_pairs < params.window.channels * params.parts {
        over_part(flat - of_pairs, index);
    }
}
