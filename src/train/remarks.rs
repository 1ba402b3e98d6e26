//! What one must know of a run's result not to misread it, in whole sentences.

use crate::data::BadImage;
use crate::topology::Schedule;

/// That there is nothing to tell apart.
pub(super) fn single_class(classes: usize) -> Option<String> {
    (classes < 2).then(|| {
        "there is a single class: every network is right, and the accuracy says nothing".to_owned()
    })
}

/// Which images could not be read, the first of many by name.
pub(super) fn bad_images(bad: &[BadImage]) -> Option<String> {
    const MOST: usize = 20;
    let (count, plural) = match bad.len() {
        0 => return None,
        1 => ("1 image".to_owned(), "was"),
        all => (format!("{all} images"), "were"),
    };
    let shown: Vec<String> = bad.iter().take(MOST).map(BadImage::to_string).collect();
    let more = match bad.len() {
        0..=MOST => String::new(),
        all => format!(
            "; and {} more, which `rootlet data check` names",
            all - MOST
        ),
    };
    Some(format!(
        "{count} could not be read and {plural} left out (in training another one of the class took the place): {}{more}",
        shown.join("; ")
    ))
}

/// That a network which gives every class the same probability has a lower loss, ln `classes`.
pub(super) fn worse_than_guessing(loss: f32, classes: usize) -> Option<String> {
    let guessing = (classes as f32).ln();
    (classes > 1 && loss > guessing).then(|| {
        format!(
            "the test loss {loss:.4} is above that of guessing, ln {classes} = {guessing:.4}: the network is worse than none, or \
             far too sure of itself; try a lower --lr, a longer --warmup-epochs, or another --model"
        )
    })
}

/// Why no round is due within so many steps; none if there is one.
pub(super) fn no_round(schedule: &Schedule, steps: u64) -> Option<String> {
    let first = schedule.every;
    if first >= schedule.until {
        return Some(format!(
            "rounds end before step {} (--round-until), and the first would come at step {first} (--round-every)",
            schedule.until
        ));
    }
    (first > steps).then(|| {
        format!(
            "the run ends at step {steps} (--epochs, --steps), and the first would come at step {first} (--round-every)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_round_is_explained_exactly_where_none_is_due() {
        for (every, until, steps) in [
            (10, 30, 30),
            (10, 10, 30),
            (10, 11, 30),
            (31, 60, 30),
            (30, 60, 30),
            (1, 1, 1),
            (5, 0, 9),
        ] {
            let schedule = Schedule {
                alpha: 0.2,
                every,
                until,
            };
            let any = (1..=steps).any(|step| schedule.due(step));
            assert_eq!(no_round(&schedule, steps).is_none(), any, "{schedule:?}");
        }
    }

    #[test]
    fn guessing_is_the_bound() {
        assert_eq!(worse_than_guessing(2.3, 10), None);
        let text = worse_than_guessing(2.31, 10).unwrap();
        assert!(text.contains("ln 10 = 2.3026"), "{text}");
        assert_eq!(worse_than_guessing(5.0, 1), None);
        assert!(single_class(1).is_some() && single_class(2).is_none());
    }
}
