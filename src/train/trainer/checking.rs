//! Debugging: a run whose first step and first round compare kernels with their CPU twins.

use super::Trainer;
use super::compared::Checking;
use crate::engine::{KernelCheck, Program};
use crate::error::{Error, Refusal, Result};
use crate::topology::from_dense::Start;
use crate::train::event::Event;
use crate::train::hooks::Hooks;

impl Trainer {
    /// Debugging: in the first step and the first round from now on, also runs kernels whose name contains `filter` on
    /// their CPU twins; a difference stops the run. The empty filter means all of them. Whether any was compared is
    /// known at the end: see [`Trainer::has_checked`].
    ///
    /// # Errors
    /// It is known already that nothing will be compared: no step is left to train, or neither the steps nor their
    /// rounds run such a kernel.
    pub fn check(&mut self, filter: &str) -> Result<()> {
        if let Some(why) = self.nothing_to_check(filter) {
            return Err(nothing(filter, &why));
        }
        self.checking = Some(Checking {
            filter: filter.to_owned(),
            in_step: true,
            in_round: true,
            compared: 0,
        });
        Ok(())
    }

    /// Whether what [`Trainer::check`] asked for was done.
    ///
    /// # Errors
    /// Nothing was compared.
    pub fn has_checked(&self) -> Result<()> {
        match &self.checking {
            Some(checking) if checking.compared == 0 => Err(nothing(
                &checking.filter,
                "no step and no round that was checked had such a kernel",
            )),
            _ => Ok(()),
        }
    }

    /// Reports comparisons, up to the first that fails.
    pub(super) fn compared(&mut self, checks: &[KernelCheck], hooks: &mut Hooks<'_>) -> Result<()> {
        if let Some(checking) = &mut self.checking {
            checking.compared += checks.len();
        }
        for check in checks {
            hooks.observer.event(&Event::Note(check.to_string()))?;
            check.verdict()?;
        }
        Ok(())
    }

    /// Why a check cannot compare anything, if that is known.
    fn nothing_to_check(&self, filter: &str) -> Option<String> {
        if self.is_done() {
            return Some("no step is left to train".to_owned());
        }
        // Its first step belongs to another network.
        if self.progress.step == 0 && !matches!(self.setup.method.start(), Start::Random) {
            return None;
        }
        let has = |program: &Program| program.kernels().any(|kernel| kernel.contains(filter));
        if self.network.step_programs().any(has) {
            return None;
        }
        if !self.network.round_programs().any(has) {
            return Some("neither a step nor a round of this run has such a kernel".to_owned());
        }
        (!self.has_round_ahead()).then(|| {
            "only rounds have such a kernel, and none takes place in the steps that are left"
                .to_owned()
        })
    }

    fn has_round_ahead(&self) -> bool {
        let (place, every) = (self.place(), self.schedule.every);
        if !self.network.round.is_dynamic() || every == 0 {
            return false;
        }
        let next = (place / every + 1) * every;
        self.schedule.due(next) && next <= place + self.steps_total() - self.progress.step
    }
}

fn nothing(filter: &str, why: &str) -> Error {
    Error::refused(Refusal::ChecksNothing {
        kernels: filter.to_owned(),
        why: why.to_owned(),
    })
}
