// Prepares both selections: where each segment's candidates and connections start, and how many of them to exchange.
#import grid
#import round_table
#import select_key

struct Params {
    segments: u32,
    layers: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<u32>; // [layers + 1][TABLE_WORDS]
@group(0) @binding(2) var<storage, read> active_offsets: array<u32>; // [R + 1]
@group(0) @binding(3) var<storage, read> candidate_offsets: array<u32>; // [R + 1]
@group(0) @binding(4) var<storage, read_write> prune_starts: array<u32>; // [segments + 1]
@group(0) @binding(5) var<storage, read_write> grow_starts: array<u32>; // [segments + 1]
@group(0) @binding(6) var<storage, read_write> prune_state: array<u32>; // [segments][STATE_WORDS]
@group(0) @binding(7) var<storage, read_write> grow_state: array<u32>; // [segments][STATE_WORDS]
@group(0) @binding(8) var<storage, read_write> histogram: array<u32>; // [segments][256]

// A segment is a layer, or all of them.
fn first_row(segment: u32) -> u32 {
    let layer = select(segment, params.layers, segment == params.segments);
    return table[layer * TABLE_WORDS + TABLE_ROW];
}

@compute @workgroup_size(256)
fn segments(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let segment = flat_group(group, groups);
    if segment > params.segments {
        return;
    }
    let row = first_row(segment);
    if segment < params.segments {
        histogram[segment * 256u + index] = 0u;
    }
    if index != 0u {
        return;
    }
    prune_starts[segment] = active_offsets[row];
    grow_starts[segment] = candidate_offsets[row];
    if segment < params.segments {
        let end = first_row(segment + 1u);
        let connections = active_offsets[end] - active_offsets[row];
        let candidates = candidate_offsets[end] - candidate_offsets[row];
        let exchanged = min(table[segment * TABLE_WORDS + TABLE_REQUESTED], min(connections, candidates));
        prune_state[segment * STATE_WORDS + STATE_KEY] = 0u;
        prune_state[segment * STATE_WORDS + STATE_LEFT] = exchanged;
        grow_state[segment * STATE_WORDS + STATE_KEY] = 0u;
        grow_state[segment * STATE_WORDS + STATE_LEFT] = exchanged;
    }
}
