//! How much worse a network becomes if a column's values are shuffled among the rows.

use super::shuffled::{Shuffled, order};
use super::strength::ColumnStrength;
use crate::data::{Dataset, LoaderOptions};
use crate::engine::Device;
use crate::error::{Error, Result};
use crate::network::Network;
use crate::train::evaluate_whole;

/// How columns are shuffled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermutationOptions {
    /// How often each column is shuffled.
    pub repeats: usize,
    /// Seed of the orders.
    pub seed: u32,
    /// Most columns that are shuffled: those with the strongest connections. For the others nothing is measured.
    pub columns: usize,
}

impl Default for PermutationOptions {
    fn default() -> Self {
        Self {
            repeats: 10,
            seed: 0,
            columns: 100,
        }
    }
}

/// By how much a number became worse, over some repeats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drop {
    /// The mean.
    pub mean: f64,
    /// The standard deviation over the repeats.
    pub deviation: f64,
}

/// What the columns of a table are worth to a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// The number by which the network is judged.
    pub metric: String,
    /// That number for the rows as they are.
    pub baseline: f64,
    /// How many rows there are.
    pub rows: usize,
    /// For each column, by how much that number becomes worse if the column is shuffled: positive if the network is
    /// worse off. `None` if that was not measured.
    pub drops: Vec<Option<Drop>>,
}

/// Shuffles the columns of the test part of `data` one by one, and evaluates the network each time: Breiman 2001, as
/// Fisher, Rudin and Dominici 2019 have it for any model. The number that is compared is `metric`, as
/// [`best_metric`](crate::train::config::RunConfig::best_metric) names it. `each` is called after each evaluation.
///
/// # Errors
/// There are no rows, no columns to shuffle or no repeats, the data have another form, the evaluation does not tell that number, or the device
/// is lost.
pub fn permutation_importance(
    device: &Device,
    network: &Network,
    data: &Dataset,
    columns: &[ColumnStrength],
    metric: &str,
    options: PermutationOptions,
    each: &mut dyn FnMut(),
) -> Result<Importance> {
    for (option, count) in [("repeats", options.repeats), ("columns", options.columns)] {
        if count == 0 {
            return Err(Error::Value {
                option,
                must: "must be at least 1".to_owned(),
                value: "0".to_owned(),
            });
        }
    }
    if data.test.is_empty() {
        return Err(Error::Nothing {
            what: format!("shuffled: {} has no rows in that part", data.name),
        });
    }
    let judge = |data: &Dataset| -> Result<(String, f64, bool)> {
        let batches = LoaderOptions::of_batch(network.micro_batch());
        let (told, _) = evaluate_whole(device, network, data, batches)?;
        let (name, value, higher_is_better) =
            told.judged_by(metric).ok_or_else(|| Error::Nothing {
                what: format!("told of {metric} by this part of the data"),
            })?;
        Ok((name, f64::from(value), higher_is_better))
    };
    let (name, baseline, higher_is_better) = judge(data)?;
    each();
    let mut drops = vec![None; columns.len()];
    for column in strongest(columns, options.columns) {
        let mut found = Vec::with_capacity(options.repeats);
        for repeat in 0..options.repeats {
            let shuffled = Dataset {
                test: Shuffled {
                    samples: data.test.clone(),
                    inputs: columns[column].inputs.clone(),
                    order: order(data.test.len(), options.seed, repeat as u32, column as u32),
                }
                .into(),
                ..data.clone()
            };
            let (_, value, _) = judge(&shuffled)?;
            found.push(match higher_is_better {
                true => baseline - value,
                false => value - baseline,
            });
            each();
        }
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        let variance = found.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / found.len() as f64;
        drops[column] = Some(Drop {
            mean,
            deviation: variance.sqrt(),
        });
    }
    Ok(Importance {
        metric: name,
        baseline,
        rows: data.test.len(),
        drops,
    })
}

/// The `most` columns with the strongest connections, in their own order.
fn strongest(columns: &[ColumnStrength], most: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..columns.len()).collect();
    let strength = |column: usize| columns[column].all.strength;
    all.sort_by(|&a, &b| strength(b).total_cmp(&strength(a)).then(a.cmp(&b)));
    all.truncate(most);
    all.sort_unstable();
    all
}
