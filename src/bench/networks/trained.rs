//! How fast a trained network answers: one sample alone, and many at once; beside onnxruntime, if a Python has it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::bench::measuring::timing::{Measured, time_calls};
use crate::bench::products::reference::noise;
use crate::checkpoint::Checkpoint;
use crate::data::{Batch, Targets};
use crate::engine::{Device, StepState};
use crate::error::{Error, Fault, Result};
use crate::export::{Exported, SparseForm};
use crate::network::Network;
use crate::train::{Predictor, TrainConfig, for_tests};

/// Samples in a batch: one alone, and as many as trainings usually take.
const BATCHES: [usize; 2] = [1, 128];
/// How often the two take turns.
const TURNS: usize = 3;
/// The script that runs an exported network.
const SCRIPT: &str = include_str!("onnxruntime.py");

/// The time for a batch, from its numbers on the host to the outputs there.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerFigure {
    /// Number of samples.
    pub batch: usize,
    /// Seconds: the shortest median of the turns.
    pub seconds: f64,
    /// Why it cannot be trusted, if that is so.
    pub doubt: Option<String>,
    /// Seconds that onnxruntime takes, if it was there.
    pub onnxruntime: Option<f64>,
}

/// Measures the network of a checkpoint on `device`, about `budget` for each batch and turn. `python` is the command of
/// a Python with onnxruntime, which runs the same network with dense weights on as many threads, in turns.
///
/// # Errors
/// The network does not fit the device, it cannot be exported, or the Python ends early.
pub fn time_answers(
    device: &Device,
    checkpoint: &Checkpoint,
    budget: Duration,
    python: Option<&str>,
) -> Result<Vec<AnswerFigure>> {
    let (model, data) = Predictor::described(checkpoint)?;
    let config = TrainConfig::from_toml(&checkpoint.manifest.config, &checkpoint.path)?;
    let mut peer = match python {
        Some(python) => Some(Peer::start(python, checkpoint, device.threads())?),
        None => None,
    };
    let mut figures = Vec::new();
    for batch in BATCHES {
        let state = &checkpoint.snapshot.state;
        let network = for_tests(device, &config, &model, state, batch)?;
        let sample = Batch {
            inputs: noise(data.shape.features(), batch, network.lanes(), 1),
            targets: Targets::zeros(network.targets(), network.lanes()),
            count: batch,
            weights: Vec::new(),
            index: 0,
        };
        let (mut best, mut other): (Option<Measured>, Option<f64>) = (None, None);
        for _ in 0..TURNS {
            let own = time_calls(device, budget, || answer(device, &network, &sample))?;
            if best.as_ref().is_none_or(|best| own.median < best.median) {
                best = Some(own);
            }
            if let Some(peer) = &mut peer {
                let seconds = peer.measure(batch, budget)?;
                other = Some(other.map_or(seconds, |other| other.min(seconds)));
            }
        }
        if let Some(best) = best {
            figures.push(AnswerFigure {
                batch,
                seconds: best.median,
                doubt: best.doubt,
                onnxruntime: other,
            });
        }
    }
    Ok(figures)
}

/// A whole answer: inputs to the device, forward pass, outputs back.
fn answer(device: &Device, network: &Network, batch: &Batch) -> Result<()> {
    network.load(device, batch)?;
    network.test(device, StepState::whole(0, 0, batch.count, 0.0))?;
    let outputs: Vec<f32> = device.download(&network.logits())?;
    match outputs.iter().all(|x| x.is_finite()) {
        true => Ok(()),
        false => Err(Error::Device(Fault::Wrong {
            adapter: device.name().to_owned(),
            what: "an output of the network".to_owned(),
            how: "it is not a finite number".to_owned(),
        })),
    }
}

/// Whether the device computes on the CPU's cores, as onnxruntime does here.
pub fn is_on_cores(device: &Device) -> bool {
    device.threads().is_some()
}

/// Whether a Python can import onnxruntime.
pub fn has_onnxruntime(python: &str) -> bool {
    let import = Command::new(python)
        .args(["-c", "import numpy, onnxruntime"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    import.is_ok_and(|status| status.success())
}

/// A Python that runs the exported network.
struct Peer {
    child: Child,
    orders: Option<ChildStdin>,
    results: BufReader<ChildStdout>,
    /// The exported network; removed at the end.
    _file: tempfile::NamedTempFile,
}

impl Peer {
    fn start(python: &str, checkpoint: &Checkpoint, threads: Option<usize>) -> Result<Self> {
        let dense = SparseForm {
            from_bytes: u64::MAX,
        };
        let cannot = |why: String| Error::Checkpoint {
            path: checkpoint.path.clone(),
            reason: why,
        };
        let graph = Exported::of_checkpoint(checkpoint)?
            .onnx(dense)
            .map_err(cannot)?;
        let failed = || Error::io("write", Path::new("a temporary file"));
        let mut file = tempfile::NamedTempFile::new().map_err(failed())?;
        file.write_all(&graph)
            .and_then(|()| file.flush())
            .map_err(failed())?;
        let mut child = Command::new(python)
            .args(["-c", SCRIPT])
            .arg(file.path())
            .arg(threads.unwrap_or(0).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Error::io("run", Path::new(python)))?;
        let (orders, results) = (child.stdin.take(), child.stdout.take());
        let Some(results) = results else {
            return Err(ended());
        };
        Ok(Self {
            child,
            orders,
            results: BufReader::new(results),
            _file: file,
        })
    }

    /// Seconds of a batch.
    fn measure(&mut self, batch: usize, budget: Duration) -> Result<f64> {
        let orders = self.orders.as_mut().ok_or_else(ended)?;
        let order = format!("{batch} {}\n", budget.as_secs_f64());
        orders
            .write_all(order.as_bytes())
            .and_then(|()| orders.flush())
            .map_err(|_| ended())?;
        let mut line = String::new();
        self.results.read_line(&mut line).map_err(|_| ended())?;
        line.trim().parse().map_err(|_| ended())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends when there are no more orders.
        self.orders = None;
        let _ = self.child.wait();
    }
}

fn ended() -> Error {
    Error::Device(Fault::Driver {
        doing: "running the exported network by onnxruntime".to_owned(),
        why: "the Python ended early; its own message says why".to_owned(),
    })
}
