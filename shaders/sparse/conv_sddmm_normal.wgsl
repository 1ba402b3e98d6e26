// conv_sddmm if the layer's input is the output of a batch norm that was dropped: each load passes the norm's input
// through the norm and its ReLU. Both shapes run over positions.
#import grid
#import part
#import divide
#import tap
#import window
#import conv_positions
#import step
#import members

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    window: Window,
    rows: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    accumulate: u32, // 1: add to what is there
    inverse_vectors: f32,
    cols: u32, // no row has more pairs
    slices: u32, // of the output's lines; each has gradients of its own
    stride: u32, // from one's to the next's
    relu: u32, // 1: negative outputs of the norm become zero
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(3) var<storage, read> cols: array<u32>; // [pairs]
@group(0) @binding(4) var<storage, read> input: array<vec4<f32>>; // [channels][input_y][input_x][vectors]
@group(0) @binding(5) var<storage, read> saved: array<f32>; // [4][channels]: mean, 1 / standard deviation, weight, bias
@group(0) @binding(6) var<storage, read> delta: array<vec4<f32>>; // [rows][output_y][output_x][vectors]
@group(0) @binding(7) var<storage, read_write> gradient: array<f32>; // [slices][stride], or [pairs]

// A channel's norm: what a sum over positions takes from the input.
struct Seen {
    mean: f32,
    scale: f32,
    bias: f32,
}

fn seen_of(channel: u32) -> Seen {
    let n = params.window.channels;
    return Seen(saved[channel], saved[n + channel] * saved[2u * n + channel], saved[3u * n + channel]);
}

fn taken(x: vec4<f32>, v: u32, seen: Seen) -> vec4<f32> {
    let y = (x - seen.mean) * seen.scale + seen.bias;
    // As in batch_norm_apply: a NaN stays NaN, padding is zero.
    return select(y, vec4(0.0), !members(v) | (vec4(params.relu != 0u) & (y < vec4(0.0))));
}

@compute @workgroup_size(LANES, ROWS)
fn conv_sddmm_normal(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let share = share_of(flat_group(group, groups));
    if share.unit >= params.rows {
        return;
    }
    let begin = row_offsets[params.first_row + share.unit];
    let end = row_offsets[params.first_row + share.unit + 1u];
    over_positions(share, begin, end, index);
}
