// The key by which a selection ranks. Host half: src/primitive/radix_select.rs.
const STATE_WORDS = 2u;
const STATE_KEY = 0u; // what is known of the key of the last one to take
const STATE_LEFT = 1u; // how many to take of those that agree with it

// The bits of a magnitude have the same order as magnitudes; they are inverted if the largest come first.
fn select_key(value: f32, largest: u32) -> u32 {
    let bits = bitcast<u32>(value) & 0x7fffffffu;
    return select(bits, 0x7fffffffu - bits, largest != 0u);
}
