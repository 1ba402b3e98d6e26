//! A transport of MPI: every rank sends to rank 0, which adds up and hands out.
//!
//! Whatever network the MPI library knows carries the messages, and the launcher says who belongs to the run. One
//! thread of its own makes all calls (`mpi/courier.rs`): while a training computes, it says that this process is alive.

mod courier;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Collective, parting};
use crate::clock::Instant;
use crate::error::{Error, Fault, RankFault, Result};
use crate::threads;
use courier::{Answer, Courier, NOBODY, Order, Place, Receiver as Target};

/// How often a process looks whether a message that it sends is taken.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Ranks that an MPI launcher started.
pub struct Mpi {
    place: Place,
    silence: Duration,
    /// Whom the courier sends to.
    target: Arc<Target>,
    courier: Mutex<Channel>,
    thread: Option<JoinHandle<()>>,
}

/// The two directions between this process's training and its courier.
struct Channel {
    /// `None`: there are no more orders.
    orders: Option<Sender<Order>>,
    answers: Receiver<Answer>,
    /// Whether the courier waits in MPI for a rank that is gone, and never comes back.
    stuck: bool,
}

impl Mpi {
    /// Joins the ranks that the launcher started. `silence`: how long a rank may be silent before it counts as dead; at
    /// least 1 s.
    ///
    /// # Errors
    /// MPI is in use already, or the launcher started this process alone: [`Error::Rank`].
    pub fn join(silence: Duration) -> Result<Self> {
        let (orders, ordered) = channel();
        let (answer, answers) = channel();
        let (begun, begins) = channel();
        let target = Arc::new(Target::new(NOBODY));
        let work = {
            let target = target.clone();
            move || match Courier::begin(silence, target) {
                Ok(courier) => {
                    let place = courier.place();
                    if begun.send(Ok(place)).is_ok() {
                        courier.serve(&ordered, &answer);
                    }
                }
                Err(fault) => {
                    // Whoever asked is told, or is gone.
                    let _ = begun.send(Err(fault));
                }
            }
        };
        let thread = threads::spawn("rank courier".to_owned(), work).map_err(|error| {
            Error::Device(Fault::Thread {
                what: "the thread that exchanges messages with other ranks".to_owned(),
                why: error.to_string(),
            })
        })?;
        let place = begins.recv().map_err(|_| ended())?.map_err(Error::Rank)?;
        Ok(Mpi {
            place,
            silence,
            target,
            courier: Mutex::new(Channel {
                orders: Some(orders),
                answers,
                stuck: false,
            }),
            thread: Some(thread),
        })
    }

    /// The number of this process among those on its machine, and how many these are.
    pub fn local(&self) -> (usize, usize) {
        (self.place.local_rank, self.place.local_size)
    }

    fn channel(&self) -> MutexGuard<'_, Channel> {
        self.courier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the courier brings back.
    fn ask(&self, order: Order) -> Result<Vec<Vec<u8>>> {
        let mut channel = self.channel();
        let sent = channel.orders.as_ref().map(|orders| orders.send(order));
        if channel.stuck || !matches!(sent, Some(Ok(()))) {
            return Err(ended());
        }
        let (mut since, mut before) = (Instant::now(), NOBODY);
        loop {
            match channel.answers.recv_timeout(LOOK_EVERY) {
                Ok(answer) => return answer.map_err(Error::Rank),
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            // A rank that does not take its message keeps the courier in MPI.
            let rank = self.target.load(Ordering::Relaxed);
            if rank != before {
                (since, before) = (Instant::now(), rank);
            } else if rank != NOBODY && since.elapsed() > self.silence {
                channel.stuck = true;
                let seconds = self.silence.as_secs();
                return Err(Error::Rank(RankFault::Silent { rank, seconds }));
            }
        }
    }
}

/// The error for a courier that is no longer there.
fn ended() -> Error {
    Error::Rank(RankFault::Connection {
        doing: "exchange messages by MPI".to_owned(),
        why: "an earlier exchange has failed".to_owned(),
    })
}

impl Collective for Mpi {
    fn rank(&self) -> usize {
        self.place.rank
    }

    fn size(&self) -> usize {
        self.place.size
    }

    fn gather(&self, own: &[u8], each: &mut dyn FnMut(usize, &[u8]) -> Result<()>) -> Result<()> {
        if self.place.rank > 0 {
            return self.ask(Order::Send(own.to_vec())).map(drop);
        }
        let others = self.ask(Order::ReceiveAll)?;
        each(0, own)?;
        for (other, bytes) in others.iter().enumerate() {
            each(other + 1, bytes)?;
        }
        Ok(())
    }

    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()> {
        if self.place.rank == 0 {
            return self.ask(Order::Send(bytes.clone())).map(drop);
        }
        let found = self.ask(Order::ReceiveAll)?;
        *bytes = found.into_iter().next().unwrap_or_default();
        Ok(())
    }

    fn leave(&self, why: &Error) {
        // Whoever no longer listens does not need to know.
        let _ = self.ask(Order::Leave(parting::to_bytes(why)));
    }
}

impl Drop for Mpi {
    /// Ends MPI in order, if all ranks are there.
    fn drop(&mut self) {
        let mut channel = self.channel();
        channel.orders = None;
        let stuck = channel.stuck;
        drop(channel);
        if let (Some(thread), false) = (self.thread.take(), stuck) {
            let _ = thread.join();
        }
    }
}
