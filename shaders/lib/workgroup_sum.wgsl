// Sum over the LANES * ROWS invocations (8 to 128, a multiple of 8) of a workgroup, in a fixed order, in two phases
// with two barriers; needs those overrides. All invocations must call it, with their index in the workgroup.
const SUM_GROUP = 8u;

var<workgroup> sum_values: array<vec2<f32>, 128>;
var<workgroup> sum_groups: array<vec2<f32>, 16>;

fn workgroup_sum(index: u32, value: vec2<f32>) -> vec2<f32> {
    let groups = LANES * ROWS / SUM_GROUP;
    sum_values[index] = value;
    workgroupBarrier();
    if index < groups {
        var sum = vec2(0.0);
        for (var i = 0u; i < SUM_GROUP; i++) {
            sum += sum_values[index * SUM_GROUP + i];
        }
        sum_groups[index] = sum;
    }
    workgroupBarrier();
    var sum = vec2(0.0);
    for (var g = 0u; g < groups; g++) {
        sum += sum_groups[g];
    }
    return sum;
}
