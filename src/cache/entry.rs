//! What `tuned.json` says of one adapter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::KnownAdapter;
use crate::engine::WorkgroupShape;
use crate::engine::tune::Choices;
use crate::kernels::kernels;

/// What is known of one adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    #[serde(flatten)]
    pub adapter: KnownAdapter,
    /// The name of the shape, by class.
    pub shapes: BTreeMap<String, String>,
    /// By class of a model's step: `fused` or `apart`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, String>,
    /// By class of a layer: the sparsity below which its dense products are faster; none if they never are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub crossovers: BTreeMap<String, Option<f64>>,
}

impl Entry {
    /// An adapter of which nothing is known.
    pub fn of(adapter: KnownAdapter) -> Self {
        Entry {
            adapter,
            shapes: BTreeMap::new(),
            steps: BTreeMap::new(),
            crossovers: BTreeMap::new(),
        }
    }

    /// What a device with this base shape can use of it: its choices, and the rest. Also describes what is invalid.
    pub fn usable(self, base: WorkgroupShape) -> (Choices, Known, Vec<String>) {
        let (choices, mut unknown) = usable(self.shapes.clone(), base);
        let mut steps = Steps::default();
        for (class, name) in &self.steps {
            match FUSED.iter().find(|(_, known)| known == name) {
                Some((fused, _)) => {
                    steps.0.insert(class.clone(), *fused);
                }
                None => unknown.push(format!("{name} for `{class}`")),
            }
        }
        let (crossovers, impossible) = self.crossovers();
        unknown.extend(impossible);
        (choices, Known { steps, crossovers }, unknown)
    }

    /// Its crossovers, and descriptions of those that are no sparsities.
    pub fn crossovers(self) -> (Crossovers, Vec<String>) {
        let possible = |crossover: &Option<f64>| {
            crossover.is_none_or(|sparsity| (0.0..=1.0).contains(&sparsity))
        };
        let (known, impossible): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (self.crossovers.into_iter()).partition(|(_, crossover)| possible(crossover));
        let text = |(class, crossover): (String, Option<f64>)| {
            format!(
                "a sparsity of {} for `{class}`",
                crossover.unwrap_or(f64::NAN)
            )
        };
        (
            Crossovers(known),
            impossible.into_iter().map(text).collect(),
        )
    }
}

/// Below which sparsity the dense products of layers are faster on an adapter, as measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Crossovers(BTreeMap<String, Option<f64>>);

impl Crossovers {
    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sparsity for a layer of this [class](crate::network::layer_classes); none if it was not measured, or if
    /// dense products are never faster.
    pub fn of(&self, class: &str) -> Option<f64> {
        self.0.get(class).copied().flatten()
    }
}

impl FromIterator<(String, Option<f64>)> for Crossovers {
    fn from_iter<I: IntoIterator<Item = (String, Option<f64>)>>(found: I) -> Self {
        Crossovers(found.into_iter().collect())
    }
}

/// What a device's adapter is known for.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// For steps, which a training adopts when it begins.
    pub steps: Steps,
    /// For layers.
    pub crossovers: Crossovers,
}

/// The names for steps with fused kernels and without.
pub(super) const FUSED: [(bool, &str); 2] = [(true, "fused"), (false, "apart")];

/// Whether the kernels of models are fused, as measured on an adapter.
#[derive(Clone, Debug, Default)]
pub struct Steps(BTreeMap<String, bool>);

impl Steps {
    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The choice for a model's step of this [class](crate::network::step_class); none if it was not measured.
    pub fn fused(&self, class: &str) -> Option<bool> {
        self.0.get(class).copied()
    }
}

/// The choices that a file's shapes stand for on an adapter with this base shape, and descriptions of the invalid ones.
fn usable(shapes: BTreeMap<String, String>, base: WorkgroupShape) -> (Choices, Vec<String>) {
    let kernels = kernels();
    let (mut choices, mut unknown) = (Choices::new(), Vec::new());
    for (class, name) in shapes {
        let of_class = class.split(' ').next();
        let kernel = kernels.iter().find(|kernel| Some(kernel.name) == of_class);
        // For a kernel from outside the crate, the device checks this when it runs.
        let has = |shape: &WorkgroupShape| {
            kernel.is_none_or(|kernel| kernel.shapes(base).any(|has| has == *shape))
        };
        match WorkgroupShape::named(base.family, &name).filter(has) {
            Some(shape) => {
                choices.insert(class, shape);
            }
            None => unknown.push(format!("{name} for `{class}`")),
        }
    }
    (choices, unknown)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn crossovers_that_are_no_sparsities_are_told() {
        let mut known = Entry::of(KnownAdapter::sample("a"));
        let crossovers = [
            ("a", Some(0.0)),
            ("b", Some(1.5)),
            ("c", None),
            ("d", Some(-0.1)),
        ];
        known.crossovers = crossovers
            .map(|(class, sparsity)| (class.into(), sparsity))
            .into();
        let (crossovers, told) = known.crossovers();
        assert_eq!(
            told,
            ["a sparsity of 1.5 for `b`", "a sparsity of -0.1 for `d`"]
        );
        let found = ["a", "b", "c", "e"].map(|class| crossovers.of(class));
        assert_eq!(found, [Some(0.0), None, None, None]);
    }

    #[test]
    fn shapes_that_a_kernel_does_not_have_are_told() {
        let shapes = [
            ("sparse/spmm rows=1", "8x16"),
            ("sparse/spmm rows=2", "99x99"),
            ("sparse/spmm rows=3", "wide"),
            ("mine/own rows=4", "99x99"),
        ];
        let shapes = shapes.map(|(class, shape)| (class.to_owned(), shape.to_owned()));
        let (choices, unknown) = usable(shapes.into(), WorkgroupShape::HARDWARE);
        let classes: Vec<&String> = choices.keys().collect();
        assert_eq!(classes, ["mine/own rows=4", "sparse/spmm rows=1"]);
        assert_eq!(
            unknown,
            [
                "99x99 for `sparse/spmm rows=2`",
                "wide for `sparse/spmm rows=3`"
            ]
        );
    }
}
