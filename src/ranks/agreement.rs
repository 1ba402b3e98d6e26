//! Whether all ranks have the same.

use super::collective::Ranks;
use crate::error::{Error, RankFault, Result};

impl Ranks {
    /// Compares something that must be the same on all ranks, by its fingerprint. `what`: "the topology after step
    /// 100".
    ///
    /// # Errors
    /// A rank has another one than rank 0: [`Error::Rank`] names it. All ranks return the same error.
    pub fn agree(&self, what: &str, fingerprint: u64) -> Result<()> {
        let all = self.gather_everywhere(&fingerprint.to_le_bytes())?;
        match all.iter().position(|other| other != &all[0]) {
            None => Ok(()),
            Some(rank) => Err(Error::Rank(RankFault::Differs {
                rank,
                what: what.to_owned(),
            })),
        }
    }
}
