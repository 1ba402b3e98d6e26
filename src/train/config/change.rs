//! What may change where a run goes on from a checkpoint.

use std::path::Path;

use super::{MethodName, TrainConfig};
use crate::topology::from_dense::Start;
use crate::{Error, Result};

/// What a checkpoint is made for, and a resumed run can therefore not change.
const FIXED: [&str; 16] = [
    "assignment",
    "batch",
    "connections",
    "data",
    "hidden",
    "image_size",
    "limit",
    "lottery_cycles",
    "micro_batch",
    "model",
    "resize",
    "seed",
    "sparsity",
    "topkast_backward",
    "val_split",
    "width",
];

/// What can change in a resumed run without making its results others than those of an unbroken one.
const FREE: [&str; 9] = [
    "checkpoint_activations",
    "data_dir",
    "epochs",
    "resident",
    "skip_bad_images",
    "statistics",
    "steps",
    "threads",
    "workers",
];

impl TrainConfig {
    /// Whether a run keeps the value of this name, as in `config.toml`, from its first step to its last.
    pub fn is_fixed(name: &str) -> bool {
        FIXED.contains(&name)
    }

    /// Whether a run's result does not depend on the value of this name, but for how long it is trained.
    pub fn is_free(name: &str) -> bool {
        FREE.contains(&name)
    }

    /// Whether a run with this configuration can go on with `next`; gives the name of a value, if there is one, that makes of what
    /// comes another training than of what was. `file` is the run's `config.toml`, for advice.
    ///
    /// # Errors
    /// [`Error::Usage`] names the value that cannot change, and why.
    pub fn goes_on_with(&self, next: &Self, file: &Path) -> Result<Option<String>> {
        let refuse = |what: String| {
            let file = file.display();
            Err(Error::Usage(format!(
                "{what}; start a new one with --config {file}"
            )))
        };
        if let Some(reason) = self.method_change(next)? {
            return refuse(format!(
                "--method {} cannot go on with a run of {}: {reason}",
                next.method, self.method
            ));
        }
        let changed = self.differences(next)?;
        if let Some(name) = changed.iter().find(|name| Self::is_fixed(name)) {
            let name = name.replace('_', "-");
            return refuse(format!("--{name} cannot change in a resumed run"));
        }
        // Its stages are so many epochs each: with another number, what was trained would be part of another stage.
        if self.method == MethodName::Lottery && self.epochs != next.epochs {
            return refuse(format!(
                "--epochs cannot change in a resumed run of {}, which trains them once more after each pruning",
                self.method
            ));
        }
        let mut changed = changed.into_iter();
        Ok(changed.find(|name| !Self::is_free(name)))
    }

    /// Why the method of `next` cannot go on with what this one's has trained; none if it can.
    fn method_change(&self, next: &Self) -> Result<Option<String>> {
        if self.method == next.method {
            return Ok(None);
        }
        for config in [self, next] {
            let begins = match config.build_method()?.start() {
                Start::Random => continue,
                Start::Chosen(_) => "chooses its connections from a dense network",
                Start::Dense(_) => "begins with a dense network",
                Start::Backed(_) => "keeps dense weights beside its network",
            };
            let alike = interchangeable()?.join(", ");
            return Ok(Some(format!(
                "{} {begins}, and only methods that begin with a random network and keep its number of connections ({alike}) take \
                 over from each other",
                config.method
            )));
        }
        Ok(None)
    }
}

/// Methods that go on with each other's networks.
fn interchangeable() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for method in MethodName::ALL {
        let config = TrainConfig {
            method,
            ..TrainConfig::default()
        };
        if matches!(config.build_method()?.start(), Start::Random) {
            names.push(method.to_string());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_begin_alike_take_over_from_each_other_and_no_others() {
        let of = |&method: &MethodName| TrainConfig {
            method,
            ..TrainConfig::default()
        };
        let alike = [
            "static",
            "set",
            "rigl",
            "gse-uniform",
            "gse-grabo",
            "gse-graest",
        ];
        assert_eq!(interchangeable().unwrap(), alike);
        for before in &MethodName::ALL {
            for next in &MethodName::ALL {
                let names = [before.to_string(), next.to_string()];
                let may = before == next || names.iter().all(|n| alike.contains(&n.as_str()));
                let told = of(before).goes_on_with(&of(next), Path::new("config.toml"));
                assert_eq!(told.is_ok(), may, "{names:?}: {told:?}");
                if let Ok(told) = told {
                    assert_eq!(told.as_deref(), (before != next).then_some("method"));
                }
            }
        }
    }

    #[test]
    fn a_ticket_keeps_its_stages() {
        let run = TrainConfig {
            method: MethodName::Lottery,
            ..TrainConfig::default()
        };
        let refused = |next: TrainConfig| {
            let told = run.goes_on_with(&next, Path::new("config.toml"));
            told.unwrap_err().to_string()
        };
        let epochs = refused(TrainConfig {
            epochs: 30,
            ..run.clone()
        });
        assert!(
            epochs.contains("--epochs cannot change in a resumed run of lottery"),
            "{epochs}"
        );
        let cycles = refused(TrainConfig {
            lottery_cycles: 9,
            ..run.clone()
        });
        assert!(
            cycles.contains("--lottery-cycles cannot change"),
            "{cycles}"
        );
    }

    #[test]
    fn every_name_is_one_of_a_value() {
        let all = TrainConfig {
            data_dir: Some("x".into()),
            limit: Some(1),
            resize: Some(1),
            connections: Some(1),
            steps: Some(1),
            micro_batch: Some(1),
            resident: Some(true),
            ..TrainConfig::default()
        };
        let names: Vec<String> = (all.values().unwrap().into_iter())
            .map(|(n, _)| n)
            .collect();
        for name in FIXED.iter().chain(&FREE) {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
    }
}
