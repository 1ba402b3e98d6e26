// What tiles of a channel's statistics are merged into.
struct Merged {
    n: f32,
    mean: f32,
    squares: f32, // sum of squared differences from the mean
}
