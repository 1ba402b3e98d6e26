//! The figures of a layer that is run both from lists of connections and densely.

/// A layer at several densities, run in both ways.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct CrossoverFigure {
    /// The layer in words.
    pub layer: String,
    /// Batch size.
    pub batch: usize,
    /// The forward and the transposed product at rising densities.
    pub densities: Vec<AtDensity>,
    /// The density above which the dense products are faster, between two neighbours. None if they never are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tie: Option<f64>,
    /// Operations of the dense products, in 10^9 per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dense_gflop_s: Option<f64>,
    /// Why it cannot be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// Both ways at one density.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct AtDensity {
    /// Share of the pairs that are connected.
    pub density: f64,
    /// Median time of the products from the lists of connections.
    pub sparse_seconds: f64,
    /// Median time of the dense products, including the dense copy of the weights for each.
    pub dense_seconds: f64,
}

impl CrossoverFigure {
    /// Where the dense products become faster for good: interpolated between the last two densities that disagree.
    pub(in crate::bench) fn tie_of(densities: &[AtDensity]) -> Option<f64> {
        let lead = |at: &AtDensity| at.sparse_seconds - at.dense_seconds;
        let first = match densities.iter().rposition(|at| lead(at) < 0.0) {
            Some(last_sparse) => last_sparse + 1,
            None => return densities.first().map(|at| at.density),
        };
        let (before, at) = (&densities[first - 1], densities.get(first)?);
        let (lag, lead) = (lead(before), lead(at));
        Some(before.density + (at.density - before.density) * lag / (lag - lead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_lies_between_the_densities_around_it() {
        let of = |leads: &[f64]| {
            let at = leads.iter().enumerate().map(|(i, lead)| AtDensity {
                density: 0.1 * (i + 1) as f64,
                sparse_seconds: 5.0 + lead,
                dense_seconds: 5.0,
            });
            CrossoverFigure::tie_of(&at.collect::<Vec<_>>())
        };
        let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-9;
        assert!(close(of(&[-1.0, -0.5, 0.5]), 0.25));
        assert!(close(of(&[-1.0, 0.5, -0.5, 1.5]), 0.325));
        assert!(close(of(&[1.0, 2.0]), 0.1));
        assert_eq!(of(&[-2.0, -1.0]), None);
        assert_eq!(of(&[]), None);
    }
}
