//! The only place where the engine blocks. A browser build would await here instead.

use crate::error::{Error, Result};

/// Resolves a wgpu future.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    pollster::block_on(future)
}

/// Waits for a submission, or for all of them.
pub(super) fn poll(device: &wgpu::Device, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
    device
        .poll(wgpu::PollType::Wait {
            submission_index: submission,
            timeout: None,
        })
        .map(|_| ())
        .map_err(|e| Error::Device(format!("waiting for the device failed: {e}")))
}
