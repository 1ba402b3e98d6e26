// The round's table: one row of words per layer, and one after the last. Host half: src/topology/table.rs.
const TABLE_WORDS = 8u;
const TABLE_SLOT = 0u; // first candidate slot
const TABLE_COL = 1u; // first column
const TABLE_INPUTS = 2u; // input units
const TABLE_ROW = 3u; // first row
const TABLE_OUTPUTS = 4u; // output units
const TABLE_REQUESTED = 5u; // connections to exchange in this segment
const TABLE_COMPLETE = 6u; // 1: the layer's slots are all its pairs, in order
const TABLE_DRAWS = 7u; // in the row after the last: draws of this round before this program

// The layer of a slot below the last row's TABLE_SLOT; needs the table bound as `table: array<u32>`.
fn layer_of_slot(slot: u32, layers: u32) -> u32 {
    var low = 0u;
    var high = layers - 1u;
    while low < high {
        let middle = (low + high) / 2u;
        if table[(middle + 1u) * TABLE_WORDS + TABLE_SLOT] > slot {
            high = middle;
        } else {
            low = middle + 1u;
        }
    }
    return low;
}
