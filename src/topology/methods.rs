//! The list of the built-in methods: each one's name, its description in a line, and its constructor.

use std::str::FromStr;
use std::sync::Arc;

use super::cost::Cost;
use super::from_dense::{
    Gradual, Grasp, Lottery, Snip, Start, SynFlow, TOPKAST_BACKWARD, Thinning, TopKast,
};
use super::growth::{Distribution, Growth, Gse, NoGrowth, RigL, Set};
use super::method::Method;
use crate::choice::choice;
use crate::error::{Error, Result};

/// The options of some methods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MethodOptions {
    /// Number of prunings of the lottery.
    pub lottery_cycles: u32,
    /// Number of connections that topkast trains for each one that its forward pass uses.
    pub topkast_backward: f64,
}

impl Default for MethodOptions {
    fn default() -> Self {
        Self {
            lottery_cycles: 3,
            topkast_backward: TOPKAST_BACKWARD,
        }
    }
}

/// Declares the methods: a choice of names, and a constructor for each.
macro_rules! methods {
    ($($(#[doc = $about:literal])+ $variant:ident $([$short:literal])? = $name:expr => $make:expr;)+) => {
        choice! {
            /// A built-in method.
            pub enum MethodName {
                $($(#[doc = $about])+ $variant $([$short])? = $name,)+
            }
        }

        impl MethodName {
            /// Makes the method.
            pub fn build(self, options: &MethodOptions) -> Box<dyn Method> {
                match self {
                    $(MethodName::$variant => method_of($make, self.name(), options),)+
                }
            }
        }
    };
}

methods! {
    /// The initial graph stays as it is
    Static = "static" => |name, _| Growing::by(name, NoGrowth);
    /// Prune the smallest weights, grow at random
    Set = "set" => |name, _| Growing::by(name, Set);
    /// Prune the smallest weights, grow those of the largest gradient among all pairs
    Rigl = "rigl" => |name, _| Growing::by(name, RigL);
    /// Guided stochastic exploration, candidates drawn uniformly; gse for short
    GseUniform ["gse"] = "gse-uniform" => |name, _| Growing::by(name, Gse(Distribution::Uniform));
    /// The same, drawn by the upper bound of the gradient
    GseGrabo = "gse-grabo" => |name, _| Growing::by(name, Gse(Distribution::GraBo));
    /// The same, drawn by an unbiased estimate of the gradient
    GseGraest = "gse-graest" => |name, _| Growing::by(name, Gse(Distribution::GraEst));
    /// Before the first step, keep the connections of a dense network of the largest |gradient × weight|
    Snip = Snip::NAME => |_, _| Snip;
    /// The same, those that preserve the gradient flow
    Grasp = Grasp::NAME => |_, _| Grasp;
    /// The same, those of the largest synaptic flow: needs no data
    Synflow = SynFlow::NAME => |_, _| SynFlow;
    /// Dense at first, pruned by magnitude as it trains
    Gradual = Gradual::NAME => |_, _| Gradual;
    /// Dense to the end, pruned by magnitude, set back to the beginning and trained again (--lottery-cycles)
    Lottery = Lottery::NAME => |_, options| Lottery { cycles: options.lottery_cycles };
    /// The forward pass uses the largest weights, gradients are computed for more (--topkast-backward), chosen from
    /// dense ones
    Topkast = TopKast::NAME => |_, options| TopKast { backward: options.topkast_backward };
    /// All connections, whatever --sparsity says
    Dense = Dense::NAME => |_, _| Dense;
}

/// Makes a method.
fn method_of<M: Method + 'static>(
    make: impl Fn(&'static str, &MethodOptions) -> M,
    name: &'static str,
    options: &MethodOptions,
) -> Box<dyn Method> {
    Box::new(make(name, options))
}

impl FromStr for MethodName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::named(name).ok_or_else(|| Error::Unknown {
            what: "method",
            name: name.to_owned(),
            known: Self::NAMES.join(", "),
        })
    }
}

/// The built-in methods.
pub fn methods() -> Vec<Box<dyn Method>> {
    let all = MethodName::ALL.iter();
    all.map(|name| name.build(&MethodOptions::default()))
        .collect()
}

/// A built-in method by name.
///
/// # Errors
/// An unknown name: the message lists the known ones.
pub fn method(name: &str) -> Result<Box<dyn Method>> {
    Ok(name.parse::<MethodName>()?.build(&MethodOptions::default()))
}

/// A method that begins with a random graph and grows by a rule, as most do.
struct Growing {
    name: &'static str,
    growth: Arc<dyn Growth>,
}

impl Growing {
    fn by(name: &'static str, growth: impl Growth + 'static) -> Self {
        Growing {
            name,
            growth: Arc::new(growth),
        }
    }
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

impl Dense {
    const NAME: &str = "dense";
}

impl Thinning for Dense {}

impl Method for Dense {
    fn name(&self) -> &str {
        Self::NAME
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
