//! A transport of sockets: every rank is connected to rank 0, which adds up and hands out.
//!
//! Rank 0 listens at one address and takes only those who prove that they know the run's secret (`tcp/handshake.rs`). What
//! follows is neither encrypted nor signed: use it in a network that you trust.
//!
//! Each process says every few seconds that it is alive, from a thread of its own: a rank that computes for long is
//! waited for, and one that is dead, stopped or cut off is noticed after [`Options::silence`].

mod frame;
mod handshake;
mod pulse;
mod refused;

use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Collective, Membership, parting};
use crate::clock::Instant;
use crate::error::{Error, RankFault, Result};
use frame::{Kind, Link};
use pulse::Pulse;
use refused::refused;

/// How ranks find each other, and how long they wait.
#[derive(Clone, Debug)]
pub struct Options {
    /// What all ranks of a run know, and nobody else.
    pub secret: Vec<u8>,
    /// How long to wait for all ranks at the start.
    pub join: Duration,
    /// How long a rank may be silent before it counts as dead; at least 1 s.
    pub silence: Duration,
    /// Is told why ranks are still waited for.
    pub note: fn(&str),
}

impl Options {
    /// With such a secret, 300 s to join, 30 s of silence, and no notes.
    pub fn with_secret(secret: impl Into<Vec<u8>>) -> Self {
        Options {
            secret: secret.into(),
            join: Duration::from_secs(300),
            silence: Duration::from_secs(30),
            note: |_| (),
        }
    }
}

/// How often a process says that it is alive within the time in which others expect to hear from it.
const PULSES: u32 = 5;

/// How long a rank tries to reach rank 0 before it says that it tries.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ranks that are connected by TCP.
pub struct Tcp {
    rank: usize,
    size: usize,
    /// On rank 0 one to every other rank, in their order; elsewhere the one to rank 0.
    links: Arc<Vec<Link>>,
    /// Says that this process is alive, until it is dropped.
    _pulse: Pulse,
}

impl Tcp {
    /// Joins the ranks that `membership` describes: rank 0 listens, the others connect.
    ///
    /// # Errors
    /// The address cannot be used, the secret is another one, not all ranks come in time, or `stop` is set while they
    /// are waited for: [`Error::Rank`].
    pub fn join(membership: &Membership, options: &Options, stop: &AtomicBool) -> Result<Self> {
        match membership.rank {
            0 => Self::listen(bind(membership)?, membership.size, options, stop),
            _ => Self::connect(membership, options, stop),
        }
    }

    /// Rank 0 of `size`, which takes the others at a socket that listens already.
    ///
    /// # Errors
    /// Not all ranks come in time, `stop` is set, or the system refuses: [`Error::Rank`].
    pub fn listen(
        listener: TcpListener,
        size: usize,
        options: &Options,
        stop: &AtomicBool,
    ) -> Result<Self> {
        let deadline = Instant::now() + options.join;
        let mut links: Vec<Option<Link>> = (1..size).map(|_| None).collect();
        let doing = "take other ranks";
        listener.set_nonblocking(true).map_err(refused(doing))?;
        let mut pulsed = Instant::now();
        while let Some(missing) = links.iter().position(Option::is_none) {
            let (stream, from) = match listener.accept() {
                Ok(connected) => connected,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    let here = 1 + links.iter().flatten().count();
                    let stops = stop.load(Ordering::Relaxed);
                    if stops || Instant::now() >= deadline {
                        let fault = match stops {
                            true => RankFault::Stopped { here, size },
                            false => RankFault::Missing {
                                rank: missing + 1,
                                here,
                                size,
                                seconds: options.join.as_secs(),
                            },
                        };
                        let links: Vec<Link> = links.into_iter().flatten().collect();
                        tell_all(&links, &Error::Rank(fault.clone()));
                        return Err(Error::Rank(fault));
                    }
                    // Those that are here wait for the others, too.
                    if pulsed.elapsed() >= options.silence / PULSES {
                        links.iter().flatten().for_each(Link::pulse);
                        pulsed = Instant::now();
                    }
                    std::thread::sleep(Duration::from_millis(10));
                    continue;
                }
                // One that hung up before it was taken.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(refused(doing)(error)),
            };
            stream.set_nonblocking(false).map_err(refused(doing))?;
            // A stranger is sent away, and the ranks are still waited for.
            let taken = handshake::take(&stream, size, &options.secret, |rank| {
                links.get(rank - 1).is_some_and(Option::is_none)
            });
            match taken {
                Ok(rank) => links[rank - 1] = Some(Link::new(rank, stream, options.silence)?),
                Err(refused) => (options.note)(&format!(
                    "a process at {} was sent away: {refused}",
                    from.ip()
                )),
            }
        }
        Self::new(0, size, links.into_iter().flatten().collect(), options)
    }

    fn connect(membership: &Membership, options: &Options, stop: &AtomicBool) -> Result<Self> {
        let (begun, mut noted) = (Instant::now(), false);
        let doing = format!("reach rank 0 at {}", membership.place());
        loop {
            let tried = addresses(membership)
                .and_then(|all| TcpStream::connect(all.as_slice()).map_err(refused(&doing)));
            let stream = match tried {
                Ok(stream) => stream,
                Err(_) if stop.load(Ordering::Relaxed) => {
                    let size = membership.size;
                    return Err(Error::Rank(RankFault::Stopped { here: 1, size }));
                }
                Err(error) if begun.elapsed() >= options.join => return Err(error),
                // Rank 0 may not listen yet, and its name may not be known yet.
                Err(error) => {
                    if begun.elapsed() >= PATIENCE && !noted {
                        noted = true;
                        (options.note)(&format!(
                            "rank {} tries again, for at most {} s in all: {error}",
                            membership.rank,
                            options.join.as_secs()
                        ));
                    }
                    std::thread::sleep(Duration::from_millis(50));
                    continue;
                }
            };
            handshake::ask(&stream, membership, &options.secret, &doing)?;
            let link = Link::new(0, stream, options.silence)?;
            return Self::new(membership.rank, membership.size, vec![link], options);
        }
    }

    fn new(rank: usize, size: usize, links: Vec<Link>, options: &Options) -> Result<Self> {
        let links = Arc::new(links);
        Ok(Tcp {
            rank,
            size,
            _pulse: Pulse::start(links.clone(), options.silence / PULSES)?,
            links,
        })
    }
}

/// The socket at which rank 0 listens: at the stated address alone.
///
/// # Errors
/// The address is unknown or in use: [`Error::Rank`].
fn bind(membership: &Membership) -> Result<TcpListener> {
    let addresses = addresses(membership)?;
    let doing = format!("listen at {}", membership.place());
    TcpListener::bind(addresses.as_slice()).map_err(refused(&doing))
}

fn addresses(membership: &Membership) -> Result<Vec<SocketAddr>> {
    let doing = format!("find {}", membership.place());
    let found = (membership.address.as_str(), membership.port).to_socket_addrs();
    Ok(found.map_err(refused(&doing))?.collect())
}

/// Tells ranks why this one ends.
fn tell_all(links: &[Link], why: &Error) {
    let text = parting::to_bytes(why);
    for link in links {
        // Whoever no longer listens does not need to know.
        let _ = link.send(Kind::Left, &text);
    }
}

impl Collective for Tcp {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn gather(&self, own: &[u8], each: &mut dyn FnMut(usize, &[u8]) -> Result<()>) -> Result<()> {
        if self.rank > 0 {
            return self.links[0].send(Kind::Data, own);
        }
        each(0, own)?;
        for link in self.links.iter() {
            each(link.rank, &link.receive()?)?;
        }
        Ok(())
    }

    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()> {
        if self.rank > 0 {
            *bytes = self.links[0].receive()?;
            return Ok(());
        }
        self.links
            .iter()
            .try_for_each(|link| link.send(Kind::Data, bytes))
    }

    fn leave(&self, why: &Error) {
        tell_all(&self.links, why);
    }
}
