// The few words per layer that the host reads back.
#import grid
#import round_table

const WIDTH = 256u;
const GROUP = 16u;
const REPORT_WORDS = 8u;

struct Params {
    layers: u32,
    rows: u32, // no layer has more
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<u32>; // [layers + 1][TABLE_WORDS]
@group(0) @binding(2) var<storage, read> active_offsets: array<u32>; // [R + 1]
@group(0) @binding(3) var<storage, read> prune_ranks: array<u32>; // [N + 1]
@group(0) @binding(4) var<storage, read> prune_sums: array<f32>; // [R]
@group(0) @binding(5) var<storage, read> candidate_offsets: array<u32>; // [R + 1]
@group(0) @binding(6) var<storage, read> grow_ranks: array<u32>; // [capacity + 1]
@group(0) @binding(7) var<storage, read> grow_sums: array<f32>; // [R]
@group(0) @binding(8) var<storage, read_write> report: array<u32>; // [layers][REPORT_WORDS]

var<workgroup> partial: array<vec2<f32>, WIDTH>;

@compute @workgroup_size(256)
fn report_layers(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let layer = flat_group(group, groups);
    if layer >= params.layers {
        return;
    }
    let first = table[layer * TABLE_WORDS + TABLE_ROW];
    let end = first + table[layer * TABLE_WORDS + TABLE_OUTPUTS];
    var sum = vec2(0.0);
    for (var row = first + index; row < end; row += WIDTH) {
        sum += vec2(prune_sums[row], grow_sums[row]);
    }
    partial[index] = sum;
    workgroupBarrier();
    if index < GROUP {
        sum = vec2(0.0);
        for (var i = 0u; i < GROUP; i++) {
            sum += partial[index * GROUP + i];
        }
    }
    workgroupBarrier();
    if index < GROUP {
        partial[index] = sum;
    }
    workgroupBarrier();
    if index == 0u {
        sum = vec2(0.0);
        for (var i = 0u; i < GROUP; i++) {
            sum += partial[i];
        }
        let at = layer * REPORT_WORDS;
        report[at] = candidate_offsets[end] - candidate_offsets[first];
        report[at + 1u] = prune_ranks[active_offsets[end]] - prune_ranks[active_offsets[first]];
        report[at + 2u] = grow_ranks[candidate_offsets[end]] - grow_ranks[candidate_offsets[first]];
        report[at + 3u] = bitcast<u32>(sum.x);
        report[at + 4u] = bitcast<u32>(sum.y);
        report[at + 5u] = 0u;
        report[at + 6u] = 0u;
        report[at + 7u] = 0u;
    }
}
