//! A connection to another rank: messages with their kind and length before them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::refused::refused;
use crate::error::{Error, RankFault, Result};
use crate::ranks::parting;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
pub(super) enum Kind {
    /// What a collective operation sends.
    Data = 0,
    /// The sender is alive; no bytes.
    Alive = 1,
    /// A rank ends: its number, and why.
    Left = 2,
}

/// The kind and the length.
const HEADER: usize = 9;

/// Memory is reserved for what has come, not for what is announced.
const PIECE: usize = 1 << 20;

/// A connection to another rank.
pub(super) struct Link {
    pub rank: usize,
    reader: Mutex<TcpStream>,
    writer: Mutex<TcpStream>,
    silence: Duration,
}

impl Link {
    /// A connection to `rank`, which may be silent for so long.
    pub fn new(rank: usize, stream: TcpStream, silence: Duration) -> Result<Self> {
        let doing = format!("set up the connection to rank {rank}");
        let set = || {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(silence))?;
            stream.set_write_timeout(Some(silence))?;
            stream.try_clone()
        };
        let other = set().map_err(refused(&doing))?;
        Ok(Link {
            rank,
            reader: Mutex::new(stream),
            writer: Mutex::new(other),
            silence,
        })
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The rank is gone or does not read: [`Error::Rank`].
    pub fn send(&self, kind: Kind, bytes: &[u8]) -> Result<()> {
        let mut header = [kind as u8; HEADER];
        header[1..].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
        let mut writer = lock(&self.writer);
        let sent = writer
            .write_all(&header)
            .and_then(|()| writer.write_all(bytes));
        drop(writer);
        sent.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => self.fault(&error),
            // It may have said why before it hung up.
            _ => match self.receive() {
                Err(said) => said,
                Ok(_) => self.fault(&error),
            },
        })
    }

    /// Says that this process is alive, unless a message is on its way, which says it too.
    pub fn pulse(&self) {
        if let Ok(mut writer) = self.writer.try_lock() {
            let mut header = [0; HEADER];
            header[0] = Kind::Alive as u8;
            // If the rank is gone, whoever waits for it finds out.
            let _ = writer.write_all(&header);
        }
    }

    /// The bytes of the next message.
    ///
    /// # Errors
    /// A rank has left, or this one is silent: [`Error::Rank`] names it.
    pub fn receive(&self) -> Result<Vec<u8>> {
        let mut reader = lock(&self.reader);
        loop {
            let mut header = [0; HEADER];
            let mut read = |bytes: &mut [u8]| reader.read_exact(bytes).map_err(|e| self.fault(&e));
            read(&mut header)?;
            let [kind, length @ ..] = header;
            let length = u64::from_le_bytes(length);
            let mut bytes = Vec::new();
            while (bytes.len() as u64) < length {
                let start = bytes.len();
                let more = (length - start as u64).min(PIECE as u64) as usize;
                bytes.resize(start + more, 0);
                read(&mut bytes[start..])?;
            }
            match kind {
                0 => return Ok(bytes),
                1 => {}
                2 => return Err(Error::Rank(parting::from_bytes(self.rank, &bytes))),
                _ => return Err(Error::Rank(RankFault::OtherMessage { rank: self.rank })),
            }
        }
    }

    fn fault(&self, error: &std::io::Error) -> Error {
        Error::Rank(match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => RankFault::Silent {
                rank: self.rank,
                seconds: self.silence.as_secs(),
            },
            _ => RankFault::Left {
                rank: self.rank,
                why: String::new(),
            },
        })
    }
}

/// A thread that panicked while it held the lock has ended its process's part.
fn lock(stream: &Mutex<TcpStream>) -> MutexGuard<'_, TcpStream> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}
