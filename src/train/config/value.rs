//! The types of values in a configuration: how each is typed after a flag, and which are a choice of names.

use std::path::PathBuf;

#[cfg(feature = "cli")]
use clap::builder::{EnumValueParser, ValueParser};
#[cfg(feature = "cli")]
use clap::{Arg, ArgAction, ArgMatches};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::names::{LossName, TaskName};
#[cfg(feature = "cli")]
use super::number::{list, real, whole};
use crate::data::table::Missing;
use crate::engine::Precision;
use crate::engine::tune::Tune;
use crate::optim::{OptimiserName, RateName};
use crate::sparse::Assignment;
use crate::topology::{MethodName, Scope};

/// The text for a value that follows from others.
pub(crate) const AUTO: &str = "auto";

/// A type of values.
pub(super) trait Value:
    Clone + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The names that it can have, if it is a choice.
    const CHOICES: &[&str] = &[];

    /// Whether it is written to a file: a value that is not set is not.
    fn is_set(&self) -> bool {
        true
    }

    /// A flag that takes it.
    #[cfg(feature = "cli")]
    fn flag(flag: Arg) -> Arg;

    /// The value given after its flag, if any.
    #[cfg(feature = "cli")]
    fn given(given: &ArgMatches, key: &str) -> Option<Self> {
        given.try_get_one(key).ok().flatten().cloned()
    }
}

impl<T: Value> Value for Option<T> {
    const CHOICES: &[&str] = T::CHOICES;

    fn is_set(&self) -> bool {
        self.is_some()
    }

    #[cfg(feature = "cli")]
    fn flag(flag: Arg) -> Arg {
        T::flag(flag)
    }

    #[cfg(feature = "cli")]
    fn given(given: &ArgMatches, key: &str) -> Option<Self> {
        T::given(given, key).map(Some)
    }
}

/// Values that are parsed from text.
macro_rules! values {
    ($($type:ty: $parser:expr $(, $choices:expr)?;)+) => {$(
        impl Value for $type {
            $(const CHOICES: &[&str] = $choices;)?

            #[cfg(feature = "cli")]
            fn flag(flag: Arg) -> Arg {
                flag.value_parser($parser)
            }
        }
    )+};
}

values! {
    String: ValueParser::string();
    PathBuf: ValueParser::path_buf();
    usize: whole::<usize>;
    u64: whole::<u64>;
    u32: whole::<u32>;
    f64: real;
    Vec<usize>: |text: &str| list(text, whole::<usize>);
    Vec<f64>: |text: &str| list(text, real);
    Assignment: EnumValueParser::<Assignment>::new(), Assignment::NAMES;
    Missing: EnumValueParser::<Missing>::new(), Missing::NAMES;
    MethodName: EnumValueParser::<MethodName>::new(), MethodName::NAMES;
    OptimiserName: EnumValueParser::<OptimiserName>::new(), OptimiserName::NAMES;
    RateName: EnumValueParser::<RateName>::new(), RateName::NAMES;
    Tune: EnumValueParser::<Tune>::new(), Tune::NAMES;
    Precision: EnumValueParser::<Precision>::new(), Precision::NAMES;
    TaskName: EnumValueParser::<TaskName>::new(), TaskName::NAMES;
    LossName: EnumValueParser::<LossName>::new(), LossName::NAMES;
    Scope: EnumValueParser::<Scope>::new(), Scope::NAMES;
}

impl Value for bool {
    /// It takes a value, so that `=false` can override a file, and is true without one.
    #[cfg(feature = "cli")]
    fn flag(flag: Arg) -> Arg {
        flag.action(ArgAction::Set)
            .value_parser(ValueParser::bool())
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .hide_possible_values(true)
    }
}
