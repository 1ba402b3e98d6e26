//! Processes that train together: the same bits as one process that takes the same micro-batches, whatever the number
//! of ranks; and what happens if one of them fails. Ranks are threads here, connected by real sockets.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod equal;
mod failing;
mod joining;
mod network;
mod rounded;
mod together;
mod unlike;
