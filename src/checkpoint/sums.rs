//! How the manifest stores sums, so that they are read back to the bit.

/// `f64` as its shortest exact decimal text: serde_json reads a JSON number only to within a bit, and has no NaN.
pub(super) mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| D::Error::custom(format!("`{text}` is not a number")))
    }
}

/// A sum that is mostly a number of samples: a JSON number if it is whole, otherwise as in [`exact`].
pub(super) mod whole_or_exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Above this, `f64` does not hold every whole number.
    const MOST: f64 = (1u64 << 53) as f64;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Found {
        Whole(u64),
        Text(String),
    }

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match value.fract() == 0.0 && (0.0..MOST).contains(value) && value.is_sign_positive() {
            true => serializer.serialize_u64(*value as u64),
            false => super::exact::serialize(value, serializer),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Found::deserialize(deserializer)? {
            Found::Whole(count) => Ok(count as f64),
            Found::Text(text) => text
                .parse()
                .map_err(|_| D::Error::custom(format!("`{text}` is not a number"))),
        }
    }
}
