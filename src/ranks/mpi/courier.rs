//! The thread that makes all calls of MPI.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver as Orders, RecvTimeoutError, Sender as Answers};
use std::time::Duration;

use mpi::Threading;
use mpi::environment::Universe;
use mpi::point_to_point::MatchedReceiveVec;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, Destination, Source};

use crate::clock::Instant;
use crate::error::RankFault;
use crate::ranks::parting;

/// The last piece of a message.
const LAST: i32 = 1;
/// A piece of a message that others follow.
const PIECE: i32 = 2;
/// The sender is alive; no bytes.
const ALIVE: i32 = 3;
/// A rank ends, and says why.
const LEFT: i32 = 4;

/// Most bytes of a piece: MPI counts in 31 bits.
const MOST: usize = 1 << 30;

/// How often a process says that it is alive within the time in which others expect to hear from it.
const PULSES: u32 = 5;

/// How long to look for a message again and again before sleeping in between.
const EAGER: Duration = Duration::from_micros(200);

/// The sleep between two looks.
const NAP: Duration = Duration::from_micros(50);

/// What stands for no rank in a [`Receiver`].
pub(super) const NOBODY: usize = usize::MAX;

/// The rank that a message is being sent to.
pub(super) type Receiver = AtomicUsize;

/// What a training wants.
pub(super) enum Order {
    /// To rank 0; from there to all others.
    Send(Vec<u8>),
    /// The message of rank 0; there, those of all others in their order.
    ReceiveAll,
    /// Tells whoever listens to this process that it ends.
    Leave(Vec<u8>),
}

/// The messages that were received, or what went wrong.
pub(super) type Answer = Result<Vec<Vec<u8>>, RankFault>;

/// Which rank this process is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub rank: usize,
    pub size: usize,
    pub local_rank: usize,
    pub local_size: usize,
}

/// MPI, and what was heard of the other ranks.
pub(super) struct Courier {
    /// Dropping it waits for all ranks, which must be alive for that.
    universe: ManuallyDrop<Universe>,
    world: SimpleCommunicator,
    place: Place,
    target: Arc<Receiver>,
    silence: Duration,
    /// When each rank was last heard.
    heard: Vec<Instant>,
    pulsed: Instant,
    /// Whether all ranks are alive, as far as it is known.
    whole: bool,
}

impl Courier {
    /// Begins to use MPI.
    pub fn begin(silence: Duration, target: Arc<Receiver>) -> Result<Self, RankFault> {
        let refused = |why: &str| RankFault::Connection {
            doing: "begin with MPI".to_owned(),
            why: why.to_owned(),
        };
        let begun = mpi::initialize_with_threading(Threading::Funneled);
        let Some((universe, threading)) = begun else {
            return Err(refused("this process uses it already"));
        };
        if threading < Threading::Funneled {
            return Err(refused("this MPI library cannot be called from a thread"));
        }
        let world = universe.world();
        let number = |n: i32| usize::try_from(n).unwrap_or(0);
        let (rank, size) = (number(world.rank()), number(world.size()));
        if size < 2 {
            return Err(refused(
                "the launcher started this process alone; start several, as in mpirun -n 4",
            ));
        }
        // The processes that share memory are those of a machine.
        let machine = world.split_shared(world.rank());
        let place = Place {
            rank,
            size,
            local_rank: number(machine.rank()),
            local_size: number(machine.size()),
        };
        Ok(Courier {
            universe: ManuallyDrop::new(universe),
            world,
            place,
            target,
            silence,
            heard: vec![Instant::now(); size],
            pulsed: Instant::now(),
            whole: true,
        })
    }

    pub fn place(&self) -> Place {
        self.place
    }

    /// Does what it is told until there are no more orders.
    pub fn serve(mut self, orders: &Orders<Order>, answers: &Answers<Answer>) {
        loop {
            match orders.recv_timeout(self.silence / PULSES) {
                Ok(order) => {
                    let answer = self.obey(order);
                    self.whole &= !matches!(answer, Err(RankFault::Silent { .. }));
                    if answers.send(answer).is_err() {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.beat(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        // Otherwise the process ends without, and the launcher ends the others.
        if self.whole {
            let Courier {
                universe, world, ..
            } = self;
            drop(world);
            drop(ManuallyDrop::into_inner(universe));
        }
    }

    fn obey(&mut self, order: Order) -> Answer {
        match order {
            Order::Send(bytes) => {
                for rank in self.others() {
                    self.send(rank, &bytes);
                }
                Ok(Vec::new())
            }
            Order::ReceiveAll => self.others().map(|rank| self.receive(rank)).collect(),
            Order::Leave(bytes) => {
                for rank in self.others() {
                    self.send_piece(rank, &bytes, LEFT);
                }
                Ok(Vec::new())
            }
        }
    }

    /// The ranks that this one exchanges messages with.
    fn others(&self) -> std::ops::Range<usize> {
        match self.place.rank {
            0 => 1..self.place.size,
            _ => 0..1,
        }
    }

    fn send(&self, rank: usize, mut bytes: &[u8]) {
        while let Some((piece, rest)) = bytes.split_at_checked(MOST).filter(|(_, r)| !r.is_empty())
        {
            self.send_piece(rank, piece, PIECE);
            bytes = rest;
        }
        self.send_piece(rank, bytes, LAST);
    }

    /// Comes back when the message is on its way; never if it is long and the rank no longer takes any.
    fn send_piece(&self, rank: usize, bytes: &[u8], tag: i32) {
        self.target.store(rank, Ordering::Relaxed);
        self.world
            .process_at_rank(rank as i32)
            .send_with_tag(bytes, tag);
        self.target.store(NOBODY, Ordering::Relaxed);
    }

    fn receive(&mut self, rank: usize) -> Result<Vec<u8>, RankFault> {
        let begun = Instant::now();
        let mut bytes = Vec::new();
        loop {
            let found = (self.world)
                .process_at_rank(rank as i32)
                .immediate_matched_probe();
            let Some(message) = found else {
                self.listen(rank);
                let silent = self.heard[rank].max(begun).elapsed();
                if silent > self.silence {
                    let seconds = self.silence.as_secs();
                    return Err(RankFault::Silent { rank, seconds });
                }
                match begun.elapsed() < EAGER {
                    true => std::thread::yield_now(),
                    false => std::thread::sleep(NAP),
                }
                continue;
            };
            self.heard[rank] = Instant::now();
            let (piece, status) = message.matched_receive_vec::<u8>();
            match status.tag() {
                ALIVE => {}
                LEFT => return Err(parting::from_bytes(rank, &piece)),
                PIECE => bytes.extend(piece),
                LAST if bytes.is_empty() => return Ok(piece),
                LAST => {
                    bytes.extend(piece);
                    return Ok(bytes);
                }
                _ => return Err(RankFault::OtherMessage { rank }),
            }
        }
    }

    /// While rank `but` is waited for: hears that others are alive, and says so of this one.
    fn listen(&mut self, but: usize) {
        for rank in self.others().filter(|rank| *rank != but) {
            self.hear(rank);
        }
        if self.pulsed.elapsed() > self.silence / PULSES {
            self.beat();
        }
    }

    /// Says that this process is alive, and hears it of others.
    fn beat(&mut self) {
        self.pulsed = Instant::now();
        for rank in self.others() {
            self.hear(rank);
            self.send_piece(rank, &[], ALIVE);
        }
    }

    fn hear(&mut self, rank: usize) {
        let process = self.world.process_at_rank(rank as i32);
        while let Some(message) = process.immediate_matched_probe_with_tag(ALIVE) {
            message.matched_receive_vec::<u8>();
            self.heard[rank] = Instant::now();
        }
    }
}
