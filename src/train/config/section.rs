//! Sections: the parts of a configuration. Each declares its fields in one table, which says everything about a field:
//! its name, type, default, flag, explanation, what happens to it when a run continues, and when it has no effect.

use serde::de::MapAccess;
use serde::ser::SerializeMap;

use super::context::Context;
use crate::Result;

/// What is known of a field before it has a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Its key in `config.toml`. With dashes it is the flag.
    pub key: &'static str,
    /// The heading above it, in the help and in the file.
    pub heading: &'static str,
    /// Its explanation.
    pub help: &'static str,
    /// The name of its value in the help.
    pub value_name: &'static str,
    /// The names that it can have, if it is a choice.
    pub choices: &'static [&'static str],
    /// What may happen to it when a run continues.
    pub on_resume: OnResume,
}

/// What a run that continues from a checkpoint may do with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnResume {
    /// Not change it: the checkpoint depends on it.
    Fixed,
    /// Change it; the rest of the training then differs from what came before, which is reported.
    Noted,
    /// Change it: the result does not depend on it, apart from how long the run is trained and what is reported.
    Free,
    /// Change it: it concerns only the machine that trains.
    Host,
}

/// A part of a configuration, or all of it.
pub(super) trait Section: Default {
    /// Its fields, in the order of the help.
    fn fields() -> Vec<Field>;

    /// Writes every value that is set.
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;

    /// Reads the value of a key, if the key belongs to it.
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error>;

    /// Why a value has no effect; `None` if it has one, or does not belong to it.
    fn why_idle(&self, key: &str, context: &Context<'_>) -> Option<String>;

    /// Its flags, in the order of its fields.
    #[cfg(feature = "cli")]
    fn flags() -> Vec<clap::Arg>;

    /// Takes the values of the flags that were given.
    #[cfg(feature = "cli")]
    fn take(&mut self, given: &clap::ArgMatches);
}

/// Declares a section. Each field has:
///
/// - its explanation, as a comment: it is the help, the comment in the file, and the documentation;
/// - name, type and default; `as "key"` if its key differs from its name;
/// - the name of the flag's value, with an `alias` of the flag or a variable of the environment (`env`);
/// - `on resume`: `Fixed`, `Noted`, `Free` or `Host` ([`OnResume`]);
/// - `idle`: the section's function that says why it has no effect, if it can be without one.
macro_rules! section {
    (
        $(#[$about:meta])*
        pub struct $section:ident in $heading:literal {
            $(
                $(#[doc = $help:literal])+
                $field:ident $(as $key:literal)?: $type:ty = $default:expr,
                    $value_name:ident $(alias $alias:literal)? $(env $env:literal)?,
                    on resume $on_resume:ident $(, idle $idle:ident)?;
            )+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $section {
            $($(#[doc = $help])+ pub $field: $type,)+
        }

        impl Default for $section {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $crate::train::config::section::Section for $section {
            fn fields() -> Vec<$crate::train::config::section::Field> {
                use $crate::train::config::section::{Field, OnResume};
                use $crate::train::config::value::Value;
                vec![$(Field {
                    key: $crate::train::config::section::key!($field $(as $key)?),
                    heading: $heading,
                    help: concat!($($help),+).trim_start(),
                    value_name: stringify!($value_name),
                    choices: <$type as Value>::CHOICES,
                    on_resume: OnResume::$on_resume,
                }),+]
            }

            fn write<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                use $crate::train::config::value::Value;
                $(if self.$field.is_set() {
                    let key = $crate::train::config::section::key!($field $(as $key)?);
                    map.serialize_entry(key, &self.$field)?;
                })+
                Ok(())
            }

            fn read<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                key: &str,
                map: &mut A,
            ) -> Result<bool, A::Error> {
                $(if key == $crate::train::config::section::key!($field $(as $key)?) {
                    self.$field = map.next_value()?;
                    return Ok(true);
                })+
                Ok(false)
            }

            #[allow(unused_variables)] // of a section whose fields always have an effect
            fn why_idle(
                &self,
                key: &str,
                context: &$crate::train::config::context::Context<'_>,
            ) -> Option<String> {
                $({
                    let own = $crate::train::config::section::key!($field $(as $key)?);
                    $(if key == own {
                        return self.$idle(context);
                    })?
                })+
                None
            }

            #[cfg(feature = "cli")]
            fn flags() -> Vec<clap::Arg> {
                use $crate::train::config::value::Value;
                let flags = [$(
                    <$type as Value>::flag as fn(clap::Arg) -> clap::Arg
                ),+];
                let more: [fn(clap::Arg) -> clap::Arg; _] = [$(
                    |flag| flag $(.visible_alias($alias))? $(.env($env))?
                ),+];
                let fields = Self::fields().into_iter().zip(flags).zip(more);
                fields.map(|((field, flag), more)| more(flag(field.flag()))).collect()
            }

            #[cfg(feature = "cli")]
            fn take(&mut self, given: &clap::ArgMatches) {
                use $crate::train::config::value::Value;
                $({
                    let key = $crate::train::config::section::key!($field $(as $key)?);
                    if let Some(value) = <$type as Value>::given(given, key) {
                        self.$field = value;
                    }
                })+
            }
        }
    };
}
pub(super) use section;

/// A field's key.
macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident as $key:literal) => {
        $key
    };
}
pub(super) use key;

/// Declares what is made of sections, and is itself a section.
macro_rules! sections {
    (
        $(#[$about:meta])*
        pub struct $whole:ident {
            $($(#[doc = $help:literal])+ $part:ident: $section:ty,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $whole {
            $($(#[doc = $help])+ pub $part: $section,)+
        }

        impl $crate::train::config::section::Section for $whole {
            fn fields() -> Vec<$crate::train::config::section::Field> {
                [$(<$section>::fields()),+].concat()
            }

            fn write<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                $(self.$part.write(map)?;)+
                Ok(())
            }

            fn read<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                key: &str,
                map: &mut A,
            ) -> Result<bool, A::Error> {
                Ok($(self.$part.read(key, map)? ||)+ false)
            }

            fn why_idle(
                &self,
                key: &str,
                context: &$crate::train::config::context::Context<'_>,
            ) -> Option<String> {
                None$(.or_else(|| self.$part.why_idle(key, context)))+
            }

            #[cfg(feature = "cli")]
            fn flags() -> Vec<clap::Arg> {
                [$(<$section>::flags()),+].concat()
            }

            #[cfg(feature = "cli")]
            fn take(&mut self, given: &clap::ArgMatches) {
                $(self.$part.take(given);)+
            }
        }
    };
}
pub(super) use sections;
