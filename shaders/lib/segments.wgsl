// The segment that an item belongs to; needs a binding `starts: array<u32>` and `params.segments`.
// Segment s holds the items starts[s]..starts[s + 1]; the item must lie in starts[0]..starts[segments].
fn segment_of(item: u32) -> u32 {
    var low = 0u;
    var high = params.segments - 1u;
    while low < high {
        let middle = (low + high) / 2u;
        if starts[middle + 1u] > item {
            high = middle;
        } else {
            low = middle + 1u;
        }
    }
    return low;
}
