//! Values that are one of a few names, such as a method's. Text, files and flags all take the names from one list.

/// Declares an enum whose variants each have a name and an explanation, written once.
///
/// The enum has `NAMES`, `ALL`, `name()` and `about()`. A short name in brackets before `=` is understood too. In text and in files it is written as its name; on a command
/// line, the help shows its explanations.
macro_rules! choice {
    (
        $(#[$about:meta])*
        pub enum $choice:ident {
            $($(#[doc = $help:literal])+ $variant:ident $([$short:literal])? = $name:expr,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $choice {
            $($(#[doc = $help])+ $variant,)+
        }

        impl $choice {
            /// The names of all variants.
            pub const NAMES: &[&str] = &[$($name),+];

            /// All variants, in the order of their names.
            pub const ALL: [$choice; $choice::NAMES.len()] = [$($choice::$variant),+];

            /// Its name.
            pub fn name(self) -> &'static str {
                Self::NAMES[self as usize]
            }

            /// An explanation in one line.
            pub fn about(self) -> &'static str {
                match self {
                    $($choice::$variant => concat!($($help),+).trim_start(),)+
                }
            }

            /// A shorter name that is understood too, if there is one.
            pub fn short_name(self) -> Option<&'static str> {
                match self {
                    $($choice::$variant => None$(.or(Some($short)))?,)+
                }
            }

            /// The variant with this name.
            pub fn named(name: &str) -> Option<Self> {
                let is_named = |one: &Self| one.name() == name || one.short_name() == Some(name);
                Self::ALL.into_iter().find(is_named)
            }
        }

        impl std::fmt::Display for $choice {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl serde::Serialize for $choice {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $choice {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                let unknown = || serde::de::Error::unknown_variant(&name, Self::NAMES);
                Self::named(&name).ok_or_else(unknown)
            }
        }

        #[cfg(feature = "cli")]
        impl clap::ValueEnum for $choice {
            fn value_variants<'a>() -> &'a [Self] {
                &Self::ALL
            }

            fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
                let value = clap::builder::PossibleValue::new(self.name()).help(self.about());
                Some(value.aliases(self.short_name()))
            }
        }
    };
}
pub(crate) use choice;
