// Stores the parameters after the statistics, for kernels that have no binding left for them.
fn keep_parameters(c: u32) {
    saved[2u * params.norm.channels + c] = values[params.norm.weight + c];
    saved[3u * params.norm.channels + c] = values[params.norm.bias + c];
}
