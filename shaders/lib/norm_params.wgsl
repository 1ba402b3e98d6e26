// A batch norm's sizes, and where its parameters are. Host half: `NormParams` in src/layer/norm/shared.rs. It comes first
// in `Params` and has 48 bytes, because a struct in a uniform begins and ends at multiples of 16.
struct Norm {
    channels: u32,
    positions: u32, // of a channel's plane
    vectors: u32,
    weight: u32, // where the channels' weights start
    bias: u32,
    mean: u32, // where the channels' running means start
    variance: u32,
    epsilon: f32,
    momentum: f32,
    update: u32, // 1: update the running statistics
    relu: u32,
    add: u32, // 1: add the residual
}
