// The share of a dispatch's work for this piece of it: a dispatch whose loops would be too long runs in several pieces.
// Host half: src/engine/declaration/loops.rs.
struct Part {
    begin: u32,
    end: u32,
    begin_y: u32,
    end_y: u32,
    chunks: u32,
}

@group(0) @binding(15) var<uniform> part: Part;
