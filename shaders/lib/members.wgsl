// Which lanes of the batch's vec4 number `v` hold samples; the rest are padding.
#import step
fn members(v: u32) -> vec4<bool> {
    return vec4(4u * v) + vec4(0u, 1u, 2u, 3u) < vec4(step.count);
}
