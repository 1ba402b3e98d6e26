//! Several observers as one.

use crate::Result;
use crate::train::event::{Event, Observer};

/// Several observers as one. Each gets every event. The first error is returned after all have had it, so that a full
/// disk does not hide the last line on the console.
#[derive(Default)]
pub struct Reports(Vec<Box<dyn Observer>>);

impl Reports {
    /// A list without observers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an observer.
    pub fn push(&mut self, observer: impl Observer + 'static) {
        self.0.push(Box::new(observer));
    }
}

impl Observer for Reports {
    fn event(&mut self, event: &Event) -> Result<()> {
        let mut result = Ok(());
        for observer in &mut self.0 {
            result = result.and(observer.event(event));
        }
        result
    }
}
