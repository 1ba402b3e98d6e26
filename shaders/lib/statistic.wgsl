// GraBo's and GraEst's sums over the batch and output positions of what each unit's tap sees.
//
// The importing kernel defines what is summed: `vectors` of each position, and the `term` of each.
#import grid
#import tap
#import window

const LANES = 8u;
const ROWS = 8u;

struct Params {
    window: Window,
    rows: u32,
    vectors: u32,
    first: u32,
    accumulate: u32, // 1: add to what is there
    begin_y: u32, // of the output positions that are summed
    end_y: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<vec4<f32>>; // [rows / taps][input_y][input_x][vectors]
@group(0) @binding(2) var<storage, read_write> sums: array<f32>; // this layer's from `first` on

var<workgroup> partial: array<f32, 64>; // [ROWS][LANES]

@compute @workgroup_size(8, 8)
fn ENTRY(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let row = flat_group(group, groups) * ROWS + local.y;
    var sum = vec4(0.0);
    if row < params.rows {
        var tap = Tap(row, 0u, 0u);
        // A layer of one tap may be larger than the numbers for which `divide` is exact.
        if params.window.taps > 1u {
            tap = tap_of(row);
        }
        let rows = valid_y(tap.y);
        let columns = valid_x(tap.x);
        for (var y = max(params.begin_y, rows.x); y < min(params.end_y, rows.y); y++) {
            let input_y = y * params.window.stride_y + tap.y - params.window.padding_y;
            let line = tap.channel * params.window.input_y + input_y;
            for (var x = columns.x; x < columns.y; x++) {
                let input_x = x * params.window.stride_x + tap.x - params.window.padding_x;
                let at = (line * params.window.input_x + input_x) * params.vectors;
                let position = (y * params.window.output_x + x) * params.vectors;
                for (var v = local.x; v < vectors(); v += LANES) {
                    sum += term(values[at + v], position + v, v);
                }
            }
        }
    }
    // The order of this sum is part of the result's bits, so it is the same on every adapter.
    partial[local.y * LANES + local.x] = (sum.x + sum.y) + (sum.z + sum.w);
    workgroupBarrier();
    if local.x == 0u && row < params.rows {
        var total = 0.0;
        for (var lane = 0u; lane < LANES; lane++) {
            total += partial[local.y * LANES + lane];
        }
        let before = select(0.0, sums[params.first + row], params.accumulate != 0u);
        sums[params.first + row] = before + total;
    }
}
