//! Loss and score of the latest batches, which stay on the device until the host reads them.

use std::ops::Range;

use crate::engine::{Buffer, Device};
use crate::error::Result;

/// Batches whose loss and score the device keeps for the host to read: the maximum between two read-backs.
pub const RING: usize = 1024;

/// Loss and score of one batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchResult {
    /// Sum of the losses of its samples.
    pub loss: f32,
    /// Sum of the metric's scores of its samples; for accuracy, the number whose class was found. 0 without a metric.
    pub score: f32,
}

/// The results in these slots: numbers of batches, of which the ring has the last.
pub(super) fn read_ring(
    device: &Device,
    ring: &Buffer,
    slots: Range<u64>,
) -> Result<Vec<BatchResult>> {
    let words: Vec<f32> = device.download(&ring.all())?;
    Ok(slots
        .map(|slot| {
            let at = 2 * (slot % RING as u64) as usize;
            BatchResult {
                loss: words[at],
                score: words[at + 1],
            }
        })
        .collect())
}
