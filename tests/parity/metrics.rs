//! Metrics: the kernels compared with their twins and with plain formulas, on outputs filled with noise; and the
//! numbers of a whole evaluation, compared with scikit-learn.

use crate::fixture::{Fixture, in_lanes};
use crate::kernels::{near, noise, put, read, run, step};
use crate::{Random, devices, still};
use rootlet::data::{TargetKind, Targets};
use rootlet::engine::{Class, Device, Grid};
use rootlet::loss::{
    AbsoluteErrorScore, AbsoluteErrorScoreParams, ExactMatchScore, ExactMatchScoreParams, Outcomes,
    PrecisionAtScore, PrecisionAtScoreParams, SquaredErrorScore, SquaredErrorScoreParams,
    TopKScore, TopKScoreParams,
};

/// Outputs, lanes and samples.
const SIZES: [[usize; 3]; 6] = [
    [1, 4, 1],
    [2, 4, 3],
    [5, 68, 65],
    [10, 128, 128],
    [1000, 12, 9],
    [7, 260, 259],
];

/// The ranking of a lane's outputs, the best first; among equal ones the first.
fn ranked(logits: &[f32], lane: usize, lanes: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..logits.len() / lanes).collect();
    let at = |c: usize| logits[c * lanes + lane];
    order.sort_by(|&a, &b| at(b).partial_cmp(&at(a)).unwrap());
    order
}

/// Numbers, many of which are equal.
fn coarse(random: &mut Random, n: usize) -> Vec<f32> {
    let reals = random.reals(n, 8.0);
    reals.iter().map(|x| (x.round() + 0.5) / 2.0).collect()
}

#[test]
fn the_class_is_among_the_first() {
    let mut random = Random(21);
    for device in devices() {
        for [classes, lanes, count] in SIZES {
            let logits = coarse(&mut random, classes * lanes);
            let labels: Vec<u32> = (0..lanes).map(|_| random.below(classes) as u32).collect();
            for k in [1, 5] {
                let scores = noise(&device, lanes);
                let held = device.buffer_with("labels", Class::Data, &labels).unwrap();
                let kernel = TopKScore {
                    params: TopKScoreParams {
                        classes: classes as u32,
                        lanes: lanes as u32,
                        k: k as u32,
                    },
                    step: step(&device, still(count)).all(),
                    logits: put(&device, &logits).all(),
                    labels: held.all(),
                    scores: scores.all(),
                };
                run(&device, kernel, Grid::Items(lanes));
                for (lane, &found) in read(&device, &scores).iter().enumerate() {
                    let order = ranked(&logits, lane, lanes);
                    let hit = order.iter().take(k).any(|&c| c == labels[lane] as usize);
                    let expected = f32::from(u8::from(hit && lane < count));
                    assert_eq!(found, expected, "{}, {classes}, top {k}", device.name());
                }
            }
        }
    }
}

#[test]
fn several_classes_are_found() {
    let mut random = Random(22);
    for device in devices() {
        for [classes, lanes, count] in SIZES {
            let logits = coarse(&mut random, classes * lanes);
            let mut flags: Vec<f32> = (0..logits.len()).map(|_| random.below(2) as f32).collect();
            // Some samples that are predicted exactly.
            for (at, flag) in flags.iter_mut().enumerate() {
                if at % lanes % 3 == 0 {
                    *flag = f32::from(u8::from(logits[at] > 0.0));
                }
            }
            let at = format!("{}, {classes} classes", device.name());
            let told = |lane: usize| (0..classes).map(move |c| c * lanes + lane);
            let scores = exact(&device, &logits, &flags, [classes, lanes, count]);
            for (lane, &found) in scores.iter().enumerate() {
                let right = told(lane).all(|at| (logits[at] > 0.0) == (flags[at] > 0.5));
                assert_eq!(found, f32::from(u8::from(right && lane < count)), "{at}");
            }
            for k in [1, 3, 5] {
                if k > classes {
                    continue;
                }
                let scores = noise(&device, lanes);
                let kernel = PrecisionAtScore {
                    params: PrecisionAtScoreParams {
                        classes: classes as u32,
                        lanes: lanes as u32,
                        k: k as u32,
                    },
                    step: step(&device, still(count)).all(),
                    logits: put(&device, &logits).all(),
                    applies: put(&device, &flags).all(),
                    scores: scores.all(),
                };
                run(&device, kernel, Grid::Items(lanes));
                for (lane, &found) in read(&device, &scores).iter().enumerate() {
                    let order = ranked(&logits, lane, lanes);
                    let first = order.iter().take(k).map(|&c| flags[c * lanes + lane]);
                    let share = first.sum::<f32>() / k as f32;
                    assert_eq!(found, if lane < count { share } else { 0.0 }, "{at}, {k}");
                }
            }
        }
    }
}

fn exact(
    device: &Device,
    logits: &[f32],
    flags: &[f32],
    [outputs, lanes, count]: [usize; 3],
) -> Vec<f32> {
    let scores = noise(device, lanes);
    let kernel = ExactMatchScore {
        params: ExactMatchScoreParams {
            outputs: outputs as u32,
            lanes: lanes as u32,
        },
        step: step(device, still(count)).all(),
        output: put(device, logits).all(),
        targets: put(device, flags).all(),
        scores: scores.all(),
    };
    run(device, kernel, Grid::Items(lanes));
    read(device, &scores)
}

#[test]
fn errors_are_in_their_units() {
    let mut random = Random(23);
    for device in devices() {
        for [outputs, lanes, count] in SIZES {
            let output = random.reals(outputs * lanes, 3.0);
            let targets = random.reals(outputs * lanes, 3.0);
            let units: Vec<f32> = random.reals(outputs, 1.0).iter().map(|u| u + 1.5).collect();
            let [absolute, squared] = [0, 1].map(|_| noise(&device, lanes));
            let views = || [&output, &targets, &units].map(|numbers| put(&device, numbers).all());
            let [own, compared, factors] = views();
            let kernel = AbsoluteErrorScore {
                params: AbsoluteErrorScoreParams {
                    outputs: outputs as u32,
                    lanes: lanes as u32,
                },
                step: step(&device, still(count)).all(),
                output: own,
                targets: compared,
                scores: absolute.all(),
                units: factors,
            };
            run(&device, kernel, Grid::Items(lanes));
            let [own, compared, factors] = views();
            let kernel = SquaredErrorScore {
                params: SquaredErrorScoreParams {
                    outputs: outputs as u32,
                    lanes: lanes as u32,
                },
                step: step(&device, still(count)).all(),
                output: own,
                targets: compared,
                scores: squared.all(),
                units: factors,
            };
            run(&device, kernel, Grid::Items(lanes));
            let [absolute, squared] = [absolute, squared].map(|buffer| read(&device, &buffer));
            for (lane, (&absolute, &squared)) in absolute.iter().zip(&squared).enumerate() {
                let errors = (0..outputs).map(|o| {
                    let at = o * lanes + lane;
                    (f64::from(output[at]) - f64::from(targets[at])) * f64::from(units[o])
                });
                let errors: Vec<f64> = errors.collect();
                let mean = |of: fn(&f64) -> f64| match lane < count {
                    true => errors.iter().map(of).sum::<f64>() / outputs as f64,
                    false => 0.0,
                };
                near(device.name(), absolute, mean(|e| e.abs()), 1e-6);
                near(device.name(), squared, mean(|e| e * e), 1e-6);
            }
        }
    }
}

/// The samples in batches of `batch`, in rows that are longer by some padding, which holds garbage.
fn outcomes(case: &str, batch: usize) -> (Fixture, Outcomes) {
    let fixture = Fixture::open("metrics.safetensors");
    let reals = |name: &str| fixture.reals(&format!("{case}.{name}"));
    let [samples, outputs] = fixture.shape(&format!("{case}.outputs"))[..] else {
        panic!("no matrix");
    };
    let kind = match case {
        "labels" => TargetKind::Labels,
        "flags" => TargetKind::Flags(outputs),
        _ => TargetKind::Values(outputs),
    };
    let mut all = Outcomes::new(kind, outputs);
    for first in (0..samples).step_by(batch) {
        let count = batch.min(samples - first);
        let lanes = count + 5;
        let laid = |numbers: &[f32]| {
            let own = &numbers[first * outputs..][..count * outputs];
            let mut rows = in_lanes(own, count, lanes);
            for row in rows.chunks_mut(lanes) {
                row[count..].fill(f32::NAN);
            }
            rows
        };
        let targets = match case {
            "labels" => {
                let labels = fixture.integers("labels.labels");
                let mut own = labels[first..][..count].to_vec();
                own.resize(lanes, u32::MAX);
                Targets::Labels(own)
            }
            "flags" => Targets::Flags(laid(&reals("flags"))),
            _ => Targets::Values(laid(&reals("values"))),
        };
        all.add(&laid(&reals("outputs")), &targets, lanes, count)
            .unwrap();
    }
    (fixture, all)
}

#[test]
fn whole_evaluations_are_told_as_by_scikit_learn() {
    for (case, names) in [
        (
            "labels",
            &["top-5", "balanced-accuracy", "macro-F1", "AUC"][..],
        ),
        (
            "flags",
            &["P@1", "P@3", "P@5", "exact-match", "macro-F1", "AUC"],
        ),
        ("values", &["RMSE", "MAE", "R2"]),
    ] {
        for batch in [7, 64, 1000] {
            let (fixture, outcomes) = outcomes(case, batch);
            let measures = outcomes.measures();
            let told: Vec<_> = measures.iter().map(|measure| measure.name).collect();
            assert_eq!(told, names);
            for measure in measures {
                let expected = fixture.reals(&format!("{case}.{}", measure.name))[0];
                let error = (measure.value - f64::from(expected)).abs();
                let at = format!("{case}, {}: {} and {expected}", measure.name, measure.value);
                // The fixture is in f32.
                assert!(error <= 2e-7 * f64::from(expected.abs()), "{at}");
                assert_eq!(
                    measure.higher_is_better,
                    !["RMSE", "MAE"].contains(&measure.name)
                );
            }
        }
    }
}

#[test]
fn classes_are_told_one_by_one() {
    let (fixture, outcomes) = outcomes("labels", 64);
    let classes = outcomes.classes();
    let labels = fixture.integers("labels.labels");
    assert_eq!(classes.iter().map(|c| c.samples).sum::<u64>(), 203);
    assert_eq!(classes.iter().map(|c| c.told).sum::<u64>(), 203);
    let right: u64 = classes.iter().map(|c| c.right).sum();
    let accuracy = fixture.reals("labels.accuracy")[0];
    assert!((right as f64 / 203.0 - f64::from(accuracy)).abs() < 1e-6);
    for (class, found) in classes.iter().enumerate() {
        let own = labels
            .iter()
            .filter(|&&label| label as usize == class)
            .count();
        assert_eq!(found.samples, own as u64);
    }
    // The last class has no sample.
    assert_eq!((classes[8].samples, classes[8].recall()), (0, None));
}

/// For values that were divided by their deviations, errors are reported in the original unit.
#[test]
fn errors_of_an_evaluation_are_in_their_units() {
    let told = [1.0, 2.0, 10.0, 10.0];
    let targets = Targets::Values(vec![0.0, 0.0, 10.0, 13.0]);
    let mut outcomes = Outcomes::new(TargetKind::Values(2), 2).in_units(vec![10.0, 0.5]);
    outcomes.add(&told, &targets, 2, 2).unwrap();
    let found: Vec<f64> = outcomes.measures().iter().map(|m| m.value).collect();
    // The targets of the first value are all equal; for the second, the mean explains half of the rest.
    let expected = [
        (10.0 * 2.5f64.sqrt() + 0.5 * 4.5f64.sqrt()) / 2.0,
        (15.0 + 0.75) / 2.0,
        (0.0 + (1.0 - 9.0 / 4.5)) / 2.0,
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let mut outcomes = Outcomes::new(TargetKind::Labels, 2);
    let labels = |labels: &[u32]| Targets::Labels(labels.to_vec());
    assert!(outcomes.add(&[0.0; 4], &labels(&[0, 1]), 2, 2).is_ok());
    for (told, targets, count) in [
        (vec![0.0; 3], labels(&[0, 1]), 2),
        (vec![0.0; 4], labels(&[0]), 2),
        (vec![0.0; 4], labels(&[0, 2]), 2),
        (vec![0.0; 4], labels(&[0, 1]), 3),
        (vec![0.0; 4], Targets::Values(vec![0.0; 4]), 2),
    ] {
        assert!(outcomes.add(&told, &targets, 2, count).is_err());
    }
}
