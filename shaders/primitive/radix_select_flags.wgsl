// Marks the items taken: those below the last key, and the first ones of its ties.
#import grid
#import segments
#import select_key

struct Params {
    length: u32, // the segments have no more items
    segments: u32,
    largest: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>; // those of the segments begin at starts[0]
@group(0) @binding(2) var<storage, read> starts: array<u32>; // [segments + 1]
@group(0) @binding(3) var<storage, read> state: array<u32>; // [segments][STATE_WORDS]
@group(0) @binding(4) var<storage, read> ties: array<u32>; // [length + 1], scanned
@group(0) @binding(5) var<storage, read_write> taken: array<u32>; // [length + 1]

@compute @workgroup_size(256)
fn radix_select_flags(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let i = flat_group(group, groups) * 256u + index;
    if i > params.length {
        return;
    }
    var flag = false;
    let begin = starts[0];
    if i < min(params.length, starts[params.segments] - begin) {
        let segment = segment_of(begin + i);
        let key = select_key(values[begin + i], params.largest);
        let last = state[segment * STATE_WORDS + STATE_KEY];
        let left = state[segment * STATE_WORDS + STATE_LEFT];
        flag = key < last || (key == last && ties[i] - ties[starts[segment] - begin] < left);
    }
    taken[i] = u32(flag);
}
