//! Processes that train together: ranks, and what they tell each other.
//!
//! Each rank computes some of a batch's micro-batches. What they find is added up on rank 0, in the order of the ranks,
//! and everybody gets the sum: so the bits are those of one process that takes the same micro-batches one after the
//! other, on any transport.
//!
//! | file | job |
//! |---|---|
//! | `collective.rs` | what a transport provides |
//! | `exchange.rs` | the message of a step |
//! | `packing.rs` | in how many bits its numbers travel |
//! | `agreement.rs` | whether all ranks have the same |
//! | `membership.rs` | which rank this process is, from its launcher's variables |
//! | `fingerprint.rs` | numbers as one hash |
//! | `parting.rs` | what a rank says when it ends |
//! | `tcp.rs` | a transport of sockets |
//! | `mpi.rs` | a transport of MPI |

mod agreement;
mod collective;
mod exchange;
mod fingerprint;
mod membership;
#[cfg(feature = "mpi")]
pub mod mpi;
mod packing;
#[cfg(any(feature = "tcp", feature = "mpi"))]
mod parting;
#[cfg(feature = "tcp")]
pub mod tcp;

pub use collective::{Collective, Ranks};
pub use exchange::Exchanged;
pub use fingerprint::Fingerprint;
pub use membership::Membership;
pub use packing::Packing;
