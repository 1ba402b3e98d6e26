// What kernels that have no binding left for the parameters find behind the statistics.
fn keep_parameters(c: u32) {
    saved[2u * params.channels + c] = values[params.weight + c];
    saved[3u * params.channels + c] = values[params.bias + c];
}
