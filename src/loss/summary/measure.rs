//! What an evaluation tells: a number with its name.

/// A number that an evaluation tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// What it is: "RMSE".
    pub name: &'static str,
    /// The number.
    pub value: f64,
    /// Whether a higher one is better.
    pub higher_is_better: bool,
}

impl Measure {
    /// One of which higher ones are better, if there is one.
    pub(super) fn higher(name: &'static str, value: Option<f64>) -> Option<Self> {
        value.map(|value| Measure {
            name,
            value,
            higher_is_better: true,
        })
    }

    /// One of which lower ones are better, if there is one.
    pub(super) fn lower(name: &'static str, value: Option<f64>) -> Option<Self> {
        Self::higher(name, value).map(|measure| Measure {
            higher_is_better: false,
            ..measure
        })
    }
}
