//! What readers of files need to know.

use super::stored::Stream;

/// How to read a file.
#[derive(Clone, Copy, Default)]
pub(super) struct How<'a> {
    /// Columns that are texts, whatever they contain.
    pub texts: &'a [String],
    /// Columns that are left out.
    pub ignore: &'a [String],
    /// The array that is the target, for a file of arrays.
    pub target: Option<&'a str>,
    /// The array of the rows' weights.
    pub weight: Option<&'a str>,
    /// Whether svmlight rows have several labels, even if each has one.
    pub labels: bool,
    /// Whether the cells stay in a file.
    pub stream: Stream,
    /// Whether the rows of a text that cannot be used are kept, without values: `Table::faults` then says why. All
    /// columns besides `texts` are numbers, so that a text there is such a fault. Otherwise the first fault is an error.
    pub keeps_faults: bool,
}
