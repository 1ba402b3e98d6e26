//! What may change when a run continues from a checkpoint.

use std::path::Path;

use super::section::OnResume;
use super::train_config::TrainConfig;
use crate::checkpoint::Change;
use crate::data::is_path;
use crate::error::OptionName;
use crate::error::option::{CONFIG, EPOCHS, METHOD, ROUND_UNTIL, TEST};
use crate::topology::from_dense::Start;
use crate::topology::{MethodName, MethodOptions};
use crate::words::short;
use crate::{Error, Result};

impl TrainConfig {
    /// Whether a run keeps the value of this name, as in `config.toml`, from its first step to its last.
    pub fn is_fixed(name: &str) -> bool {
        Self::field(name).is_some_and(|field| field.on_resume == OnResume::Fixed)
    }

    /// Whether a run's result does not depend on the value of this name, apart from how long it is trained.
    pub fn is_free(name: &str) -> bool {
        let free = [OnResume::Free, OnResume::Host];
        Self::field(name).is_some_and(|field| free.contains(&field.on_resume))
    }

    /// Whether the value of this name concerns only the machine that trains: two runs that differ in it alone are the
    /// same.
    pub fn is_of_host(name: &str) -> bool {
        Self::field(name).is_some_and(|field| field.on_resume == OnResume::Host)
    }

    /// Whether a run with this configuration can continue with `next`. `file` is the run's `config.toml`, for advice.
    ///
    /// # Errors
    /// [`Error::Fixed`] names the value that cannot change, and why.
    pub fn goes_on_with(&self, next: &Self, file: &Path) -> Result<()> {
        let refuse = |what: String| {
            let file = file.display();
            Err(Error::Fixed {
                what,
                way_out: format!("start a new one with {CONFIG} {file}"),
            })
        };
        if let Some(reason) = self.method_change(next) {
            return refuse(format!(
                "{METHOD} {} cannot go on with a run of {}: {reason}",
                next.topology.method, self.topology.method
            ));
        }
        let mut changed = self.differences(next)?;
        // A table's file may lie elsewhere; its rows tell whether it is the same.
        let files = [self, next].map(|config| is_path(&config.data.name));
        changed.retain(|name| name != "data" || files != [true, true]);
        // Without such a file some of the rows are held out; with it they are trained on.
        let tested = [self, next].map(|config| config.data.test.is_some());
        if tested[0] != tested[1] {
            return refuse(format!("{TEST} cannot come or go in a resumed run"));
        }
        if let Some(name) = changed.iter().find(|name| Self::is_fixed(name)) {
            return refuse(format!(
                "{} cannot change in a resumed run",
                OptionName(name)
            ));
        }
        // Its stages are this many epochs each: with another number, finished training would belong to another stage.
        if self.topology.method == MethodName::Lottery && self.run.epochs != next.run.epochs {
            return refuse(format!(
                "{EPOCHS} cannot change in a resumed run of {}, which trains them once more after each pruning",
                self.topology.method
            ));
        }
        Ok(())
    }

    /// This with more or fewer epochs, for a run of `before` that has had `rounds` rounds. If the end of the rounds
    /// followed from the epochs, it stays where it was when they were trained; if there was no round yet, it follows
    /// the new epochs.
    pub fn keep_rounds(mut self, before: &Self, rounds: u64) -> Self {
        let follows = self.topology.round_until.is_none() && self.run.epochs != before.run.epochs;
        if follows && rounds > 0 && self.has_no_effect("round_until").is_none() {
            self.topology.round_until = Some(before.round_until());
        }
        self
    }

    /// The differences from this configuration in a run that continues with `next` after `step` steps.
    ///
    /// # Errors
    /// A configuration cannot cause one.
    pub(crate) fn changes(&self, next: &Self, step: u64) -> Result<Vec<Change>> {
        let value = |config: &Self, name: &str| -> Result<String> {
            let mut values = config.with_derived().values()?.into_iter();
            let value = values.find(|(known, _)| known == name);
            Ok(value.map_or_else(|| "not set".to_owned(), |(_, text)| text))
        };
        let mut changes = Vec::new();
        if step == 0 {
            // Nothing was trained with this.
            return Ok(changes);
        }
        for name in self.differences(next)? {
            // A value that follows from the epochs in both has decided nothing yet: see `keep_rounds`.
            let until = [self, next].map(|config| config.topology.round_until);
            let follows = until == [None, None];
            let moved = name == "data" && is_path(&self.data.name);
            if Self::is_free(&name) || moved || (follows && name == "round_until") {
                continue;
            }
            let (before, after) = (value(self, &name)?, value(next, &name)?);
            let remark = format!(
                "{} differs from the steps before ({before} up to step {step}, {after} from then on), so config.toml \
                 alone no longer repeats this run",
                OptionName(&name)
            );
            changes.push(Change {
                step,
                name,
                before: Some(before),
                remark,
            });
        }
        let until = self
            .topology
            .round_until
            .is_none()
            .then(|| self.round_until());
        if until.is_some()
            && next.topology.round_until == until
            && self.run.epochs != next.run.epochs
        {
            changes.push(Change {
                step,
                name: "epochs".to_owned(),
                before: None,
                remark: format!(
                    "{EPOCHS} was {} up to step {step}, and rounds still end after epoch {} of {}, as the steps before \
                     were trained; {ROUND_UNTIL} sets another end",
                    self.run.epochs,
                    short(&self.round_until().to_string()),
                    next.run.epochs
                ),
            });
        }
        // It prunes until then, unless the rounds end earlier.
        let last = f64::from(self.run.epochs.min(next.run.epochs));
        let to_the_end = self.topology.method == MethodName::Gradual && self.round_until() >= last;
        if to_the_end && self.run.epochs != next.run.epochs {
            changes.push(Change {
                step,
                name: "epochs".to_owned(),
                before: Some(self.run.epochs.to_string()),
                remark: format!(
                    "{EPOCHS} differs from the steps before ({} up to step {step}, {} from then on), and {} prunes to \
                     their end, so config.toml alone no longer repeats this run",
                    self.run.epochs, next.run.epochs, self.topology.method
                ),
            });
        }
        if next.optimiser.looks_ahead() && self.run.epochs != next.run.epochs {
            changes.push(Change {
                step,
                name: "epochs".to_owned(),
                before: Some(self.run.epochs.to_string()),
                remark: format!(
                    "{EPOCHS} differs from the steps before ({} up to step {step}, {} from then on), and the learning \
                     rate falls to their end, so config.toml alone no longer repeats this run",
                    self.run.epochs, next.run.epochs
                ),
            });
        }
        Ok(changes)
    }

    /// Why the method of `next` cannot continue what this one's has trained; `None` if it can.
    fn method_change(&self, next: &Self) -> Option<String> {
        if self.topology.method == next.topology.method {
            return None;
        }
        for config in [self, next] {
            let begins = match config.topology.build_method().start() {
                Start::Random => continue,
                Start::Chosen(_) => "chooses its connections from a dense network",
                Start::Dense(_) => "begins with a dense network",
                Start::Backed(_) => "keeps dense weights beside its network",
            };
            let alike = interchangeable().join(", ");
            return Some(format!(
                "{} {begins}, and only methods that begin with a random network and keep its number of connections \
                 ({alike}) take over from each other",
                config.topology.method
            ));
        }
        None
    }
}

/// Methods that can continue with each other's networks.
fn interchangeable() -> Vec<&'static str> {
    let at_random = |name: &MethodName| {
        let method = name.build(&MethodOptions::default());
        matches!(method.start(), Start::Random)
    };
    let alike = MethodName::ALL.into_iter().filter(at_random);
    alike.map(MethodName::name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::section::Section;
    use super::*;

    #[test]
    fn methods_that_begin_alike_take_over_from_each_other_and_no_others() {
        let of = |&method: &MethodName| {
            let mut config = TrainConfig::default();
            config.topology.method = method;
            config
        };
        let alike = [
            "static",
            "set",
            "rigl",
            "gse-uniform",
            "gse-grabo",
            "gse-graest",
        ];
        assert_eq!(interchangeable(), alike);
        for before in &MethodName::ALL {
            for next in &MethodName::ALL {
                let names = [before.to_string(), next.to_string()];
                let may = before == next || names.iter().all(|n| alike.contains(&n.as_str()));
                let told = of(before).goes_on_with(&of(next), Path::new("config.toml"));
                assert_eq!(told.is_ok(), may, "{names:?}: {told:?}");
                // Before the first step nothing has changed.
                assert_eq!(of(before).changes(&of(next), 0).unwrap(), []);
                let changes = of(before).changes(&of(next), 7).unwrap();
                let names: Vec<&str> = changes.iter().map(|c| c.name.as_str()).collect();
                assert_eq!(names.contains(&"method"), before != next);
            }
        }
    }

    #[test]
    fn what_epochs_decided_is_a_change_and_nothing_else_of_them() {
        let of = |method, epochs, until| {
            let mut config = TrainConfig::default();
            config.topology.method = method;
            config.topology.round_until = until;
            config.run.epochs = epochs;
            config
        };
        let changes = |before: &TrainConfig, after: TrainConfig, rounds| {
            let after = after.keep_rounds(before, rounds);
            let changes = before.changes(&after, 7).unwrap();
            let changes = changes
                .into_iter()
                .map(|change| (change.name, change.before));
            changes.collect::<Vec<_>>()
        };
        let (gse, fixed) = (MethodName::GseUniform, MethodName::Static);
        let said = |before: Option<&str>| vec![("epochs".to_owned(), before.map(str::to_owned))];
        // The rounds that were done followed the old end.
        assert_eq!(changes(&of(gse, 3, None), of(gse, 6, None), 2), said(None));
        assert_eq!(changes(&of(gse, 3, None), of(gse, 6, None), 0), []);
        assert_eq!(
            changes(&of(gse, 3, Some(2.0)), of(gse, 6, Some(2.0)), 2),
            []
        );
        assert_eq!(changes(&of(fixed, 3, None), of(fixed, 6, None), 0), []);
        let gradual = MethodName::Gradual;
        let before = of(gradual, 3, Some(3.0));
        assert_eq!(
            changes(&before, of(gradual, 6, Some(3.0)), 2),
            said(Some("3"))
        );
        let before = of(gradual, 3, Some(2.0));
        assert_eq!(changes(&before, of(gradual, 6, Some(2.0)), 2), []);
    }

    #[test]
    fn a_ticket_keeps_its_stages() {
        let mut run = TrainConfig::default();
        run.topology.method = MethodName::Lottery;
        let refused = |next: &TrainConfig, part: &str| {
            let told = run.goes_on_with(next, Path::new("config.toml"));
            let told = told.unwrap_err().to_string();
            assert!(told.contains(part), "{told}");
        };
        let mut longer = run.clone();
        longer.run.epochs = 30;
        refused(
            &longer,
            "`epochs` cannot change in a resumed run of lottery",
        );
        let mut more = run.clone();
        more.topology.lottery_cycles = 9;
        refused(&more, "`lottery_cycles` cannot change");
    }

    /// What a checkpoint is made for, and what a result does not depend on: nothing enters or leaves these lists by
    /// accident.
    #[test]
    fn what_may_change_is_known() {
        let names = |rule: OnResume| {
            let fields = TrainConfig::fields().into_iter();
            let keys = fields.filter(|field| field.on_resume == rule);
            let mut keys: Vec<_> = keys.map(|field| field.key).collect();
            keys.sort_unstable();
            keys
        };
        let fixed = "activations assignment batch best_metric connections data ema fused hidden ignore image_size init \
                     init_dense limit loss lottery_cycles micro_batch missing model optimiser resize seed sparsity \
                     target task topkast_backward val_split weight width";
        assert_eq!(names(OnResume::Fixed).join(" "), fixed);
        let free =
            "checkpoint_activations epochs patience resident skip_bad_images statistics steps";
        assert_eq!(names(OnResume::Free).join(" "), free);
        assert_eq!(
            names(OnResume::Host).join(" "),
            "data_dir stream test threads tune workers"
        );
        assert!(!TrainConfig::is_fixed("none") && !TrainConfig::is_free("none"));
    }
}
