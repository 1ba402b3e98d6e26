//! Which layers of a model are so dense that dense products are faster, as measured on an adapter.

use crate::cache::Crossovers;
use crate::dense::ABOVE_GPU;
use crate::error::option::DENSE_ABOVE;
use crate::model::Model;
use crate::network::{NetworkOptions, layer_classes};
use crate::words::{counted, listed};

/// A remark about the layers of `model`, with `counts` connections, whose products are sparse but would be faster
/// densely; none if there are no such layers. `crossovers` were measured on `adapter`, a GPU. Of the options, only the
/// batch, the storage of activations and the density of dense layers matter.
pub fn denser_text(
    adapter: &str,
    crossovers: &Crossovers,
    model: &Model,
    counts: &[u64],
    options: &NetworkOptions,
) -> Option<String> {
    let above = options.dense_above.unwrap_or(ABOVE_GPU);
    let layers = model.sparse();
    let classes = layer_classes(model, options);
    let mut denser = Vec::new();
    for ((layer, class), &count) in layers.iter().zip(&classes).zip(counts) {
        let density = count as f64 / (layer.shape.dense() as f64).max(1.0);
        let crossover = crossovers.of(class).unwrap_or(0.0);
        if count > 0 && density < above && 1.0 - density < crossover {
            let sparse = 100.0 * (1.0 - density);
            let below = match crossover {
                1.0 => "at any sparsity".to_owned(),
                _ => format!("below {:.1} %", 100.0 * crossover),
            };
            denser.push(format!(
                "{} is {sparse:.1} % sparse, dense is faster {below}",
                layer.name
            ));
        }
    }
    let number = denser.len() as u64;
    (number > 0).then(|| {
        format!(
            "on {adapter}, dense products were measured as faster for {}: {}; {DENSE_ABOVE} is the density from which on \
             layers are computed densely",
            counted(number, "layer"),
            listed(number, denser)
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layer::Extent;
    use crate::model::mlp;

    #[test]
    fn only_layers_that_are_denser_than_their_crossover_are_named() {
        let model = mlp(Extent::vector(100), &[50, 40], 10).unwrap();
        let options = NetworkOptions::of_batch(8);
        let classes = layer_classes(&model, &options);
        let known = [Some(0.93), Some(0.79), None];
        let crossovers = Crossovers::from_iter(classes.into_iter().zip(known));
        // 80 % sparse each.
        let counts = [1000, 400, 80];
        let text =
            |options: &NetworkOptions| denser_text("a GPU", &crossovers, &model, &counts, options);
        let told = text(&options).unwrap();
        assert!(
            told.starts_with("on a GPU, ") && told.contains("for 1 layer: "),
            "{told}"
        );
        assert!(
            told.contains("is 80.0 % sparse, dense is faster below 93.0 %"),
            "{told}"
        );
        // Computed densely already, or measured for other batches.
        let dense = NetworkOptions {
            dense_above: Some(0.2),
            ..options
        };
        assert_eq!(text(&dense), None);
        assert_eq!(text(&NetworkOptions::of_batch(16)), None);
    }
}
