//! At which density a product from a list of connections takes as long as the dense one. What times them is an argument.

use std::ops::Range;

use crate::error::Result;

/// A product in both ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// Seconds of the dense product.
    pub dense_seconds: f64,
    /// Seconds of the product from the list of connections, at the model's sparsity.
    pub sparse_seconds: f64,
    /// The sparsity below which the dense product is faster: 1 if it always is, `None` if it never is.
    pub crossover: Option<f64>,
}

/// Times at one density.
pub(super) struct Point {
    pub density: f64,
    /// Of each product: from the list of connections, and dense.
    pub times: Vec<[f64; 2]>,
}

impl Point {
    /// Both times of the chosen products together.
    fn sum(&self, chosen: &dyn Fn(usize) -> bool) -> [f64; 2] {
        let times = self.times.iter().enumerate();
        let times = times.filter(|(at, _)| chosen(*at)).map(|(_, times)| times);
        times.fold([0.0; 2], |sum, times| {
            [sum[0] + times[0], sum[1] + times[1]]
        })
    }

    /// How much longer the sparse products take.
    fn lead(&self, chosen: &dyn Fn(usize) -> bool) -> f64 {
        let [sparse, dense] = self.sum(chosen);
        sparse - dense
    }
}

/// Most densities at which a layer is timed.
const DENSITIES: usize = 3;

/// A density that differs by less than this factor from one that was timed says nothing new.
const CLOSE: f64 = 1.25;

/// Times a layer at its own density, and then at those within `range` where a tie is to be expected: of all products
/// but the last, and of the last. Gives the points by density.
pub(super) fn search(
    own: f64,
    range: Range<f64>,
    time: &mut dyn FnMut(f64) -> Result<Point>,
) -> Result<Vec<Point>> {
    let mut points = vec![time(own)?];
    while points.len() < DENSITIES {
        let last = points
            .first()
            .map_or(0, |point| point.times.len())
            .saturating_sub(1);
        let ties = [
            tie(&points, &|at| at < last),
            tie(&points, &|at| at == last),
            // For a slope, if both are where it was timed already.
            (points.len() == 1).then_some(if 2.0 * own < range.end {
                2.0 * own
            } else {
                own / 2.0
            }),
        ];
        let new = ties
            .into_iter()
            .flatten()
            .map(|tie| tie.clamp(range.start, range.end));
        let far = |&tie: &f64| {
            let apart = |point: &Point| (tie / point.density).max(point.density / tie) > CLOSE;
            points.iter().all(apart)
        };
        match { new }.find(far) {
            Some(density) => points.push(time(density)?),
            None => break,
        }
        points.sort_by(|a, b| a.density.total_cmp(&b.density));
    }
    Ok(points)
}

/// The density at which both ways take as long, by points of rising density: between two neighbours, or on the line
/// through the two nearest, since the time from a list of connections is linear in their number. A single point counts
/// as one of a proportion. It may be 0 or less, or above 1, and is infinite if more connections do not take longer.
fn tie(points: &[Point], chosen: &dyn Fn(usize) -> bool) -> Option<f64> {
    let leads: Vec<f64> = points.iter().map(|point| point.lead(chosen)).collect();
    let at = match leads.iter().rposition(|&lead| lead < 0.0) {
        // Dense is faster wherever it was timed.
        None => 0,
        Some(last) => last.min(points.len().saturating_sub(2)),
    };
    let (a, lead) = (points.get(at)?, *leads.get(at)?);
    let Some((b, next)) = points.get(at + 1).zip(leads.get(at + 1)) else {
        let [sparse, dense] = a.sum(chosen);
        return Some(a.density * dense / sparse);
    };
    let slope = (next - lead) / (b.density - a.density);
    Some(match slope > 0.0 {
        true => a.density - lead / slope,
        false if lead < 0.0 => f64::INFINITY,
        false => 0.0,
    })
}

/// Sums up what was found about some of the products of a layer of this density.
pub(super) fn compared(
    points: &[Point],
    own: f64,
    chosen: &dyn Fn(usize) -> bool,
) -> Option<Compared> {
    let at_own = |a: &&Point, b: &&Point| {
        let off = |point: &Point| (point.density - own).abs();
        off(a).total_cmp(&off(b))
    };
    let [sparse_seconds, dense_seconds] = points.iter().min_by(at_own)?.sum(chosen);
    let density = tie(points, chosen)?;
    Some(Compared {
        dense_seconds,
        sparse_seconds,
        crossover: (density < 1.0).then(|| 1.0 - density.max(0.0)),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What is found of a layer with two products by a clock that shows `sparse` and `dense` seconds at a density; and
    /// the densities that were timed.
    fn found(
        own: f64,
        most: f64,
        clock: impl Fn(f64) -> Vec<[f64; 2]>,
    ) -> (Vec<Compared>, Vec<f64>) {
        let mut time = |density| {
            Ok(Point {
                density,
                times: clock(density),
            })
        };
        let points = search(own, 1e-4..most, &mut time).unwrap();
        let of = |at: usize| compared(&points, own, &|other| other == at).unwrap();
        (
            [of(0), of(1)].to_vec(),
            points.iter().map(|p| p.density).collect(),
        )
    }

    #[track_caller]
    fn close(crossover: Option<f64>, expected: f64) {
        assert!(
            (crossover.unwrap() - expected).abs() < 1e-9,
            "{crossover:?} is not {expected}"
        );
    }

    #[test]
    fn a_crossover_is_where_both_take_as_long() {
        for own in [0.001f64, 0.02, 0.1, 0.3, 0.5, 0.99, 1.0] {
            for most in [own, (3.0 * own).min(1.0), 1.0] {
                // 2 + 40 d = 12 at a density of 0.25, 1 + 30 d = 19 at 0.6.
                let clock = |d| vec![[2.0 + 40.0 * d, 12.0], [1.0 + 30.0 * d, 19.0]];
                let (products, densities) = found(own, most, clock);
                close(products[0].crossover, 0.75);
                close(products[1].crossover, 0.4);
                assert!((products[0].sparse_seconds - (2.0 + 40.0 * own)).abs() < 1e-9);
                assert_eq!(products[1].dense_seconds, 19.0);
                assert!(densities.len() <= DENSITIES && densities.iter().all(|&d| d <= most));
            }
        }
    }

    /// A full layer is not faster from a list, and one of few connections is not faster densely, unless the clock says so.
    #[test]
    fn both_ends_are_told_apart() {
        // From a list, all connections take twice as long as densely, or half as long.
        let (products, _) = found(1.0, 1.0, |d| vec![[2.0 * d, 1.0], [0.5 * d, 1.0]]);
        close(products[0].crossover, 0.5);
        assert_eq!(products[1].crossover, None);
        // The launch of the sparse product alone takes longer than the dense one, or the dense one never ends.
        let (products, _) = found(0.02, 1.0, |d| vec![[3.0 + d, 1.0], [d, 1e9]]);
        assert_eq!(
            (products[0].crossover, products[1].crossover),
            (Some(1.0), None)
        );
        // Times that do not depend on the connections, or by noise fall.
        for slope in [0.0, -0.1] {
            let (products, _) = found(0.1, 1.0, |d| {
                vec![[3.0 + slope * d, 1.0], [0.5 + slope * d, 1.0]]
            });
            assert_eq!(
                (products[0].crossover, products[1].crossover),
                (Some(1.0), None)
            );
        }
    }

    /// Caches make the time from a list bend: what was timed near the tie decides, not what was timed far from it.
    #[test]
    fn points_near_the_tie_decide() {
        let bent = |d: f64| 1.0 + 10.0 * d + 30.0 * d * d;
        let dense = bent(0.3);
        let (products, densities) = found(0.02, 1.0, |d| vec![[bent(d), dense], [bent(d), dense]]);
        assert!(
            (products[0].crossover.unwrap() - 0.7).abs() < 0.03,
            "{products:?} by {densities:?}"
        );
    }
}
