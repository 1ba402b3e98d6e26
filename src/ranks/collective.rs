//! What a transport provides, and the handle by which a training uses it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Error, RankFault, Result};

/// A transport between ranks. All ranks call the same functions in the same order.
pub trait Collective: Send + Sync {
    /// The number of this process, below [`size`](Self::size).
    fn rank(&self) -> usize;

    /// How many processes train together.
    fn size(&self) -> usize;

    /// Sends `own` to rank 0, where `each` gets the bytes of every rank, in the order of the ranks. On other ranks,
    /// `each` is not called.
    ///
    /// # Errors
    /// A rank has left or hangs: [`Error::Rank`] names it. Or an error of `each`.
    fn gather(&self, own: &[u8], each: &mut dyn FnMut(usize, &[u8]) -> Result<()>) -> Result<()>;

    /// Replaces `bytes` by those of rank 0.
    ///
    /// # Errors
    /// A rank has left or hangs: [`Error::Rank`] names it.
    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()>;

    /// Tells the other ranks that this one ends early, and why. Nothing follows.
    fn leave(&self, why: &Error);
}

/// The ranks that a process trains with. A clone is the same handle.
#[derive(Clone)]
pub struct Ranks {
    collective: Arc<dyn Collective>,
    wants_to_stop: Arc<AtomicBool>,
    stops: Arc<AtomicBool>,
    traffic: Arc<Traffic>,
}

/// What exchanges have cost so far.
#[derive(Default)]
struct Traffic {
    bytes: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Ranks {
    /// Ranks that are connected by `collective`.
    pub fn new(collective: impl Collective + 'static) -> Self {
        Ranks {
            collective: Arc::new(collective),
            wants_to_stop: Arc::default(),
            stops: Arc::default(),
            traffic: Arc::default(),
        }
    }

    /// The number of this process.
    pub fn rank(&self) -> usize {
        self.collective.rank()
    }

    /// How many processes train together.
    pub fn size(&self) -> usize {
        self.collective.size()
    }

    /// Whether this process writes the run.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    pub(super) fn transport(&self) -> &dyn Collective {
        self.collective.as_ref()
    }

    /// Every rank gets the bytes of every rank, in the order of the ranks.
    ///
    /// # Errors
    /// A rank has left or hangs: [`Error::Rank`] names it.
    pub fn gather_everywhere(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut all = Vec::new();
        self.collective.gather(own, &mut |_, bytes| {
            all.extend((bytes.len() as u64).to_le_bytes());
            all.extend(bytes);
            Ok(())
        })?;
        self.collective.broadcast(&mut all)?;
        let mut rest = all.as_slice();
        let mut found = Vec::new();
        while let Some((length, more)) = rest.split_first_chunk() {
            let length = (u64::from_le_bytes(*length) as usize).min(more.len());
            let (bytes, more) = more.split_at(length);
            found.push(bytes.to_vec());
            rest = more;
        }
        Ok(found)
    }

    /// The bytes of rank 0, on every rank; what others give is ignored.
    ///
    /// # Errors
    /// A rank has left or hangs: [`Error::Rank`] names it.
    pub fn share_bytes(&self, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
        self.collective.broadcast(&mut bytes)?;
        Ok(bytes)
    }

    /// Replaces words by those of rank 0.
    ///
    /// # Errors
    /// A rank has left or hangs: [`Error::Rank`] names it.
    pub fn broadcast(&self, words: &mut [u32]) -> Result<()> {
        let mut bytes: Vec<u8> = match self.is_first() {
            true => bytemuck::cast_slice(words).to_vec(),
            false => Vec::new(),
        };
        self.collective.broadcast(&mut bytes)?;
        let found = bytemuck::cast_slice_mut::<u32, u8>(words);
        match found.len() == bytes.len() {
            true => found.copy_from_slice(&bytes),
            false => return Err(other_message(0)),
        }
        Ok(())
    }

    /// Waits until all ranks are here.
    ///
    /// # Errors
    /// A rank has left or hangs: [`Error::Rank`] names it.
    pub fn barrier(&self) -> Result<()> {
        self.gather_everywhere(&[]).map(|_| ())
    }

    /// Asks all ranks to stop after the step that they are at.
    pub fn ask_to_stop(&self) {
        self.wants_to_stop.store(true, Ordering::Relaxed);
    }

    pub(super) fn wants_to_stop(&self) -> bool {
        self.wants_to_stop.load(Ordering::Relaxed)
    }

    /// Whether a rank had asked to stop by the last step: all ranks then stop after that step.
    pub fn stops(&self) -> bool {
        self.stops.load(Ordering::Relaxed)
    }

    pub(super) fn all_stop(&self, stops: bool) {
        self.stops.store(stops, Ordering::Relaxed);
    }

    /// Counts an exchange.
    pub(super) fn count(&self, bytes: usize, time: Duration) {
        let add = |to: &AtomicU64, what| to.fetch_add(what, Ordering::Relaxed);
        add(&self.traffic.bytes, bytes as u64);
        add(&self.traffic.nanoseconds, time.as_nanos() as u64);
    }

    /// Bytes that exchanges sent and received here so far, and the seconds that they took, waiting for others included.
    pub fn traffic(&self) -> (u64, f64) {
        let read = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let seconds = read(&self.traffic.nanoseconds) as f64 / 1e9;
        (read(&self.traffic.bytes), seconds)
    }

    /// Tells the other ranks that this one ends early, and why.
    pub fn leave(&self, why: &Error) {
        self.collective.leave(why);
    }
}

impl fmt::Debug for Ranks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} of {}", self.rank(), self.size())
    }
}

/// The error for a rank that sends what another training would.
pub(super) fn other_message(rank: usize) -> Error {
    Error::Rank(RankFault::OtherMessage { rank })
}
