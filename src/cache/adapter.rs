//! The identity of an adapter.

use std::any::TypeId;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::engine::{AdapterSummary, Device};

/// An adapter with its driver, and the kernels that were run on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownAdapter {
    name: String,
    kind: String,
    backend: String,
    driver: String,
    /// Version of rootlet, hash of the sources of its kernels, and the [`build`].
    rootlet: String,
}

impl KnownAdapter {
    /// An adapter, with the kernels of this build.
    pub fn of(adapter: &AdapterSummary) -> Self {
        KnownAdapter {
            name: adapter.name.clone(),
            kind: adapter.kind.to_owned(),
            backend: adapter.backend.clone(),
            driver: adapter.driver.clone(),
            rootlet: current(),
        }
    }

    /// Whether it was known with the kernels of this build.
    pub fn is_current(&self) -> bool {
        self.rootlet == current()
    }

    /// The adapter's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An adapter with this driver.
    #[cfg(test)]
    pub(crate) fn sample(driver: &str) -> Self {
        KnownAdapter {
            name: "Radeon".into(),
            kind: "discrete GPU".into(),
            backend: "Vulkan".into(),
            driver: driver.into(),
            rootlet: "0.1.0 0123".into(),
        }
    }
}

/// The kernels of this build.
fn current() -> String {
    format!(
        "{} {} {:016x}",
        env!("CARGO_PKG_VERSION"),
        env!("ROOTLET_SOURCES"),
        build()
    )
}

/// What distinguishes this crate from others for the compiler. It depends on the versions of all crates below,
/// including naga and wgpu, and on that of the compiler, whichever lock file chose them. Nothing else gives these
/// versions to a library that other crates are built with. A needless difference only costs a verification.
fn build() -> u64 {
    let mut hash = Xxh3::new();
    TypeId::of::<Device>().hash(&mut hash);
    hash.finish()
}
