// Where each target would go among sorted keys: the offsets of compressed rows, from the rows themselves.
#import grid

struct Params {
    length: u32,
    targets: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> keys: array<u32>; // [length], rising
@group(0) @binding(2) var<storage, read_write> offsets: array<u32>; // [targets]

@compute @workgroup_size(256)
fn lower_bound(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let place = flat_group(group, groups) * 256u + index;
    if place >= params.targets {
        return;
    }
    var low = 0u;
    var high = params.length;
    while low < high {
        let middle = low + (high - low) / 2u;
        if keys[middle] < place {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    offsets[place] = low;
}
