//! Joining the ranks that a launcher started: torchrun, mpirun, srun, or `rootlet train --processes`.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::ValueEnum;
use rootlet::Result;
use rootlet::command::shared_secret;
use rootlet::low_level::ranks::tcp::{Options, Tcp};
use rootlet::low_level::ranks::{Membership, Ranks};
use rootlet::report::OnRanks;

use super::processes::{SECRET, is_launched};

/// What carries the messages between processes that train together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Transport {
    /// MPI, in a program that was built with the feature `mpi`
    Mpi,
    /// Sockets
    Tcp,
}

/// Whether this program can use MPI.
const HAS_MPI: bool = cfg!(feature = "mpi");

/// The ranks that this process belongs to; `None` if it trains alone. `silence`: seconds after which a silent rank
/// counts as dead. Without a `transport`, processes that mpirun started use MPI if this program has it. `note` is told
/// who is waited for, and who has come.
pub(super) fn join(
    transport: Option<Transport>,
    silence: u64,
    note: fn(&str),
    stop: &AtomicBool,
) -> Result<Option<OnRanks>> {
    let variable = |name: &str| std::env::var(name).ok();
    let by_mpi = HAS_MPI && Membership::is_by_mpi(&variable);
    let silence = Duration::from_secs(silence);
    match transport {
        Some(Transport::Mpi) => join_by_mpi(silence, note).map(Some),
        None if by_mpi => join_by_mpi(silence, note).map(Some),
        _ => join_by_tcp(&variable, silence, note, stop),
    }
}

#[cfg(feature = "mpi")]
fn join_by_mpi(silence: Duration, note: fn(&str)) -> Result<OnRanks> {
    let mpi = rootlet::low_level::ranks::mpi::Mpi::join(silence)?;
    let (local_rank, local_size) = mpi.local();
    let ranks = Ranks::new(mpi);
    if ranks.is_first() {
        note(&format!("{} ranks train together over MPI", ranks.size()));
    }
    Ok(OnRanks {
        ranks,
        local_rank,
        local_size,
        adapter: None,
    })
}

#[cfg(not(feature = "mpi"))]
fn join_by_mpi(_: Duration, _: fn(&str)) -> Result<OnRanks> {
    Err(rootlet::Error::LeftOut {
        what: "has no MPI",
        feature: "mpi",
        way_out: "leave --transport mpi out: under mpirun its processes find each other by TCP",
    })
}

/// Refuses to start processes within a process that a launcher started as one of several.
pub(super) fn check_no_launcher(count: usize) -> Result<()> {
    let variable = |name: &str| std::env::var(name).ok();
    let launched = matches!(Membership::from_environment(&variable), Ok(Some(_)));
    match launched || Membership::is_by_mpi(&variable) {
        false => Ok(()),
        true => Err(rootlet::Error::Usage(format!(
            "--processes {count} within a launcher such as mpirun, srun or torchrun, which starts the processes: leave it \
             out"
        ))),
    }
}

fn join_by_tcp(
    variable: &dyn Fn(&str) -> Option<String>,
    silence: Duration,
    note: fn(&str),
    stop: &AtomicBool,
) -> Result<Option<OnRanks>> {
    let Some(membership) = Membership::from_environment(variable)? else {
        return Ok(None);
    };
    let secret = match variable(SECRET).filter(|secret| !secret.is_empty()) {
        Some(secret) => secret.into_bytes(),
        None => shared_secret()?,
    };
    let options = Options {
        silence,
        note,
        ..Options::with_secret(secret)
    };
    if membership.rank == 0 && !is_launched() {
        note(&format!(
            "rank 0 waits at {} for {} more, for at most {} s",
            membership.place(),
            membership.size - 1,
            options.join.as_secs()
        ));
    }
    let ranks = Ranks::new(Tcp::join(&membership, &options, stop)?);
    if ranks.is_first() {
        note(&format!(
            "{} ranks train together, connected at {}",
            ranks.size(),
            membership.place()
        ));
    }
    Ok(Some(OnRanks {
        ranks,
        local_rank: membership.local_rank,
        local_size: membership.local_size,
        adapter: None,
    }))
}
