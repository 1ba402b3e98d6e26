//! The order of an epoch that has each class equally often.

use super::shuffle::permutation;
use crate::engine::random::pcg4d;

/// A word of the seed that separates this from other draws.
const SALT: u32 = 0xba1a_0ced;

/// As many places as there are `labels`, each with the number of a sample: all classes that occur are drawn equally
/// often, give or take one. A class's samples have their own order, and each comes once before any comes again.
pub(in crate::data) fn order(labels: impl Iterator<Item = u32>, seed: u32, epoch: u32) -> Vec<u32> {
    let mut members: Vec<Vec<u32>> = Vec::new();
    let mut samples = 0;
    for (number, label) in (0..).zip(labels) {
        let label = label as usize;
        if members.len() <= label {
            members.resize(label + 1, Vec::new());
        }
        members[label].push(number);
        samples += 1;
    }
    members.retain(|class| !class.is_empty());
    let classes = members.len();
    let mut places = vec![0; samples as usize];
    let shuffled = permutation(samples, seed, epoch);
    // Which classes are drawn once more than others is random too.
    let turn = permutation(classes as u32, seed ^ SALT, epoch);
    for (at, &class) in turn.iter().enumerate() {
        let class = class as usize;
        let own = &members[class];
        let (mut round, mut drawn) = (0, Vec::new());
        for place in (at..samples as usize).step_by(classes) {
            if drawn.is_empty() {
                let [word, ..] = pcg4d([seed, SALT, class as u32, round]);
                drawn = permutation(own.len() as u32, word, epoch);
                round += 1;
            }
            if let Some(next) = drawn.pop() {
                places[shuffled[place] as usize] = own[next as usize];
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> impl Iterator<Item = u32> + Clone {
        // Class 2 does not occur.
        [0; 90].into_iter().chain([1; 7]).chain([3; 4])
    }

    #[test]
    fn classes_come_as_often_as_each_other() {
        let own: Vec<u32> = labels().collect();
        let order = order(labels(), 5, 2);
        assert_eq!(order.len(), 101);
        let mut counts = [0; 4];
        let mut seen = vec![0; 101];
        for &sample in &order {
            counts[own[sample as usize] as usize] += 1;
            seen[sample as usize] += 1;
        }
        assert_eq!(counts[2], 0);
        for class in [0, 1, 3] {
            assert!((33..=34).contains(&counts[class]), "{counts:?}");
        }
        // Of the large class no sample twice, of a small one each equally often, give or take one.
        assert!(seen[..90].iter().all(|&n| n <= 1));
        assert!(seen[90..97].iter().all(|n| (4..=5).contains(n)), "{seen:?}");
        assert!(seen[97..].iter().all(|n| (8..=9).contains(n)), "{seen:?}");
    }

    #[test]
    fn a_seed_and_an_epoch_have_one_order() {
        let of = |seed, epoch| order(labels(), seed, epoch);
        assert_eq!(of(5, 2), of(5, 2));
        assert!(of(5, 2) != of(5, 3) && of(5, 2) != of(6, 2));
        assert!(order([].into_iter(), 1, 1).is_empty());
        // Classes are mixed.
        let own: Vec<u32> = labels().collect();
        let first: Vec<u32> = of(5, 2)[..30].iter().map(|&s| own[s as usize]).collect();
        assert!([0, 1, 3].iter().all(|class| first.contains(class)));
    }
}
