// The state of the running list. Host half: src/topology/tiles.rs.
const LIST_BEGIN = 0u; // first slot
const LIST_END = 1u; // end of the part that is still open
const LIST_SCORED = 2u; // by layer, two halves: pairs scored
