// As little work as a dispatch can have that still shows whether it was done, and done after the one before.
struct Params {
    step: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> counter: array<u32>; // [4]

@compute @workgroup_size(1)
fn count() {
    counter[0] += params.step;
}
