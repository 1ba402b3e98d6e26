//! Evaluation: the test images, forward only.

use std::sync::atomic::AtomicBool;

use super::config::{AUTO, KEEP_LAST};
use super::event::{PartResults, Score};
use super::score;
use super::tested::{Tested, Told};
use crate::data::{Dataset, Interruptible, Loader, LoaderOptions, TargetKind};
use crate::engine::{Device, StepState};
use crate::error::{Error, Result};
use crate::loss::Outcomes;
use crate::network::{Network, RING};

/// Mean loss and metric over the test images.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Evaluation {
    /// Mean loss, without label smoothing and weights.
    pub loss: f32,
    /// Share of the images that were classified correctly, 0 to 1; NaN if accuracy is not the metric.
    pub accuracy: f32,
    /// Another metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Score>,
    /// Further scores of the whole evaluation: for numbers RMSE and R², for several classes per sample P@k, F1 and AUC.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Score>,
    /// Number of images evaluated.
    pub images: usize,
}

impl Evaluation {
    /// The evaluation of no images.
    pub(super) fn nothing() -> Self {
        Self {
            loss: f32::NAN,
            accuracy: f32::NAN,
            metric: None,
            scores: Vec::new(),
            images: 0,
        }
    }

    /// The same as in events.
    pub(super) fn results(&self) -> PartResults {
        PartResults {
            loss: self.loss,
            accuracy: self.accuracy,
            metric: self.metric.clone(),
            scores: self.scores.clone(),
        }
    }

    /// The number by which a network is judged, `wanted` or, for [`AUTO`] and [`KEEP_LAST`], the metric if there is one:
    /// its name, its value, and whether a higher one is better. `None` if the evaluation does not tell it.
    pub(crate) fn judged_by(&self, wanted: &str) -> Option<(String, f32, bool)> {
        let mut told = vec![("loss".to_owned(), self.loss, false)];
        if !self.accuracy.is_nan() {
            told.push(("accuracy".to_owned(), self.accuracy, true));
        }
        for score in self.scores() {
            told.push((score.name.clone(), score.value, score.higher_is_better));
        }
        let found = match [AUTO, KEEP_LAST].contains(&wanted) {
            true => told.get(1).or(told.first()),
            false => told
                .iter()
                .find(|(own, ..)| own.eq_ignore_ascii_case(wanted)),
        };
        found.cloned()
    }

    /// All scores except loss and accuracy.
    fn scores(&self) -> impl Iterator<Item = &Score> {
        self.metric.iter().chain(&self.scores)
    }
}

/// Runs all test images of `data` through `network`, in batches as in `options`.
///
/// # Errors
/// The data set does not have the network's shape, an image cannot be read, or the device is lost.
pub fn evaluate(
    device: &Device,
    network: &Network,
    data: &Dataset,
    options: LoaderOptions,
) -> Result<Evaluation> {
    evaluate_until(device, network, data, options, &AtomicBool::new(false))
}

/// As [`evaluate`], with the scores that need all outputs together: also for one class per sample, and by class.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_whole(
    device: &Device,
    network: &Network,
    data: &Dataset,
    options: LoaderOptions,
) -> Result<(Evaluation, Outcomes)> {
    let mut outcomes = outcomes(network, data);
    let never = AtomicBool::new(false);
    let evaluation = run(device, network, data, options, &never, Some(&mut outcomes))?;
    Ok((evaluation, outcomes))
}

/// Like [`evaluate`], for a caller that may be asked to stop.
///
/// # Errors
/// As [`evaluate`]; [`Error::Stopped`] if `stop` is set while images are waited for.
pub(super) fn evaluate_until(
    device: &Device,
    network: &Network,
    data: &Dataset,
    options: LoaderOptions,
    stop: &AtomicBool,
) -> Result<Evaluation> {
    // With one class per sample the metric needs only its kernel, and the host waits for no batch.
    let mut outcomes = (network.targets() != TargetKind::Labels).then(|| outcomes(network, data));
    run(device, network, data, options, stop, outcomes.as_mut())
}

fn outcomes(network: &Network, data: &Dataset) -> Outcomes {
    Outcomes::new(network.targets(), network.outputs()).in_units(data.units())
}

/// Runs all test images; `outcomes` collects the outputs.
fn run(
    device: &Device,
    network: &Network,
    data: &Dataset,
    options: LoaderOptions,
    stop: &AtomicBool,
    mut outcomes: Option<&mut Outcomes>,
) -> Result<Evaluation> {
    let mut pending = 0..0u64;
    let mut tested = Tested::default();
    let lanes = network.lanes();
    let ranks = device.ranks().filter(|_| options.share.of > 1);
    let loader = Loader::start(data.test.clone(), data.shape, &data.normalisation, options)?;
    for batch in Interruptible::new(loader, stop) {
        let batch = batch?;
        tested.counts.push(batch.count as u32);
        if batch.count == 0 {
            continue; // None of its images could be read.
        }
        network.load(device, &batch)?;
        let state = StepState::whole(0, pending.end as u32, batch.count, 0.0);
        network.test(device, state)?;
        if let Some(outcomes) = outcomes.as_deref_mut() {
            let outputs: Vec<f32> = device.download(&network.logits())?;
            match ranks {
                None => outcomes.add(&outputs, &batch.targets, lanes, batch.count)?,
                Some(_) => tested.told.push(Told {
                    outputs,
                    targets: batch.targets,
                }),
            }
        }
        pending.end += 1;
        if pending.end - pending.start == RING as u64 {
            tested
                .results
                .extend(network.test_results(device, pending.clone())?);
            pending.start = pending.end;
        }
    }
    tested
        .results
        .extend(network.test_results(device, pending)?);
    if let Some(ranks) = ranks {
        let kind = network.targets();
        let (outputs, targets) = (network.outputs() * lanes, kind.words() * lanes);
        tested = tested.of_all(ranks, outputs, (kind, targets))?;
        if let Some(outcomes) = outcomes.as_deref_mut() {
            tested.add_to(outcomes, lanes)?;
        }
    }
    let sums = tested.sums();
    if let (0, Some(split)) = (sums.seen, data.test.folder()) {
        return Err(Error::Data {
            path: split.folder().to_owned(),
            reason: format!(
                "none of its {} test images can be read; `rootlet data check` says why",
                split.len()
            ),
        });
    }
    Ok(Evaluation {
        loss: sums.mean_loss(),
        accuracy: score::accuracy(network.metric(), sums.score()),
        metric: score::other(network.metric(), sums.score()),
        scores: outcomes.map_or(Vec::new(), |all| score::further(all, network.metric())),
        images: sums.seen as usize,
    })
}
