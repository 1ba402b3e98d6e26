// One pass of a stable radix sort: moves each key and its value after those with a smaller digit, and after earlier
// ones with the same digit. A block first sorts by its own digits, by their lower and then by their upper nibble;
// neighbours with the same digit then go to neighbouring places.
#import grid

const WIDTH = 128u;
const PER_INVOCATION = 16u;
const BLOCK = 2048u; // WIDTH * PER_INVOCATION
const DIGITS = 256u;
// Values of a nibble (half a digit). Two share a word of the counters, each a number up to BLOCK.
const NIBBLES = 16u;
const WORDS = 8u;
// Number of invocations that scan the counters of one word.
const TEAM = 16u;

struct Params {
    length: u32,
    shift: u32,
    mask: u32, // of the digit's bits, once shifted
    blocks: u32,
    indices: u32, // 1: a key's value is its index, `values` is not read
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> bases: array<u32>; // [DIGITS][blocks], scanned
@group(0) @binding(2) var<storage, read> keys: array<u32>; // [length]
@group(0) @binding(3) var<storage, read> values: array<u32>; // [length]
@group(0) @binding(4) var<storage, read_write> sorted_keys: array<u32>; // [length]
@group(0) @binding(5) var<storage, read_write> sorted_values: array<u32>; // [length]

// A key of the block: its digit, above its place in the block.
var<workgroup> items: array<u32, BLOCK>;
// [WORDS][WIDTH]: how many keys of an invocation have either of two nibbles; later, how many of the earlier ones do.
var<workgroup> counts: array<u32, 1024>;
var<workgroup> sums: array<u32, WIDTH>;
// Where each digit begins in the sorted block; before that, how many keys each word counts.
var<workgroup> starts: array<u32, DIGITS>;

// The counter of a nibble: its word, and its shift within the word.
fn word_of(nibble: u32, index: u32) -> u32 {
    return (nibble / 2u) * WIDTH + index;
}

fn lift_of(nibble: u32) -> u32 {
    return (nibble % 2u) * 16u;
}

// Sorts the items stably by four of their bits.
fn sort_by(shift: u32, index: u32) {
    var mine: array<u32, PER_INVOCATION>;
    for (var w = 0u; w < WORDS; w++) {
        counts[w * WIDTH + index] = 0u;
    }
    for (var i = 0u; i < PER_INVOCATION; i++) {
        mine[i] = items[index * PER_INVOCATION + i];
        let nibble = (mine[i] >> shift) & (NIBBLES - 1u);
        counts[word_of(nibble, index)] += 1u << lift_of(nibble);
    }
    workgroupBarrier();
    // Scan within each word: an invocation takes 8 consecutive counters, and 16 invocations make a word.
    var sum = 0u;
    for (var i = 0u; i < WORDS; i++) {
        sum += counts[index * WORDS + i];
    }
    sums[index] = sum;
    workgroupBarrier();
    let own = index / TEAM;
    var before = 0u;
    for (var i = own * TEAM; i < index; i++) {
        before += sums[i];
    }
    if index < WORDS {
        var total = 0u;
        for (var i = 0u; i < TEAM; i++) {
            total += sums[index * TEAM + i];
        }
        starts[index] = total;
    }
    workgroupBarrier();
    // Keys with smaller nibbles: those of the earlier words, and within the word the lower nibble's for the upper.
    var below = 0u;
    for (var w = 0u; w < own; w++) {
        below += (starts[w] & 0xffffu) + (starts[w] >> 16u);
    }
    before += below + ((below + (starts[own] & 0xffffu)) << 16u);
    for (var i = 0u; i < WORDS; i++) {
        let count = counts[index * WORDS + i];
        counts[index * WORDS + i] = before;
        before += count;
    }
    workgroupBarrier();
    for (var i = 0u; i < PER_INVOCATION; i++) {
        let nibble = (mine[i] >> shift) & (NIBBLES - 1u);
        let counter = word_of(nibble, index);
        let place = (counts[counter] >> lift_of(nibble)) & 0xffffu;
        counts[counter] += 1u << lift_of(nibble);
        items[place] = mine[i];
    }
    workgroupBarrier();
}

@compute @workgroup_size(128)
fn radix_sort_scatter(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let block = flat_group(group, groups);
    let first = block * BLOCK;
    for (var i = 0u; i < PER_INVOCATION; i++) {
        let place = i * WIDTH + index;
        // Entries past the last key stay last: they have the largest digit, and come after the keys that have it, too.
        var digit = DIGITS - 1u;
        if first + place < params.length {
            digit = (keys[first + place] >> params.shift) & params.mask;
        }
        items[place] = (digit << 16u) | place;
    }
    workgroupBarrier();
    sort_by(16u, index);
    if params.mask >= NIBBLES {
        sort_by(20u, index);
    }
    for (var i = 0u; i < PER_INVOCATION; i++) {
        let place = i * WIDTH + index;
        let digit = items[place] >> 16u;
        // The first one has none before it.
        let other = items[max(place, 1u) - 1u] >> 16u;
        if place == 0u || other != digit {
            starts[digit] = place;
        }
    }
    workgroupBarrier();
    for (var i = 0u; i < PER_INVOCATION; i++) {
        let place = i * WIDTH + index;
        let digit = items[place] >> 16u;
        let at = first + (items[place] & 0xffffu);
        if at < params.length {
            let to = bases[digit * params.blocks + block] + place - starts[digit];
            sorted_keys[to] = keys[at];
            if params.indices != 0u {
                sorted_values[to] = at;
            } else {
                sorted_values[to] = values[at];
            }
        }
    }
}
