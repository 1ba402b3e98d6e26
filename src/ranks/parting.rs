//! What a rank says when it ends: which rank is at fault, and why.

use crate::error::{Error, RankFault};

/// The rank that sends the message.
const OWN: u32 = u32::MAX;

/// The bytes that say why a rank ends: the rank at fault, and the reason.
pub(super) fn to_bytes(why: &Error) -> Vec<u8> {
    let (rank, text) = match why {
        // The others name that rank, as this one does.
        Error::Rank(RankFault::Left { rank, why }) => (*rank as u32, why.clone()),
        other => (OWN, other.to_string()),
    };
    let mut bytes = rank.to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

/// What `sender` says: that it ends by itself, or because of another one.
pub(super) fn from_bytes(sender: usize, bytes: &[u8]) -> RankFault {
    let (rank, text) = match bytes.split_first_chunk() {
        Some((rank, text)) => (u32::from_le_bytes(*rank), text),
        None => (OWN, bytes),
    };
    RankFault::Left {
        rank: match rank {
            OWN => sender,
            other => other as usize,
        },
        why: String::from_utf8_lossy(text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_at_fault_is_named_by_all() {
        let own = Error::Rank(RankFault::Silent {
            rank: 2,
            seconds: 3,
        });
        let RankFault::Left { rank: 1, why } = from_bytes(1, &to_bytes(&own)) else {
            panic!("another fault");
        };
        assert!(why.contains("rank 2 has been silent"), "{why}");
        let other = RankFault::Left {
            rank: 3,
            why: "its disk is full".to_owned(),
        };
        assert_eq!(from_bytes(1, &to_bytes(&Error::Rank(other.clone()))), other);
        assert!(matches!(
            from_bytes(4, &[]),
            RankFault::Left { rank: 4, .. }
        ));
    }
}
