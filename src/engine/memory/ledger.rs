//! Byte ledger: every device allocation is entered here with a label and a class.
//!
//! It proves that nothing dense is resident: a test asks it for the size of every buffer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a device allocation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Weights, optimiser state, gradients and indices of the connections, and the dense biases and norms.
    Connections,
    /// The same for a dense network, if a method begins with one by its nature, or is one.
    DenseWeights,
    /// Layer outputs and their gradients.
    Activations,
    /// The batch: inputs and labels.
    Data,
    /// Work space of the topology round, metrics, kernel parameters.
    Scratch,
}

impl Class {
    /// All classes, in the order of the reports.
    pub const ALL: [Class; 5] = [
        Class::Connections,
        Class::DenseWeights,
        Class::Activations,
        Class::Data,
        Class::Scratch,
    ];

    /// Lower-case name, as printed.
    pub fn name(self) -> &'static str {
        match self {
            Class::Connections => "connections",
            Class::DenseWeights => "dense_weights",
            Class::Activations => "activations",
            Class::Data => "data",
            Class::Scratch => "scratch",
        }
    }
}

/// One live allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The buffer's label.
    pub label: String,
    /// Its class.
    pub class: Class,
    /// Its size in bytes.
    pub bytes: u64,
}

#[derive(Default)]
struct Book {
    next: u64,
    live: BTreeMap<u64, Entry>,
    current: BTreeMap<Class, u64>,
    peak: BTreeMap<Class, u64>,
    total: u64,
    peak_total: u64,
    /// Bytes of each class when `peak_total` was reached.
    at_peak: BTreeMap<Class, u64>,
}

/// The ledger of one device.
#[derive(Default)]
pub struct Ledger {
    book: Mutex<Book>,
}

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Book> {
        // The book stays consistent even if a holder of the lock panicked, because each update is plain arithmetic.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, label: &str, class: Class, bytes: u64) -> u64 {
        let mut book = self.book();
        let id = book.next;
        book.next += 1;
        let entry = Entry {
            label: label.to_owned(),
            class,
            bytes,
        };
        book.live.insert(id, entry);
        let now = {
            let current = book.current.entry(class).or_default();
            *current += bytes;
            *current
        };
        let peak = book.peak.entry(class).or_default();
        *peak = now.max(*peak);
        book.total += bytes;
        if book.total > book.peak_total {
            book.peak_total = book.total;
            book.at_peak = book.current.clone();
        }
        id
    }

    pub(crate) fn leave(&self, id: u64) {
        let mut book = self.book();
        if let Some(entry) = book.live.remove(&id) {
            if let Some(current) = book.current.get_mut(&entry.class) {
                *current -= entry.bytes;
            }
            book.total -= entry.bytes;
        }
    }

    /// Every live allocation, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.book().live.values().cloned().collect()
    }

    /// Bytes resident now in `class`.
    pub fn current(&self, class: Class) -> u64 {
        self.book().current.get(&class).copied().unwrap_or(0)
    }

    /// Most bytes that were ever resident in `class` at once.
    pub fn peak(&self, class: Class) -> u64 {
        self.book().peak.get(&class).copied().unwrap_or(0)
    }

    /// Bytes of `class` at the moment of [`Ledger::peak_total`], or the first such moment. They add up to that peak
    /// over all classes, unlike the classes' own peaks, which occur at different moments.
    pub fn at_peak(&self, class: Class) -> u64 {
        self.book().at_peak.get(&class).copied().unwrap_or(0)
    }

    /// Most bytes that were ever resident at once, over all classes.
    pub fn peak_total(&self) -> u64 {
        self.book().peak_total
    }
}
