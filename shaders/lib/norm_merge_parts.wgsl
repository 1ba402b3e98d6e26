// As norm_merge, for parts that state their number of samples, which can be zero.
#import norm_merged

fn merge_parts(c: u32, count: u32) -> Merged {
    var n = 0.0;
    var mean = 0.0;
    var squares = 0.0;
    for (var t = 0u; t < count; t++) {
        let at = 3u * (c * count + t);
        let more = parts[at];
        if more > 0.0 {
            let total = n + more;
            let d = parts[at + 1u] - mean;
            mean += d * (more / total);
            squares += parts[at + 2u] + d * d * (n * (more / total));
            n = total;
        }
    }
    return Merged(n, mean, squares);
}
