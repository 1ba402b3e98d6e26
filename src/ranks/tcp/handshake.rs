//! Who may join: both sides prove that they know the run's secret, without sending it.
//!
//! | from | message |
//! |---|---|
//! | a rank | [`MAGIC`], its number, the number of ranks, 32 random bytes |
//! | rank 0 | 32 random bytes |
//! | a rank | HMAC-SHA256 (RFC 2104) by the secret of "rank", its first message and rank 0's bytes |
//! | rank 0 | HMAC-SHA256 by the secret of "rank 0", and the same: the rank is taken. Or it hangs up |

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::refused::refused;
use crate::error::{Error, RankFault, Result};
use crate::ranks::Membership;

/// Names the protocol and its version.
const MAGIC: [u8; 8] = *b"rootlet1";

/// The longest that a stranger can keep rank 0 waiting.
const PATIENCE: Duration = Duration::from_secs(5);

const RANDOM: usize = 32;
const HELLO: usize = MAGIC.len() + 8 + RANDOM;
const PROOF: usize = 32;

/// Why rank 0 does not take whoever connects.
#[derive(Debug, PartialEq)]
pub(super) enum Refused {
    /// It speaks another protocol, or hung up.
    Stranger,
    /// It is one of another number of ranks.
    Size(usize),
    /// It does not know the secret.
    Secret,
    /// This rank has come already.
    Taken(usize),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Stranger => f.write_str("it is no rank of rootlet, or hung up"),
            Refused::Size(size) => write!(f, "it is one of {size} ranks"),
            Refused::Secret => f.write_str("it does not know this run's secret"),
            Refused::Taken(rank) => write!(f, "rank {rank} has come already"),
        }
    }
}

/// Rank 0's half: the rank that has proved itself and that `wanted` takes.
pub(super) fn take(
    mut stream: &TcpStream,
    size: usize,
    secret: &[u8],
    wanted: impl Fn(usize) -> bool,
) -> Result<usize, Refused> {
    let set = |patience| {
        stream.set_read_timeout(patience)?;
        stream.set_write_timeout(patience)
    };
    set(Some(PATIENCE)).map_err(|_| Refused::Stranger)?;
    let mut hello = [0; HELLO];
    stream
        .read_exact(&mut hello)
        .map_err(|_| Refused::Stranger)?;
    let (magic, rest) = hello.split_at(MAGIC.len());
    let [rank, of] = [0, 4].map(|at| {
        let bytes = rest[at..at + 4].iter().rev();
        bytes.fold(0usize, |n, &byte| n << 8 | usize::from(byte))
    });
    if magic != MAGIC || rank == 0 || rank >= of {
        return Err(Refused::Stranger);
    }
    if of != size {
        return Err(Refused::Size(of));
    }
    let own = random().map_err(|_| Refused::Stranger)?;
    let mut proof = [0; PROOF];
    stream
        .write_all(&own)
        .and_then(|()| stream.read_exact(&mut proof))
        .map_err(|_| Refused::Stranger)?;
    // In constant time.
    mac(secret, "rank", &hello, &own)
        .and_then(|mac| mac.verify_slice(&proof).ok())
        .ok_or(Refused::Secret)?;
    if !wanted(rank) {
        return Err(Refused::Taken(rank));
    }
    let answer = mac(secret, "rank 0", &hello, &own).ok_or(Refused::Secret)?;
    stream
        .write_all(&answer.finalize().into_bytes())
        .map_err(|_| Refused::Stranger)?;
    Ok(rank)
}

/// Another rank's half.
///
/// # Errors
/// Whoever listens there is not rank 0 of this run.
pub(super) fn ask(
    mut stream: &TcpStream,
    membership: &Membership,
    secret: &[u8],
    doing: &str,
) -> Result<()> {
    let stranger = |_| {
        Error::Rank(RankFault::Connection {
            doing: doing.to_owned(),
            why: "whoever listens there does not know this run's secret, has another number of ranks, or has this rank \
                  already; give all ranks the same ROOTLET_SECRET, and each run a MASTER_PORT of its own"
                .to_owned(),
        })
    };
    let own = random()?;
    let mut hello = MAGIC.to_vec();
    hello.extend((membership.rank as u32).to_le_bytes());
    hello.extend((membership.size as u32).to_le_bytes());
    hello.extend(own);
    // Rank 0 takes one after the other.
    let patience = PATIENCE * membership.size as u32;
    stream
        .set_read_timeout(Some(patience))
        .map_err(refused(doing))?;
    stream.write_all(&hello).map_err(stranger)?;
    let mut others = [0; RANDOM];
    stream.read_exact(&mut others).map_err(stranger)?;
    let unusable = || stranger(std::io::ErrorKind::InvalidInput.into());
    let proof = mac(secret, "rank", &hello, &others).ok_or_else(unusable)?;
    stream
        .write_all(&proof.finalize().into_bytes())
        .map_err(stranger)?;
    let mut answer = [0; PROOF];
    stream.read_exact(&mut answer).map_err(stranger)?;
    let expected = mac(secret, "rank 0", &hello, &others).ok_or_else(unusable)?;
    expected.verify_slice(&answer).map_err(|_| unusable())
}

fn mac(secret: &[u8], who: &str, hello: &[u8], random: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    for part in [who.as_bytes(), hello, random] {
        mac.update(part);
    }
    Some(mac)
}

fn random() -> Result<[u8; RANDOM]> {
    let mut bytes = [0; RANDOM];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Error::Rank(RankFault::Connection {
            doing: "draw random numbers".to_owned(),
            why: error.to_string(),
        })),
    }
}
