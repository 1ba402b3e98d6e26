//! A result of an evaluation: a number with its name.

/// A number that an evaluation reports.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Its name: "RMSE".
    pub name: &'static str,
    /// The number.
    pub value: f64,
    /// Whether higher is better.
    pub higher_is_better: bool,
}

impl Measure {
    /// A number for which higher is better, if there is one.
    pub(super) fn higher(name: &'static str, value: Option<f64>) -> Option<Self> {
        value.map(|value| Measure {
            name,
            value,
            higher_is_better: true,
        })
    }

    /// A number for which lower is better, if there is one.
    pub(super) fn lower(name: &'static str, value: Option<f64>) -> Option<Self> {
        Self::higher(name, value).map(|measure| Measure {
            higher_is_better: false,
            ..measure
        })
    }
}
