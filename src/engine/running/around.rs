//! What is copied before and after a dispatch, to compare it with its twin.

use crate::engine::View;

/// What is copied before and after a dispatch.
#[derive(Default)]
pub(crate) struct Around<'a> {
    pub before: Vec<&'a View>,
    pub after: Vec<&'a View>,
}

impl Around<'_> {
    pub(crate) fn words(&self) -> usize {
        let views = self.before.iter().chain(&self.after);
        views.map(|view| view.word_range().len()).sum()
    }
}
