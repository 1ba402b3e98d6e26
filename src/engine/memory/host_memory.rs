//! How much memory this machine can still provide. This is checked before anything large is allocated on the host,
//! because a system that promises more than it has kills the process later, without a word.

use crate::error::{Error, Remedies, Result};

/// Bytes that are available now, if the system reports it (Linux, macOS, Windows).
pub(crate) fn available() -> Option<u64> {
    system()
}

#[cfg(any(windows, target_os = "macos"))]
fn system() -> Option<u64> {
    use sysinfo::{MemoryRefreshKind, RefreshKind, System};

    let memory = MemoryRefreshKind::nothing().with_ram();
    let system = System::new_with_specifics(RefreshKind::nothing().with_memory(memory)).ok()?;
    // 0 means that the system did not answer.
    Some(system.available_memory()).filter(|&bytes| bytes > 0)
}

/// What is available, or what the container may still use.
#[cfg(not(any(windows, target_os = "macos")))]
fn system() -> Option<u64> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    let machine = kibibytes(&meminfo, "MemAvailable:")?.saturating_mul(1024);
    let number = |path: &str| {
        std::fs::read_to_string(path)
            .ok()?
            .trim()
            .parse::<u64>()
            .ok()
    };
    let container = match (
        number("/sys/fs/cgroup/memory.max"),
        number("/sys/fs/cgroup/memory.current"),
    ) {
        (Some(most), Some(used)) => most.saturating_sub(used),
        _ => u64::MAX,
    };
    Some(machine.min(container))
}

#[cfg(any(test, not(any(windows, target_os = "macos"))))]
fn kibibytes(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Refuses `bytes` more for `what` if that exceeds `limit`, the bytes available.
pub(crate) fn admit(what: &str, bytes: u64, limit: Option<u64>) -> Result<()> {
    match limit {
        Some(limit) if bytes > limit => Err(refusal(what, bytes, limit)),
        _ => Ok(()),
    }
}

/// The error for something that this machine's memory cannot hold.
pub(crate) fn refusal(what: &str, bytes: u64, limit: u64) -> Error {
    Error::Limit {
        buffer: what.to_owned(),
        bytes,
        limit,
        what: "this machine's free memory".to_owned(),
        remedies: Remedies::MEMORY,
    }
}

/// The error for memory that the system refuses although this much is free, as far as is known.
pub(crate) fn refused(what: &str, bytes: u64, free: Option<u64>) -> Error {
    let why = free.map(|free| {
        format!(
            "{free} bytes are free, so a limit of the shell or the container (ulimit -v, cgroup) is below that: raise it"
        )
    });
    Error::Memory {
        buffer: what.to_owned(),
        bytes,
        why,
        remedies: Remedies::MEMORY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_from_the_systems_table() {
        let table = "MemTotal:       24117248 kB\nMemFree:        18874368 kB\nMemAvailable:   22665584 kB\n";
        assert_eq!(kibibytes(table, "MemAvailable:"), Some(22_665_584));
        assert_eq!(kibibytes(table, "Nothing:"), None);
        assert!(admit("x", 9, Some(8)).is_err());
        assert!(admit("x", 8, Some(8)).is_ok());
        assert!(admit("x", u64::MAX, None).is_ok());
    }

    /// The sentence must be true: more is free than was requested.
    #[test]
    fn what_a_limit_refuses_is_not_told_as_too_little_memory() {
        let message = refused("x", 27_086_032, Some(20_776_423_424)).to_string();
        for part in [
            "the allocation of 27086032 bytes for buffer `x` was refused",
            "20776423424 bytes are free, so a limit of the shell or the container (ulimit -v, cgroup) is below that: \
             raise it",
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert!(!refused("x", 8, None).to_string().contains("free"));
    }
}
