//! What goes wrong between processes that train together, as data.

use std::fmt;

/// What went wrong, and with which rank.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RankFault {
    /// A rank has ended, and said why or not.
    Left {
        /// The rank.
        rank: usize,
        /// What it said; empty if it said nothing, as a process that is killed.
        why: String,
    },
    /// A rank is silent: it hangs, is stopped, or the network between is cut.
    Silent {
        /// The rank.
        rank: usize,
        /// For how long, in seconds.
        seconds: u64,
    },
    /// A rank that has not come.
    Missing {
        /// The first that is missing.
        rank: usize,
        /// How many have come, this one included.
        here: usize,
        /// How many there should be.
        size: usize,
        /// How long they were waited for, in seconds.
        seconds: u64,
    },
    /// A stop was requested while other ranks were waited for.
    Stopped {
        /// How many had come, this one included.
        here: usize,
        /// How many there should be.
        size: usize,
    },
    /// A rank that has something else than rank 0.
    Differs {
        /// The rank.
        rank: usize,
        /// What differs: "the topology after step 100".
        what: String,
    },
    /// A rank that sends what another training, or another version, would.
    OtherMessage {
        /// The rank.
        rank: usize,
    },
    /// A connection that the system refuses, or that does not lead to rank 0 of this run.
    Connection {
        /// What was tried: "listen at 127.0.0.1:29500".
        doing: String,
        /// The answer, and what to do.
        why: String,
    },
    /// Launcher's variables that cannot be used.
    Environment {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it, and what to do.
        why: String,
    },
}

impl fmt::Display for RankFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RankFault::Left { rank, why } if why.is_empty() => write!(
                f,
                "rank {rank} has gone without a word: it was killed, its machine failed, or the connection broke"
            ),
            RankFault::Left { rank, why } => write!(f, "rank {rank} ended: {why}"),
            RankFault::Silent { rank, seconds } => write!(
                f,
                "rank {rank} has been silent for {seconds} s: it hangs, was stopped, or the network between is cut"
            ),
            RankFault::Missing {
                rank,
                here,
                size,
                seconds,
            } => write!(
                f,
                "{here} of {size} ranks have come within {seconds} s; rank {rank} is the first that is missing"
            ),
            RankFault::Stopped { here, size } => {
                write!(
                    f,
                    "stopped while waiting for other ranks: {here} of {size} had come"
                )
            }
            RankFault::Differs { rank, what } => write!(
                f,
                "rank {rank} has other bits than rank 0: {what}; give all ranks the same program, data and options, and \
                 adapters of the same kind"
            ),
            RankFault::OtherMessage { rank } => write!(
                f,
                "rank {rank} sends a message that does not belong to this training; give all ranks the same program"
            ),
            RankFault::Connection { doing, why } => write!(f, "cannot {doing}: {why}"),
            RankFault::Environment { variable, why } => write!(f, "{variable} {why}"),
        }
    }
}
