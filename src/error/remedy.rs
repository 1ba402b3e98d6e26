//! What a user can do about something that does not fit, as data. Each program words it with its own names for the
//! options.

/// One way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A larger value of the option, as in `Higher("sparsity")`.
    Higher(&'static str),
    /// A smaller value of the option, as in `Smaller("batch")`.
    Smaller(&'static str),
    /// Another value of the option, as in `Another("adapter")`.
    Another(&'static str),
    /// Images of fewer pixels.
    SmallerImages,
}

/// Ways out, the one most likely to help first; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remedies(pub &'static [Remedy]);

impl Remedies {
    /// What helps if connections and activations take too much memory.
    pub const MEMORY: Self = Self(&[
        Remedy::Higher("sparsity"),
        Remedy::Smaller("hidden"),
        Remedy::Smaller("batch"),
    ]);
    /// The same, if it is the memory of one of several adapters.
    pub const DEVICE_MEMORY: Self = Self(&[
        Remedy::Higher("sparsity"),
        Remedy::Smaller("hidden"),
        Remedy::Smaller("batch"),
        Remedy::Another("adapter"),
    ]);
    /// What helps if the activations of a single image do not fit.
    pub const ONE_IMAGE: Self = Self(&[
        Remedy::SmallerImages,
        Remedy::Smaller("width"),
        Remedy::Another("adapter"),
    ]);

    /// "a higher `sparsity`, a smaller `batch` or another `adapter`", with options named by `name`.
    pub fn message(self, name: impl Fn(&str) -> String) -> String {
        let ways: Vec<String> = (self.0.iter())
            .map(|remedy| match remedy {
                Remedy::Higher(option) => format!("a higher {}", name(option)),
                Remedy::Smaller(option) => format!("a smaller {}", name(option)),
                Remedy::Another(option) => format!("another {}", name(option)),
                Remedy::SmallerImages => "smaller images".to_owned(),
            })
            .collect();
        match ways.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
            _ => ways.concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn each_program_names_options_its_own_way() {
        let error = Error::Limit {
            buffer: "connections".into(),
            bytes: 8,
            limit: 4,
            what: "a limit".into(),
            remedies: Remedies::ONE_IMAGE,
        };
        let library = "buffer `connections` needs 8 bytes, more than a limit of 4 bytes; use smaller images, a smaller \
                       `width` or another `adapter`";
        assert_eq!(error.to_string(), library);
        let flags = error.message(|option| format!("--{option}"));
        assert!(
            flags.ends_with("a smaller --width or another --adapter"),
            "{flags}"
        );
        assert_eq!(
            Remedies(&[Remedy::Higher("lr")]).message(str::to_owned),
            "a higher lr"
        );
    }
}
