//! The thread that says that this process is alive.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::frame::Link;
use crate::error::{Error, Fault, Result};
use crate::threads;

/// The thread; it ends when this is dropped.
pub(super) struct Pulse {
    _ends: Sender<()>,
}

impl Pulse {
    /// Sends a message over all links every `interval`.
    pub fn start(links: Arc<Vec<Link>>, interval: Duration) -> Result<Self> {
        let (ends, ended) = channel::<()>();
        let beat = move || {
            while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                links.iter().for_each(Link::pulse);
            }
        };
        threads::spawn("rank pulse".to_owned(), beat).map_err(|error| {
            Error::Device(Fault::Thread {
                what: "the thread that tells other ranks that this one is alive".to_owned(),
                why: error.to_string(),
            })
        })?;
        Ok(Pulse { _ends: ends })
    }
}
