//! What one must know about a run's result not to misread it, in whole sentences.

use crate::data::BadImage;
use crate::error::option::{
    BATCH, EPOCHS, LR, MILESTONES, MODEL, ROUND_BATCHES, ROUND_EVERY, ROUND_UNTIL, SKIP_BAD_IMAGES,
    STEPS, WARMUP_EPOCHS,
};
use crate::topology::Schedule;
use crate::train::TrainConfig;
use crate::words::counted;

/// That there is only one class.
pub(super) fn single_class(classes: usize) -> Option<String> {
    (classes < 2).then(|| {
        "there is a single class: every network is right, and the accuracy says nothing".to_owned()
    })
}

/// Notes about values that exceed the available samples or steps, and their effect.
pub(super) fn past_the_end(
    config: &TrainConfig,
    sample: &str,
    images: usize,
    stages: u32,
) -> Vec<String> {
    let epochs = f64::from(config.run.epochs);
    let last = match config.run.epochs {
        1 => "the only epoch".to_owned(),
        epochs => format!("the last of {epochs} epochs"),
    };
    let mut notes = Vec::new();
    let mut note = |wrong: bool, text: String| notes.extend(wrong.then_some(text));
    note(
        config.run.batch > images,
        format!(
            "{BATCH} {} is more than the {images} training {sample}s: every step takes all of them",
            config.run.batch
        ),
    );
    let late: Vec<String> = (config.optimiser.milestones.iter())
        .filter(|&&at| at >= epochs)
        .map(f64::to_string)
        .collect();
    note(
        !late.is_empty(),
        format!(
            "{MILESTONES} {} change nothing: they are past {last}",
            late.join(",")
        ),
    );
    note(
        config.optimiser.warmup_epochs >= epochs,
        format!(
            "{WARMUP_EPOCHS} {} end past {last}: the learning rate does not reach {LR}",
            config.optimiser.warmup_epochs
        ),
    );
    note(
        config
            .topology
            .round_until
            .is_some_and(|until| until > epochs),
        format!("{ROUND_UNTIL} {} is past {last}", config.round_until()),
    );
    let batches = images.div_ceil(config.run.batch.max(1));
    let all = batches as u64 * u64::from(config.run.epochs) * u64::from(stages);
    note(
        config.run.steps.is_some_and(|steps| steps > all),
        format!(
            "{STEPS} {} are more than the run has: it ends after {all}, with {last}",
            config.run.steps.unwrap_or(0)
        ),
    );
    note(
        config.topology.round_batches > batches + 1,
        format!(
            "{ROUND_BATCHES} {} are more than there are: all {images} training {sample}s score a round's candidates",
            config.topology.round_batches
        ),
    );
    notes
}

/// How many of a folder's entries are left out from the start.
pub(super) fn left_out(bad: &[BadImage]) -> Option<String> {
    (!bad.is_empty()).then(|| {
        let entries = match bad.len() {
            1 => "1 entry".to_owned(),
            count => format!("{count} entries"),
        };
        format!(
            "left out of the folder, for they are no files of images: {entries}; the end of the run lists them"
        )
    })
}

/// Which images could not be read, naming the first of many.
pub(super) fn bad_images(bad: &[BadImage]) -> Option<String> {
    const MOST: usize = 20;
    let were = match bad.len() {
        0 => return None,
        1 => "was",
        _ => "were",
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
        "{} could not be read and {were} left out (see {SKIP_BAD_IMAGES}): {}{more}",
        counted(bad.len() as u64, "image"),
        shown.join("; ")
    ))
}

/// That a network which gives every class the same probability would have a lower loss, ln `classes`.
pub(super) fn worse_than_guessing(
    loss: f32,
    classes: usize,
    config: &TrainConfig,
) -> Option<String> {
    let guessing = (classes as f32).ln();
    let way_out = match config.optimiser.warmup_epochs >= f64::from(config.run.epochs) {
        true => format!("the learning rate never rose to {LR}: try a shorter {WARMUP_EPOCHS}"),
        false => format!("try a lower {LR}, a longer {WARMUP_EPOCHS}, or another {MODEL}"),
    };
    (classes > 1 && loss > guessing).then(|| {
        format!(
            "the test loss {loss:.4} is above that of guessing, ln {classes} = {guessing:.4}: the network is worse \
             than none, or far too sure of itself; {way_out}"
        )
    })
}

/// Why no round is due within this many steps; none if there is one.
pub(super) fn no_round(schedule: &Schedule, steps: u64) -> Option<String> {
    let first = schedule.every;
    if first >= schedule.until {
        return Some(format!(
            "rounds end before step {} ({ROUND_UNTIL}), and the first would come at step {first} ({ROUND_EVERY})",
            schedule.until
        ));
    }
    (first > steps).then(|| {
        format!(
            "the run ends at step {steps} ({EPOCHS}, {STEPS}), and the first would come at step {first} ({ROUND_EVERY})"
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
    fn what_reaches_past_the_end_is_said_and_nothing_else() {
        let config = TrainConfig::default();
        assert_eq!(past_the_end(&config, "image", 320, 1), Vec::<String>::new());
        let mut ends = config.clone();
        ends.run.batch = 320;
        ends.optimiser.milestones = vec![8.0, 19.0];
        ends.optimiser.warmup_epochs = 19.0;
        ends.topology.round_until = Some(20.0);
        ends.topology.round_batches = 2;
        ends.run.steps = Some(20);
        assert_eq!(past_the_end(&ends, "image", 320, 1), Vec::<String>::new());
        let mut past = config;
        past.run.batch = 321;
        past.optimiser.milestones = vec![8.0, 20.0, 31.5];
        past.optimiser.warmup_epochs = 20.0;
        past.topology.round_until = Some(20.5);
        past.topology.round_batches = 3;
        past.run.steps = Some(21);
        let notes = past_the_end(&past, "image", 320, 1);
        for (note, start) in notes.iter().zip([
            "`batch` 321 is more than the 320 training images",
            "`milestones` 20,31.5 change nothing: they are past the last of 20 epochs",
            "`warmup_epochs` 20 end past",
            "`round_until` 20.5 is past",
            "`steps` 21 are more than the run has: it ends after 20",
            "`round_batches` 3 are more than there are: all 320",
        ]) {
            assert!(note.starts_with(start), "{note}");
        }
        assert_eq!(notes.len(), 6, "{notes:?}");
    }

    #[test]
    fn guessing_is_the_bound() {
        let config = TrainConfig::default();
        assert_eq!(worse_than_guessing(2.3, 10, &config), None);
        let text = worse_than_guessing(2.31, 10, &config).unwrap();
        assert!(text.contains("ln 10 = 2.3026"), "{text}");
        assert!(text.contains("a longer `warmup_epochs`"), "{text}");
        assert_eq!(worse_than_guessing(5.0, 1, &config), None);
        let mut endless = config;
        endless.optimiser.warmup_epochs = 1e9;
        let text = worse_than_guessing(2.31, 10, &endless).unwrap();
        assert!(text.ends_with("try a shorter `warmup_epochs`"), "{text}");
        assert!(single_class(1).is_some() && single_class(2).is_none());
    }
}
