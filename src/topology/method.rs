//! Methods: what begins, and how connections grow. Each is a name, a growth rule, and the network that it begins with.

use std::sync::Arc;

use super::cost::Cost;
use super::from_dense::{
    Gradual, Grasp, Lottery, Snip, Start, SynFlow, TOPKAST_BACKWARD, Thinning, TopKast,
};
use super::growth::{Distribution, Growth, Gse, NoGrowth, RigL, Set};
use crate::error::{Error, Result};

/// A method of sparse training.
pub trait Method: Send + Sync {
    /// Its name, as users write it.
    fn name(&self) -> &str;

    /// How its rounds grow connections: not at all, for a method without rounds.
    fn growth(&self) -> Arc<dyn Growth> {
        Arc::new(NoGrowth)
    }

    /// The network that it begins with: for always-sparse methods a random one.
    fn start(&self) -> Start<'_> {
        Start::Random
    }

    /// What its training computes besides steps and rounds, as its paper runs it: for the count of floating-point operations.
    fn cost(&self) -> Cost {
        Cost::SPARSE
    }
}

/// Prunings of the method `lottery`, where no other number is asked for.
pub const LOTTERY_CYCLES: u32 = 3;

/// The built-in methods.
pub fn methods() -> [Box<dyn Method>; 13] {
    let growing =
        |name, growth: Arc<dyn Growth>| -> Box<dyn Method> { Box::new(Growing { name, growth }) };
    [
        growing("static", Arc::new(NoGrowth)),
        growing("set", Arc::new(Set)),
        growing("rigl", Arc::new(RigL)),
        growing("gse-uniform", Arc::new(Gse(Distribution::Uniform))),
        growing("gse-grabo", Arc::new(Gse(Distribution::GraBo))),
        growing("gse-graest", Arc::new(Gse(Distribution::GraEst))),
        Box::new(Snip),
        Box::new(Grasp),
        Box::new(SynFlow),
        Box::new(Gradual),
        Box::new(Lottery {
            cycles: LOTTERY_CYCLES,
        }),
        Box::new(TopKast {
            backward: TOPKAST_BACKWARD,
        }),
        Box::new(Dense),
    ]
}

/// Names of the built-in methods.
pub fn method_names() -> Vec<String> {
    let methods = methods();
    methods.iter().map(|m| m.name().to_owned()).collect()
}

/// A built-in method by name.
///
/// # Errors
/// An unknown name: the message lists the known ones.
pub fn method(name: &str) -> Result<Box<dyn Method>> {
    let found = methods().into_iter().find(|method| method.name() == name);
    found.ok_or_else(|| {
        let known = method_names().join(", ");
        Error::Usage(format!("unknown method `{name}`; known: {known}"))
    })
}

/// A method that begins with a random graph and grows by a rule: what most are.
struct Growing {
    name: &'static str,
    growth: Arc<dyn Growth>,
}

impl Method for Growing {
    fn name(&self) -> &str {
        self.name
    }

    fn growth(&self) -> Arc<dyn Growth> {
        self.growth.clone()
    }
}

/// All connections, all the time.
struct Dense;

impl Thinning for Dense {}

impl Method for Dense {
    fn name(&self) -> &str {
        "dense"
    }

    fn start(&self) -> Start<'_> {
        Start::Dense(self)
    }

    fn cost(&self) -> Cost {
        Cost {
            dense_share: 1.0,
            ..Cost::SPARSE
        }
    }
}
