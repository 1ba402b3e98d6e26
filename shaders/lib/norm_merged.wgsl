// The merged statistics of a channel's tiles.
struct Merged {
    n: f32,
    mean: f32,
    squares: f32, // sum of squared differences from the mean
}
