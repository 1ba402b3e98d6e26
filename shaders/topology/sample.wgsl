// Draws candidate pairs: the input from f, the output from g, independently and with replacement. In a further draw of
// a round, a layer's first slots hold the candidates found before, and the others are drawn anew.
#import grid
#import random
#import round_table
#import step

struct Params {
    capacity: u32,
    layers: u32,
    n_rows: u32, // also the row of a slot that is not in use: sorted last
    weighted: u32, // 0: both distributions are uniform
    redraw: u32, // 0: the round's first draw, nothing is held; else the number of this draw in its program
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<u32>; // [layers + 1][TABLE_WORDS]
@group(0) @binding(2) var<storage, read> inputs: array<f32>; // [C] running sums of f
@group(0) @binding(3) var<storage, read> outputs: array<f32>; // [R] running sums of g
@group(0) @binding(4) var<storage, read_write> cols: array<u32>; // [capacity]
@group(0) @binding(5) var<storage, read_write> rows: array<u32>; // [capacity]
@group(0) @binding(6) var<storage, read> held_offsets: array<u32>; // [R + 1]
@group(0) @binding(7) var<storage, read> held_cols: array<u32>; // [capacity]
@group(0) @binding(8) var<storage, read> held_rows: array<u32>; // [capacity]
@group(0) @binding(9) var<uniform> step: StepState;

const LARGEST = 3.4028234e38;

fn draw_input(word: u32, first: u32, units: u32) -> u32 {
    let total = inputs[first + units - 1u];
    // Without usable weights (all zero, or NaN), every unit has the same probability.
    if params.weighted == 0u || !(total > 0.0 && total <= LARGEST) {
        return first + below(word, units);
    }
    let threshold = unit(word) * total;
    var low = first;
    var high = first + units - 1u;
    while low < high {
        let middle = (low + high) / 2u;
        if inputs[middle] > threshold {
            high = middle;
        } else {
            low = middle + 1u;
        }
    }
    return low;
}

fn draw_output(word: u32, first: u32, units: u32) -> u32 {
    let total = outputs[first + units - 1u];
    if params.weighted == 0u || !(total > 0.0 && total <= LARGEST) {
        return first + below(word, units);
    }
    let threshold = unit(word) * total;
    var low = first;
    var high = first + units - 1u;
    while low < high {
        let middle = (low + high) / 2u;
        if outputs[middle] > threshold {
            high = middle;
        } else {
            low = middle + 1u;
        }
    }
    return low;
}

@compute @workgroup_size(256)
fn sample(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let slot = flat_group(group, groups) * 256u + index;
    if slot >= params.capacity {
        return;
    }
    if slot >= table[params.layers * TABLE_WORDS + TABLE_SLOT] {
        cols[slot] = 0u;
        rows[slot] = params.n_rows;
        return;
    }
    let layer = layer_of_slot(slot, params.layers);
    let at = layer * TABLE_WORDS;
    let place = slot - table[at + TABLE_SLOT];
    let first_row = table[at + TABLE_ROW];
    if table[at + TABLE_COMPLETE] != 0u {
        let n_in = table[at + TABLE_INPUTS];
        cols[slot] = table[at + TABLE_COL] + place % n_in;
        rows[slot] = first_row + place / n_in;
        return;
    }
    var words: vec4<u32>;
    if params.redraw == 0u {
        words = random(step.seed, step.step, STREAM_CANDIDATES, layer, place);
    } else {
        let held = held_offsets[first_row] + place;
        if held < held_offsets[first_row + table[at + TABLE_OUTPUTS]] {
            cols[slot] = held_cols[held];
            rows[slot] = held_rows[held];
            return;
        }
        let draw = table[params.layers * TABLE_WORDS + TABLE_DRAWS] + params.redraw;
        words = random(step.seed, step.step, STREAM_REDRAWS, draw, slot);
    }
    cols[slot] = draw_input(words.x, table[at + TABLE_COL], table[at + TABLE_INPUTS]);
    rows[slot] = draw_output(words.y, first_row, table[at + TABLE_OUTPUTS]);
}
