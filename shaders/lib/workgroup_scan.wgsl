// Exclusive sum over the 256 invocations of a workgroup, in two phases with two barriers: a tree would need sixteen,
// which cost a software adapter per invocation. Uses no subgroups. All invocations must call it.
const SCAN_WIDTH = 256u;
const SCAN_GROUP = 16u;

var<workgroup> scan_values: array<u32, SCAN_WIDTH>;
var<workgroup> scan_groups: array<u32, SCAN_GROUP>;

fn workgroup_scan(index: u32, value: u32) -> u32 {
    scan_values[index] = value;
    workgroupBarrier();
    if index < SCAN_GROUP {
        var sum = 0u;
        for (var i = 0u; i < SCAN_GROUP; i++) {
            sum += scan_values[index * SCAN_GROUP + i];
        }
        scan_groups[index] = sum;
    }
    workgroupBarrier();
    let group = index / SCAN_GROUP;
    var sum = 0u;
    for (var g = 0u; g < group; g++) {
        sum += scan_groups[g];
    }
    for (var i = group * SCAN_GROUP; i < index; i++) {
        sum += scan_values[i];
    }
    return sum;
}

// Sum over the workgroup; call after workgroup_scan.
fn workgroup_total() -> u32 {
    var sum = 0u;
    for (var g = 0u; g < SCAN_GROUP; g++) {
        sum += scan_groups[g];
    }
    return sum;
}
