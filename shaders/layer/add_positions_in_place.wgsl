// As add_positions, with one buffer for input and output.
#import positions

@group(0) @binding(2) var<storage, read_write> activation: array<vec4<f32>>; // [rows][vectors]

fn put(at: u32, position: f32) {
    activation[at] += position;
}
