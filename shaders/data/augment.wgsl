// A batch of a data set that is on the device as bytes: border, random crop, mirroring, normalisation. One invocation
// makes up to 8 neighbouring pixels of one image, which lie in two or three words. Neighbouring invocations are
// neighbouring lanes, so that writes are coalesced.
#import grid
#import random

const SPAN = 8u;

struct Params {
    channels: u32,
    height: u32,
    width: u32,
    lanes: u32,
    image_words: u32,
    pad: u32,
    flip: u32,
}

struct AugmentState {
    seed: u32,
    epoch: u32,
    count: u32, // lanes from here on are padding
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> state: AugmentState;
@group(0) @binding(2) var<storage, read> images: array<u32>; // [images][image_words]
@group(0) @binding(3) var<storage, read> classes: array<u32>; // [images]
@group(0) @binding(4) var<storage, read> table: array<f32>; // [channels][256]
@group(0) @binding(5) var<storage, read> indices: array<u32>; // [lanes]
@group(0) @binding(6) var<storage, read_write> inputs: array<f32>; // [channel][y][x][lanes]
@group(0) @binding(7) var<storage, read_write> labels: array<u32>; // [lanes]

@compute @workgroup_size(64)
fn augment(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let item = flat_group(group, groups) * 64u + index;
    let lane = item % params.lanes;
    let part = item / params.lanes;
    let spans = (params.width + SPAN - 1u) / SPAN;
    let row = part / spans;
    if row >= params.channels * params.height {
        return;
    }
    let first = (part % spans) * SPAN;
    let end = min(first + SPAN, params.width);
    let to = row * params.width * params.lanes + lane;

    if lane >= state.count {
        for (var x = first; x < end; x++) {
            inputs[to + x * params.lanes] = 0.0;
        }
        if part == 0u {
            labels[lane] = 0u;
        }
        return;
    }
    let image = indices[lane];
    if part == 0u {
        labels[lane] = classes[image];
    }

    let channel = row / params.height;
    let places = 2u * params.pad + 1u;
    let words = random(state.seed, state.epoch, STREAM_AUGMENTATION, 0u, image);
    let mirrored = params.flip != 0u && below(words.z, 2u) == 1u;
    // Places left of or above the image wrap round to large numbers.
    let y = row % params.height + below(words.x, places) - params.pad;
    let left = below(words.y, places) - params.pad;
    let base = image * params.image_words;
    let start = (channel * params.height + y) * params.width;
    for (var x = first; x < end; x++) {
        let column = select(x, params.width - 1u - x, mirrored) + left;
        var pixel = 0u;
        if y < params.height && column < params.width {
            let at = start + column;
            pixel = (images[base + (at >> 2u)] >> ((at & 3u) * 8u)) & 0xffu;
        }
        inputs[to + x * params.lanes] = table[channel * 256u + pixel];
    }
}
