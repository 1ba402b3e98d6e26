//! The meaning of `class_weights`: a value, or a file that it names.

use std::path::{Path, PathBuf};

use crate::bounds::check;
use crate::error::option::CLASS_WEIGHTS;
use crate::files;
use crate::{Error, Result};

/// The values for no class weights, and for weights that make classes count the same.
pub(super) const NONE: &str = "none";
const BALANCED: &str = "balanced";

const MUST: &str = "must be none, balanced, a number for each class, 0 or above and one of them above, as in 1,2.5,1, \
                    or a file of them";

/// The meaning of `class_weights`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ClassWeights {
    None,
    Balanced,
    /// In the order of the classes.
    Given(Vec<f32>),
    /// One line per class.
    File(PathBuf),
}

impl ClassWeights {
    /// Text without a number is the path of a file.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        match text {
            NONE => return Ok(ClassWeights::None),
            BALANCED => return Ok(ClassWeights::Balanced),
            _ => {}
        }
        let numbers: Vec<Option<f32>> = text.split(',').map(|n| n.trim().parse().ok()).collect();
        if !text.is_empty() && numbers.iter().all(Option::is_none) {
            return Ok(ClassWeights::File(text.into()));
        }
        let weights: Option<Vec<f32>> = numbers.into_iter().collect();
        let weights = weights.filter(|weights| weights.iter().copied().all(is_weight));
        check(
            weights.as_ref().is_some_and(|w| w.iter().any(|w| *w > 0.0)),
            "class_weights",
            MUST,
            text,
        )?;
        Ok(ClassWeights::Given(weights.unwrap_or_default()))
    }
}

fn is_weight(weight: f32) -> bool {
    weight.is_finite() && weight >= 0.0
}

/// The weights in a file: one line per class with its name (or its number, counted from 0) and its weight after a
/// space, a tab or a comma, in any order. Empty lines and lines that begin with # are ignored.
///
/// # Errors
/// The file cannot be read, a line is not a class with a weight, or a class has no weight or two.
pub(crate) fn read_class_weights(
    path: &Path,
    names: &[String],
    classes: usize,
) -> Result<Vec<f32>> {
    let wrong = |reason: String| Error::Data {
        path: path.to_owned(),
        reason: format!("{CLASS_WEIGHTS}: {reason}"),
    };
    check(path.exists(), "class_weights", MUST, path.display())?;
    let text = files::read_text(path, files::Most::TYPED)?;
    let mut weights = vec![None; classes];
    for (at, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts = line.rsplit_once([',', ' ', '\t']);
        let parts = parts.and_then(|(class, weight)| {
            let weight: f32 = weight.trim().parse().ok()?;
            let class = class.trim_end_matches([',', ' ', '\t']);
            is_weight(weight).then_some((class, weight))
        });
        let Some((class, weight)) = parts else {
            return Err(wrong(format!(
                "line {at} is `{line}`; it needs a class and its weight, a number of 0 or above, as in cat 2.5"
            )));
        };
        let named = names.iter().position(|name| name == class);
        let number = named.or_else(|| class.parse().ok().filter(|&n: &usize| n < classes));
        let Some(place) = number.and_then(|number| weights.get_mut(number)) else {
            return Err(wrong(format!(
                "line {at} names the class `{class}`, which the data set does not have"
            )));
        };
        if place.replace(weight).is_some() {
            return Err(wrong(format!(
                "line {at} weighs the class `{class}` again; leave one of them"
            )));
        }
    }
    let all: Option<Vec<f32>> = weights.iter().copied().collect();
    let name = |class: usize| names.get(class).cloned().unwrap_or(class.to_string());
    match (all, weights.iter().position(Option::is_none)) {
        (Some(weights), _) if weights.iter().all(|w| *w == 0.0) => {
            Err(wrong("every class weighs 0; give one more".to_owned()))
        }
        (Some(weights), _) => Ok(weights),
        (None, missing) => Err(wrong(format!(
            "it has no weight for the class `{}`; add a line",
            name(missing.unwrap_or(0))
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_stand_in_the_text_or_in_a_file() {
        let of = |text: &str| ClassWeights::parse(text);
        assert_eq!(of("none").unwrap(), ClassWeights::None);
        assert_eq!(of(" balanced").unwrap(), ClassWeights::Balanced);
        assert_eq!(of("1, 2.5").unwrap(), ClassWeights::Given(vec![1.0, 2.5]));
        let file = |path: &str| ClassWeights::File(path.into());
        assert_eq!(of("weights.csv").unwrap(), file("weights.csv"));
        assert_eq!(of("a,b.txt").unwrap(), file("a,b.txt"));
        for bad in ["", "1,x", "0,0", "-1,2", "inf,1"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_has_a_line_a_class() {
        let names = ["cat", "great tit"].map(str::to_owned);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.txt");
        let read = |text: &str, names: &[String]| {
            std::fs::write(&path, text).unwrap();
            read_class_weights(&path, names, 2).map_err(|error| error.to_string())
        };
        assert_eq!(
            read("# tits are rare\n\ngreat tit\t4\ncat, 0.5\n", &names),
            Ok(vec![0.5, 4.0])
        );
        assert_eq!(read("1,4\n0 2", &[]), Ok(vec![2.0, 4.0]));
        for (text, told) in [
            ("cat 1", "no weight for the class `great tit`"),
            ("cat 1\ncat 2", "line 2 weighs the class `cat` again"),
            ("cat 1\ndog 2", "line 2 names the class `dog`"),
            ("cat -1", "line 1 is `cat -1`"),
            ("cat", "line 1 is `cat`"),
            ("cat 0\ngreat tit 0", "every class weighs 0"),
        ] {
            let error = read(text, &names).unwrap_err();
            assert!(
                error.contains(told) && error.contains("weights.txt"),
                "{error}"
            );
        }
    }
}
