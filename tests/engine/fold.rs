//! Folding more workgroups than a dimension holds.

use proptest::prelude::*;
use rootlet::engine::grid::fold;

/// WebGPU's default limit of workgroups in a dimension.
const LIMIT: u32 = 65_535;

fn check(groups: usize, limit: u32) -> Result<(), TestCaseError> {
    let (x, y) = fold(groups, limit);
    let product = x as usize * y as usize;
    prop_assert!(x <= limit && y <= limit, "{groups}: {x} by {y}");
    prop_assert!(product >= groups, "{groups}: {x} by {y}");
    prop_assert!(product - groups < y as usize, "{groups}: {x} by {y}");
    Ok(())
}

proptest! {
    #[test]
    fn a_fold_covers_the_groups_with_less_than_a_column_over(groups in 1usize..=LIMIT as usize * LIMIT as usize) {
        check(groups, LIMIT)?;
    }

    #[test]
    fn small_limits_fold_alike(limit in 1u32..300, share in 0.0f64..=1.0) {
        let most = (limit * limit) as usize;
        check(((most as f64 * share) as usize).clamp(1, most), limit)?;
    }
}

#[test]
fn folds_at_the_edges() {
    let limit = LIMIT as usize;
    assert_eq!(fold(1, LIMIT), (1, 1));
    assert_eq!(fold(limit, LIMIT), (LIMIT, 1));
    assert_eq!(fold(limit + 1, LIMIT), (32_768, 2));
    assert_eq!(fold(limit * limit, LIMIT), (LIMIT, LIMIT));
}
