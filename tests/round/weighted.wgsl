struct Params {
    first_row: u32,
    n_out: u32,
    slots: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> rows: array<u32>;
@group(0) @binding(3) var<storage, read_write> scores: array<f32>;

@compute @workgroup_size(64)
fn weighted(@builtin(global_invocation_id) id: vec3<u32>) {
    let begin = offsets[params.first_row];
    let end = offsets[params.first_row + params.n_out];
    if id.x < params.slots && id.x >= begin && id.x < end {
        scores[id.x] *= f32(1u + (rows[id.x] - params.first_row) % 3u);
    }
}
