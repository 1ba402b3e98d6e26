//! The methods that are built in.

use std::sync::Arc;

use super::cost::Cost;
use super::from_dense::{
    Gradual, Grasp, Lottery, Snip, Start, SynFlow, TOPKAST_BACKWARD, Thinning, TopKast,
};
use super::growth::{Distribution, Growth, Gse, NoGrowth, RigL, Set};
use super::method::Method;
use crate::error::{Error, Result};

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
