//! What ranks tell each other when one of them fails, stops, or has something else.

use std::sync::atomic::{AtomicBool, Ordering};

use rootlet::error::RankFault;
use rootlet::low_level::ranks::Ranks;
use rootlet::prelude::*;

use super::together::{digits, on_ranks, options, train};

/// What a rank that has something else than others ends with.
fn ends(
    size: usize,
    work: impl Fn(&Ranks) -> Result<()> + Send + Sync + Clone + 'static,
) -> Vec<Error> {
    on_ranks(size, &options(), move |ranks| work(&ranks).err().unwrap())
}

#[test]
fn a_rank_that_differs_is_named_by_all() {
    let errors = ends(3, |ranks| {
        ranks.agree("the colour", 7)?;
        ranks.agree("the topology", u64::from(ranks.rank() == 2))
    });
    for error in errors {
        match error {
            Error::Rank(RankFault::Differs { rank: 2, what }) => assert_eq!(what, "the topology"),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_rank_that_leaves_says_why_to_all() {
    let errors = ends(3, |ranks| {
        if ranks.rank() == 1 {
            let error = Error::Usage("the disk is full".to_owned());
            ranks.leave(&error);
            return Err(error);
        }
        ranks.barrier().inspect_err(|error| ranks.leave(error))
    });
    for (rank, error) in errors.iter().enumerate().filter(|(rank, _)| *rank != 1) {
        match error {
            Error::Rank(RankFault::Left { rank: 1, why }) => assert_eq!(why, "the disk is full"),
            other => panic!("rank {rank}: {other}"),
        }
    }
}

#[test]
fn a_rank_that_vanishes_is_named_by_all() {
    let errors = ends(3, |ranks| {
        match ranks.rank() {
            // Its sockets close.
            2 => Err(Error::Stopped),
            _ => ranks.barrier().inspect_err(|error| ranks.leave(error)),
        }
    });
    for error in &errors[..2] {
        assert!(
            matches!(error, Error::Rank(RankFault::Left { rank: 2, why }) if why.is_empty()),
            "{error}"
        );
    }
}

#[test]
fn other_options_and_other_data_are_found_before_the_first_step() {
    for what in ["the options", "the data"] {
        let errors = ends(2, move |ranks| {
            let mut config = TrainConfig::default();
            config.run.batch = 40;
            let mut data = digits();
            match (ranks.rank(), what) {
                (1, "the options") => config.optimiser.lr = Some(0.2),
                (1, _) => data.name = "others".to_owned(),
                _ => {}
            }
            train(&config, &data, Some(ranks.clone())).map(|_| ())
        });
        for error in errors {
            match error {
                Error::Rank(RankFault::Differs {
                    rank: 1,
                    what: told,
                }) => assert_eq!(told, what),
                other => panic!("{other}"),
            }
        }
    }
}

/// One rank asks to stop: all stop after the same step, with the same network.
#[test]
fn a_stop_on_one_rank_stops_all_after_the_same_step() {
    let steps = on_ranks(3, &options(), |ranks| {
        let mut device = Device::cpu(1).unwrap();
        device.join(ranks.clone());
        let mut config = TrainConfig::default();
        config.model.hidden = vec![16];
        config.run.batch = 30;
        config.run.epochs = 1000;
        let mut trainer = Trainer::new(device, config, digits()).unwrap();
        let stop = AtomicBool::new(false);
        let own = ranks.rank();
        let mut at_first_epoch = |event: &Event| {
            if let (Event::Epoch(_), 1) = (event, own) {
                stop.store(true, Ordering::Relaxed);
            }
            Ok(())
        };
        let finished = trainer
            .run(&mut Hooks {
                stop: &stop,
                ..Hooks::observing(&mut at_first_epoch)
            })
            .unwrap();
        assert!(finished.interrupted);
        (finished.step, finished.test_loss.to_bits())
    });
    assert!(steps[0].0 > 0);
    assert!(steps.iter().all(|end| *end == steps[0]), "{steps:?}");
}

/// A loss that is not a number ends all ranks at the same step, with the same error.
#[test]
fn all_ranks_diverge_together() {
    let ends = on_ranks(2, &options(), |ranks| {
        let mut config = TrainConfig::default();
        config.run.batch = 40;
        config.optimiser.lr = Some(1e6);
        train(&config, &digits(), Some(ranks))
            .err()
            .unwrap()
            .to_string()
    });
    assert!(ends[0].contains("step"), "{}", ends[0]);
    assert_eq!(ends[0], ends[1]);
}
