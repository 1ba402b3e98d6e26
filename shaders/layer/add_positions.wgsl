// Adds to each row of lanes (a feature of a token) the number that says where the token lies.
#import positions

@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>; // [rows][vectors]
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>; // [rows][vectors]

fn put(at: u32, position: f32) {
    output[at] = input[at] + position;
}
