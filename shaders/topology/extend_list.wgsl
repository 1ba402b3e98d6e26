// Prepares the selection among a tile and the open part of the running list, and advances the list's state.
#import running_list
#import round_table
#import select_key

struct Params {
    layer: u32,
    segment: u32, // of the table
    opens: u32, // 1: the tile is the first of its segment
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<u32>; // [layers + 1][TABLE_WORDS]
@group(0) @binding(2) var<storage, read> offsets: array<u32>; // [R + 1]: the tile's
@group(0) @binding(3) var<storage, read_write> list: array<u32>;
@group(0) @binding(4) var<storage, read_write> starts: array<u32>; // [2]
@group(0) @binding(5) var<storage, read_write> state: array<u32>; // [STATE_WORDS]
@group(0) @binding(6) var<storage, read_write> histogram: array<u32>; // [256]

@compute @workgroup_size(256)
fn extend_list(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    if group.x != 0u || group.y != 0u {
        return;
    }
    histogram[index] = 0u;
    if index != 0u {
        return;
    }
    let first = offsets[0];
    let begin = list[LIST_BEGIN];
    let end = select(list[LIST_END], begin, params.opens != 0u);
    let taken = min(table[params.segment * TABLE_WORDS + TABLE_REQUESTED], end - first);
    starts[0] = first;
    starts[1] = end;
    state[STATE_KEY] = 0u;
    state[STATE_LEFT] = taken;
    list[LIST_BEGIN] = end - taken;
    list[LIST_END] = end;
    let at = LIST_SCORED + 2u * params.layer;
    let scored = list[at] + (begin - first);
    list[at + 1u] += u32(scored < list[at]);
    list[at] = scored;
}
