//! The text of a `config.toml`: every key with a comment. Values that follow from others appear only as comments, so
//! that they keep following them.

use super::section::Field;
use super::train_config::TrainConfig;
use crate::Result;

/// Width of the comments in columns.
const WIDTH: usize = 100;

impl TrainConfig {
    /// The text of `config.toml`: every key, including those with default values, under the headings of `--help` and
    /// with the same explanations. A key that is not set is a comment, with its present value if others decide it.
    ///
    /// # Errors
    /// A number that TOML cannot represent.
    pub fn to_toml(&self) -> Result<String> {
        let (values, derived) = (self.table()?, self.with_derived().table()?);
        let fields = Self::all_fields();
        let mut text = format!(
            "# rootlet {}; to repeat this run: rootlet train --config config.toml\n\
             # Values that follow from others stand in comments, and go on following them.\n",
            env!("CARGO_PKG_VERSION")
        );
        for heading in headings(&fields) {
            text += &format!("\n# {heading}\n");
            for field in fields.iter().filter(|field| field.heading == heading) {
                let key = field.key;
                text += &format!("\n{}", comment(field));
                text += &match (values.get(key), derived.get(key)) {
                    (Some(value), Some(here)) if value != here => {
                        format!("{key} = {value}  # here: {here}\n")
                    }
                    (Some(value), _) => format!("{key} = {value}\n"),
                    (None, Some(here)) => match self.why_usual(key) {
                        Some(why) => format!("# {key} = {here}  # {why}\n"),
                        None => format!("# {key} = {here}\n"),
                    },
                    (None, None) => format!("# {key} is not set\n"),
                };
            }
        }
        Ok(text)
    }
}

/// The headings of the fields, each once.
fn headings(fields: &[Field]) -> Vec<&'static str> {
    let mut headings = Vec::new();
    for field in fields {
        if !headings.contains(&field.heading) {
            headings.push(field.heading);
        }
    }
    headings
}

/// A field's explanation as lines of comment.
fn comment(field: &Field) -> String {
    let mut help = field.help.to_owned();
    if !field.choices.is_empty() {
        help += &format!(": {}", field.choices.join(", "));
    }
    let mut text = String::new();
    let mut line = String::from("#");
    for word in help.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            text += &line;
            text.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line += word;
    }
    text + &line + "\n"
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// This holds also in a build without the command line, whose help says the same.
    #[test]
    fn every_key_is_explained_and_read_back() {
        let config = TrainConfig::default();
        let text = config.to_toml().unwrap();
        for field in TrainConfig::all_fields() {
            let explained = format!("{}# {}", comment(&field), field.key);
            let set = explained.replace(&format!("# {}", field.key), &format!("{} = ", field.key));
            assert!(
                text.contains(&explained) || text.contains(&set),
                "{}",
                field.key
            );
        }
        assert!(text.contains(": static, set, rigl, "), "{text}");
        assert_eq!(
            TrainConfig::from_toml(&text, Path::new("config.toml")).unwrap(),
            config
        );
    }
}
