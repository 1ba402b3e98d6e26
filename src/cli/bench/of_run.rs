//! `rootlet bench --run`: how fast a trained network answers.

use std::path::Path;
use std::time::Duration;

use rootlet::bench::{has_onnxruntime, is_on_cores, time_answers};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::report::TextTable;
use rootlet::{Result, checkpoint};

use super::super::device_args::DeviceArgs;
use super::super::output;

/// The environment's name for another Python than `python3`.
const PYTHON: &str = "ROOTLET_PYTHON";

/// Measures the network of a run, and prints a table.
pub(super) fn run(
    path: &Path,
    device: &DeviceArgs,
    budget: Duration,
    keep_doubtful: bool,
) -> Result<()> {
    device.check_threads()?;
    let (checkpoint, _) = checkpoint::load_which(path, None)?;
    let python = std::env::var(PYTHON).unwrap_or("python3".to_owned());
    let options = DeviceOptions {
        threads: device.threads,
        ..DeviceOptions::default()
    };
    let device = Device::open(&device.adapter, &options)?;
    // Another device than the CPU's cores cannot be compared with them.
    let beside = is_on_cores(&device) && has_onnxruntime(&python);
    if is_on_cores(&device) && !beside {
        output::note(&format!(
            "{python} has no onnxruntime to compare with; {PYTHON} names another Python"
        ));
    }
    let figures = time_answers(&device, &checkpoint, budget, beside.then_some(&*python))?;
    let header = [
        "batch",
        "ms",
        "samples/s",
        "onnxruntime, ms",
        "samples/s",
        "times as fast",
    ];
    let columns = if beside { 6 } else { 3 };
    output::say(&heading(&device, beside));
    let mut rows = Vec::new();
    for figure in &figures {
        if let Some(doubt) = &figure.doubt {
            let kept = match keep_doubtful {
                true => "doubtful",
                false => "withheld",
            };
            output::note(&format!("batch {}: {kept}: {doubt}", figure.batch));
            if !keep_doubtful {
                continue;
            }
        }
        let mut row = vec![
            figure.batch.to_string(),
            format!("{:.3}", figure.seconds * 1e3),
            format!("{:.0}", figure.batch as f64 / figure.seconds),
        ];
        if let Some(other) = figure.onnxruntime {
            row.extend([
                format!("{:.3}", other * 1e3),
                format!("{:.0}", figure.batch as f64 / other),
                format!("{:.2}", other / figure.seconds),
            ]);
        }
        rows.push(row);
    }
    let table = TextTable {
        header: header[..columns]
            .iter()
            .map(|&name| name.to_owned())
            .collect(),
        rows,
        words: 0,
    };
    output::print(&table.aligned())
}

/// What the table is about: the time of one sample alone is the latency, that of many at once gives the throughput.
fn heading(device: &Device, beside: bool) -> String {
    let peer = match beside {
        true => {
            ", in turns with onnxruntime, which runs the same network with dense weights on as many threads"
        }
        false => "",
    };
    format!(
        "answers by {}: the latency of one sample alone, the throughput of many at once{peer}",
        device.description()
    )
}
