//! Ranks on adapters of different kinds, whose sums differ in the last bits: rank 0 decides each round, and the others
//! take its network over.

use super::Trainer;
use crate::checkpoint;
use crate::engine::Device;
use crate::error::Result;
use crate::train::exploration::Exploration;

impl Trainer {
    /// Finds out whether all ranks compute alike.
    ///
    /// # Errors
    /// A rank has left or hangs.
    pub(super) fn compare_adapters(&mut self) -> Result<()> {
        let Some(ranks) = self.device.ranks() else {
            return Ok(());
        };
        let kinds = ranks.gather_everywhere(kind(&self.device).as_bytes())?;
        let other = kinds.iter().position(|kind| kind != &kinds[0]);
        self.unlike = other.is_some();
        if let (Some(rank), true) = (other, ranks.is_first()) {
            let name = |rank: usize| String::from_utf8_lossy(&kinds[rank]);
            self.qualifying.push(format!(
                "rank 0 computes on {}, rank {rank} on {}: their sums differ in the last bits, so the result is not that \
                 of one process; rank 0 decides each round, and the others take its network over there and before each \
                 evaluation",
                name(0),
                name(rank)
            ));
        }
        Ok(())
    }

    /// Replaces the network by that of rank 0.
    ///
    /// # Errors
    /// A rank has left or hangs, or rank 0's weights are NaN.
    pub(super) fn take_over(&mut self) -> Result<()> {
        let Some(ranks) = self.device.ranks().cloned() else {
            return Ok(());
        };
        let [model, manifest] = match ranks.is_first() {
            true => checkpoint::to_bytes(&self.snapshot()?, &self.config.to_toml()?)?,
            false => [Vec::new(), Vec::new()],
        };
        let (model, manifest) = (ranks.share_bytes(model)?, ranks.share_bytes(manifest)?);
        if ranks.is_first() {
            return Ok(());
        }
        let snapshot = checkpoint::from_bytes([&model, &manifest])?.snapshot;
        self.set_state(&snapshot.state)?;
        if let Some(exploration) = &mut self.exploration {
            *exploration = Exploration::new(&snapshot.state.layers, &snapshot.past);
        }
        Ok(())
    }
}

/// What decides about the bits that a device computes.
fn kind(device: &Device) -> String {
    match device.adapter() {
        Some(adapter) => format!("{} ({}, {})", adapter.name, adapter.backend, adapter.driver),
        None => format!("cpu ({}{})", std::env::consts::ARCH, fused()),
    }
}

/// Dense products fuse multiply and add on processors that can.
fn fused() -> &'static str {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if !std::is_x86_feature_detected!("fma") {
        return " without fused multiply-add";
    }
    ""
}
