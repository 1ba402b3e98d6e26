//! The message of a step: what is added up over the ranks, and what each rank adds to a list.

use super::collective::{Ranks, other_message};
use super::packing::Packing;
use crate::clock::Instant;
use crate::error::Result;

/// Whether the sender has a micro-batch in this turn.
const ADDS: u32 = 1;
/// Whether it asks to stop.
const STOP: u32 = 2;

/// What all ranks know after an exchange, besides the sums.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchanged {
    /// The lists of the ranks that added something, in their order.
    pub lists: Vec<Vec<f32>>,
}

impl Ranks {
    /// Replaces `sums` by the sum over the ranks, in their order, and collects their lists. A rank that does not `add`
    /// sends only whether it asks to stop. Rank 0 always adds. What the other ranks add, and the sums, travel as `packing`
    /// says.
    ///
    /// # Errors
    /// A rank has left or hangs, or sends a message of another size: [`Error::Rank`](crate::Error::Rank) names
    /// it.
    pub fn exchange(
        &self,
        sums: &mut [f32],
        list: &[f32],
        adds: bool,
        packing: &Packing,
    ) -> Result<Exchanged> {
        let mut flags = if adds { ADDS } else { 0 };
        if self.wants_to_stop() {
            flags |= STOP;
        }
        let mut own = flags.to_le_bytes().to_vec();
        // Rank 0 has its sums here.
        if adds && !self.is_first() {
            packing.write(sums, &mut own);
        }
        if adds {
            own.extend(bytemuck::cast_slice::<f32, u8>(list));
        }
        let began = Instant::now();
        let mut bytes_here = 0;
        let (mut stops, mut lists) = (false, Vec::new());
        let numbers = packing.bytes(sums.len());
        self.transport().gather(&own, &mut |rank, bytes| {
            bytes_here += if rank > 0 { bytes.len() } else { 0 };
            let (flags, mut rest) = word(bytes).ok_or_else(|| other_message(rank))?;
            stops |= flags & STOP != 0;
            if flags & ADDS == 0 {
                return Ok(());
            }
            if rest.len() != list.len() * 4 + if rank > 0 { numbers } else { 0 } {
                return Err(other_message(rank));
            }
            if rank > 0 {
                let (found, more) = rest.split_at(numbers);
                rest = more;
                let found = packing.read(found);
                for (sum, found) in sums.iter_mut().zip(found) {
                    *sum += found;
                }
            }
            lists.push(rest.to_vec());
            Ok(())
        })?;
        let mut all = Vec::new();
        if self.is_first() {
            all.extend(u32::from(stops).to_le_bytes());
            all.extend((lists.len() as u32).to_le_bytes());
            packing.write(sums, &mut all);
            all.extend(lists.concat());
        }
        self.transport().broadcast(&mut all)?;
        bytes_here += match self.is_first() {
            true => (self.size() - 1) * all.len(),
            false => own.len() + all.len(),
        };
        self.count(bytes_here, began.elapsed());
        let (stops, rest) = word(&all).ok_or_else(|| other_message(0))?;
        let (count, rest) = word(rest).ok_or_else(|| other_message(0))?;
        let count = count as usize;
        let (found, rest) = (rest.split_at_checked(numbers)).ok_or_else(|| other_message(0))?;
        sums.copy_from_slice(&packing.read(found));
        self.all_stop(stops != 0);
        if rest.len() != count * list.len() * 4 {
            return Err(other_message(0));
        }
        let lists = match list.len() {
            0 => vec![Vec::new(); count],
            words => rest
                .chunks(4 * words)
                .map(bytemuck::pod_collect_to_vec)
                .collect(),
        };
        Ok(Exchanged { lists })
    }
}

/// The word that a message begins with, and the rest.
fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*word), rest))
}
