//! What was explored, in a checkpoint: pairs that were active once and no longer are.

use super::checked::Checked;
use crate::sparse::LayerState;

/// Connections of a layer that were active once and no longer are, as compressed sparse rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastConnections {
    /// `[n_out + 1]`: those of row b are `crow_indices[b]..crow_indices[b + 1]`.
    pub crow_indices: Vec<u32>,
    /// Their input units, rising within a row.
    pub col_indices: Vec<u32>,
}

/// Checks that the compressed rows fit each layer, and that none of their pairs is active.
pub(super) fn check(layers: &[LayerState], past: &[PastConnections]) -> Checked<()> {
    if layers.len() != past.len() {
        return Err(format!(
            "past connections of {} layers beside {}",
            past.len(),
            layers.len()
        ));
    }
    for (l, (layer, past)) in layers.iter().zip(past).enumerate() {
        check_layer(layer, past).map_err(|reason| format!("layer {l}: {reason}"))?;
    }
    Ok(())
}

fn check_layer(layer: &LayerState, past: &PastConnections) -> Checked<()> {
    let PastConnections {
        crow_indices: crow,
        col_indices: cols,
    } = past;
    let ends = (crow.first().copied(), crow.last().copied());
    if crow.len() != layer.n_out + 1
        || cols.len() > i32::MAX as usize
        || ends != (Some(0), Some(cols.len() as u32))
    {
        return Err(format!(
            "`past_crow_indices` must count the {} past connections of {} rows",
            cols.len(),
            layer.n_out
        ));
    }
    let rows = layer.crow_indices.windows(2).zip(crow.windows(2));
    for (b, (row, before)) in rows.enumerate() {
        let active = &layer.col_indices[row[0] as usize..row[1] as usize];
        let past = cols
            .get(before[0] as usize..before[1] as usize)
            .ok_or_else(|| format!("`past_crow_indices` goes wrong at row {b}"))?;
        let rises = past.windows(2).all(|pair| pair[0] < pair[1]);
        let fits = past.last().is_none_or(|&a| (a as usize) < layer.n_in);
        if !rises || !fits {
            return Err(format!(
                "`past_col_indices` does not increase below {} in row {b}",
                layer.n_in
            ));
        }
        if past.iter().any(|a| active.binary_search(a).is_ok()) {
            return Err(format!(
                "`past_col_indices` has an active connection in row {b}"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_past_connections() {
        let layer = LayerState {
            n_in: 4,
            n_out: 3,
            crow_indices: vec![0, 2, 2, 4],
            col_indices: vec![0, 3, 1, 2],
            ..LayerState::default()
        };
        let good = PastConnections {
            crow_indices: vec![0, 1, 3, 3],
            col_indices: vec![2, 0, 3],
        };
        check_layer(&layer, &good).unwrap();
        assert!(check(std::slice::from_ref(&layer), &[]).is_err());
        let refuse = |change: &dyn Fn(&mut PastConnections), expected: &str| {
            let mut past = good.clone();
            change(&mut past);
            let error = check_layer(&layer, &past).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        refuse(&|p| p.crow_indices = vec![0, 1, 3], "must count");
        refuse(&|p| p.crow_indices[3] = 2, "must count");
        refuse(&|p| p.crow_indices[0] = 1, "must count");
        refuse(&|p| p.crow_indices[1] = 9, "at row 0");
        refuse(&|p| p.crow_indices = vec![0, 3, 2, 3], "in row 0");
        refuse(&|p| p.col_indices[2] = 4, "below 4 in row 1");
        refuse(&|p| p.col_indices[2] = 0, "below 4 in row 1");
        refuse(&|p| p.col_indices[0] = 3, "active connection in row 0");
    }
}
