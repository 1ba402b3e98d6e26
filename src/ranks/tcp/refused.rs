//! What the system refuses of a connection.

use crate::error::{Error, RankFault};

/// A closure for `map_err` that says what the system refused.
pub(super) fn refused(doing: &str) -> impl FnOnce(std::io::Error) -> Error {
    let doing = doing.to_owned();
    move |error| {
        Error::Rank(RankFault::Connection {
            doing,
            why: error.to_string(),
        })
    }
}
