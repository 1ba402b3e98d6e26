// Merges a channel's tiles of statistics, in order: Chan, Golub and LeVeque 1979. `tile`: positions per tile; `tiles`:
// tiles per plane.
#import norm_merged
#import step

fn merge(c: u32, tile: u32, tiles: u32) -> Merged {
    var n = 0.0;
    var mean = 0.0;
    var squares = 0.0;
    for (var t = 0u; t < tiles; t++) {
        let at = 2u * (c * tiles + t);
        let rows = min(tile, params.norm.positions - t * tile);
        let more = f32(rows * step.count);
        let total = n + more;
        let d = parts[at] - mean;
        mean += d * (more / total);
        squares += parts[at + 1u] + d * d * (n * (more / total));
        n = total;
    }
    return Merged(n, mean, squares);
}
