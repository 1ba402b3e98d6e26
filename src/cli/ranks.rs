//! Joining the ranks that a launcher started: torchrun, mpirun, srun, or `rootlet train --processes`.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rootlet::Result;
use rootlet::command::shared_secret;
use rootlet::low_level::ranks::tcp::{Options, Tcp};
use rootlet::low_level::ranks::{Membership, Ranks};
use rootlet::report::OnRanks;

use super::output;
use super::processes::{SECRET, is_launched};

/// The ranks that this process belongs to; `None` if it trains alone. `silence`: seconds after which a silent rank
/// counts as dead.
pub(super) fn join(silence: u64, stop: &AtomicBool) -> Result<Option<OnRanks>> {
    let variable = |name: &str| std::env::var(name).ok();
    let Some(membership) = Membership::from_environment(&variable)? else {
        return Ok(None);
    };
    let secret = match variable(SECRET).filter(|secret| !secret.is_empty()) {
        Some(secret) => secret.into_bytes(),
        None => shared_secret()?,
    };
    let options = Options {
        silence: Duration::from_secs(silence),
        ..Options::with_secret(secret)
    };
    if membership.rank == 0 && !is_launched() {
        output::note(&format!(
            "rank 0 waits at {} for {} more, for at most {} s",
            membership.place(),
            membership.size - 1,
            options.join.as_secs()
        ));
    }
    let ranks = Ranks::new(Tcp::join(&membership, &options, stop)?);
    if ranks.is_first() {
        output::note(&format!(
            "{} ranks train together, connected at {}",
            ranks.size(),
            membership.place()
        ));
    }
    Ok(Some(OnRanks { ranks, membership }))
}
