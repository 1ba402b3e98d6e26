// Counts, segment by segment, the next eight bits of the keys that agree with the known bits of the requested key.
#import grid
#import segments
#import select_key

const WIDTH = 256u;
const PER_INVOCATION = 16u;

struct Params {
    length: u32, // the segments have no more items
    segments: u32,
    shift: u32, // of these eight bits
    largest: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>; // those of the segments begin at starts[0]
@group(0) @binding(2) var<storage, read> starts: array<u32>; // [segments + 1]
@group(0) @binding(3) var<storage, read> state: array<u32>; // [segments][STATE_WORDS]
@group(0) @binding(4) var<storage, read_write> histogram: array<atomic<u32>>; // [segments][256], zeroed

var<workgroup> counts: array<atomic<u32>, WIDTH>;

@compute @workgroup_size(256)
fn radix_select_histogram(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let first = flat_group(group, groups) * WIDTH * PER_INVOCATION;
    let begin = starts[0];
    let end = min(params.length, starts[params.segments] - begin);
    atomicStore(&counts[index], 0u);
    workgroupBarrier();
    // Most blocks lie within one segment, and are counted in workgroup memory.
    var own = 0u;
    if first < end {
        own = segment_of(begin + first);
        var segment = own;
        for (var i = 0u; i < PER_INVOCATION; i++) {
            let at = first + i * WIDTH + index;
            if at >= end {
                break;
            }
            while begin + at >= starts[segment + 1u] {
                segment++;
            }
            let key = select_key(values[begin + at], params.largest);
            let known = state[segment * STATE_WORDS + STATE_KEY];
            // Two shifts: one by 32 is undefined.
            if ((key ^ known) >> params.shift) >> 8u == 0u {
                let digit = (key >> params.shift) & 255u;
                if segment == own {
                    atomicAdd(&counts[digit], 1u);
                } else {
                    atomicAdd(&histogram[segment * 256u + digit], 1u);
                }
            }
        }
    }
    workgroupBarrier();
    let count = atomicLoad(&counts[index]);
    if count != 0u {
        atomicAdd(&histogram[own * 256u + index], count);
    }
}
