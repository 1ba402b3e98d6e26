// Whether exactly the sample's classes were predicted: those with a logit above zero.
#import elementwise_score

fn part(o: u32, y: f32, t: f32) -> f32 {
    return select(1.0, 0.0, (y > 0.0) == (t > 0.5));
}

fn whole(sum: f32) -> f32 {
    return select(0.0, 1.0, sum == 0.0);
}
