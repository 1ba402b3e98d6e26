// Running sums of a distribution's magnitudes, layer by layer, in which the inverse of its cumulative function is
// searched.
//
// One invocation sums a consecutive chunk, then starts from the sum of the earlier chunks. The last running sum of a
// chunk is, to the bit, the start of the next, so a unit with probability zero never rises and is never drawn.
#import grid
#import round_table

const WIDTH = 256u;

struct Params {
    layers: u32,
    first: u32, // word of a table row that holds the first unit; the number of units follows it
    units: u32, // no layer has more
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<u32>; // [layers + 1][TABLE_WORDS]
@group(0) @binding(2) var<storage, read_write> sums: array<f32>; // [units of all layers]

var<workgroup> chunks: array<f32, WIDTH>;

@compute @workgroup_size(256)
fn cumulate(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let layer = flat_group(group, groups);
    if layer >= params.layers {
        return;
    }
    let first = table[layer * TABLE_WORDS + params.first];
    let units = table[layer * TABLE_WORDS + params.first + 1u];
    let chunk = (units + WIDTH - 1u) / WIDTH;
    let begin = first + min(index * chunk, units);
    let end = min(begin + chunk, first + units);
    var sum = 0.0;
    for (var i = begin; i < end; i++) {
        sum += abs(sums[i]);
    }
    chunks[index] = sum;
    workgroupBarrier();
    if index == 0u {
        var before = 0.0;
        for (var c = 0u; c < WIDTH; c++) {
            let own = chunks[c];
            chunks[c] = before;
            before += own;
        }
    }
    workgroupBarrier();
    let before = chunks[index];
    var running = 0.0;
    for (var i = begin; i < end; i++) {
        running += abs(sums[i]);
        sums[i] = before + running;
    }
}
