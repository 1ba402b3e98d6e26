// A channel in the form for kernels that have no binding left for the parameters: in `saved`, `[4][channels]`.
#import norm_channel

fn saved_channel(c: u32) -> Channel {
    let n = params.channels;
    return channel_of(saved[c], saved[n + c], saved[2u * n + c], saved[3u * n + c]);
}
