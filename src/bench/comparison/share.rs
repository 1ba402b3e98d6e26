//! A report to share: it includes the machine's load and a checksum over both. Impossible figures are refused.

use std::path::Path;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::plausible::impossible;
use crate::bench::BenchReport;
use crate::bench::measuring::doubt::MOST_SHARE;
use crate::error::{Error, Fault, Refusal, Result, Unshareable};
use crate::files;

/// Version of the part around the report.
const SHARE: u64 = 1;

/// A report to be shared.
#[derive(Clone, Debug)]
pub struct SharedReport {
    /// Average number of processes that ran or waited for a core in the minute before, if the system reports it.
    pub load: Option<f64>,
    /// Number of cores of the host.
    pub cores: usize,
    /// The figures.
    pub report: BenchReport,
}

impl SharedReport {
    /// A shared report of figures that were just measured; `load` is the machine's load before.
    ///
    /// # Errors
    /// The figures lack the cases that others are compared by, or are impossible.
    pub fn new(mut report: BenchReport, load: Option<f64>) -> Result<Self> {
        // Impossible shares that were kept all the same mean nothing to others.
        for kernel in &mut report.kernels {
            kernel.share_of_ceiling = kernel.share_of_ceiling.filter(|s| *s <= MOST_SHARE);
        }
        let shared = SharedReport {
            load,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            report,
        };
        shared
            .check()
            .map_err(|why| Error::refused(Refusal::Unshareable { why }))?;
        Ok(shared)
    }

    /// Its file name, in characters that every system accepts: the device, the backend, and how activations were stored
    /// if not in f32.
    pub fn file_name(&self) -> String {
        let BenchReport {
            adapter,
            activations,
            ..
        } = &self.report;
        let stored = match activations.is_half() {
            true => activations.name(),
            false => "",
        };
        let words = format!("{} {} {stored}", adapter.name, adapter.backend).to_lowercase();
        let parts = words.split(|c: char| !c.is_ascii_alphanumeric());
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        parts.join("-") + ".json"
    }

    /// The JSON text, with its checksum.
    ///
    /// # Errors
    /// Never in practice: every field can be written as JSON.
    pub fn to_json(&self) -> Result<String> {
        let fault = |e: serde_json::Error| {
            Error::Device(Fault::Written {
                what: "the figures",
                form: "JSON",
                why: e.to_string(),
            })
        };
        let report = serde_json::to_value(&self.report).map_err(fault)?;
        let (share, load, cores) = (SHARE, self.load, self.cores);
        let mut value =
            serde_json::json!({ "share": share, "load": load, "cores": cores, "report": report });
        value["checksum"] = checksum(&value).into();
        serde_json::to_string_pretty(&value)
            .map(|text| text + "\n")
            .map_err(fault)
    }

    /// Reads what `rootlet bench --share` wrote, and checks it.
    ///
    /// # Errors
    /// The file cannot be read, is not such JSON, has another version or a wrong checksum, lacks the cases that others
    /// are compared by, or has impossible figures.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&files::read_text(path, files::Most::RECORD)?, path)
    }

    /// Reads the text of such a file; `path` names it in messages.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self> {
        let fault = |reason: String| Error::Data {
            path: path.to_owned(),
            reason,
        };
        let remedy = "give what `rootlet bench --share` wrote, as it is";
        let mut value: Value =
            serde_json::from_str(text).map_err(|e| fault(format!("is no JSON ({e}); {remedy}")))?;
        match value.get("share").and_then(Value::as_u64) {
            Some(SHARE) => {}
            Some(other) => {
                return Err(fault(format!(
                    "is a shared file of version {other}, and this rootlet reads {SHARE}"
                )));
            }
            None => return Err(fault(format!("is no shared file; {remedy}"))),
        }
        let told = value.as_object_mut().and_then(|map| map.remove("checksum"));
        if told != Some(checksum(&value).into()) {
            return Err(fault(format!(
                "has another checksum than its contents: it was changed; {remedy}"
            )));
        }
        let shared = SharedReport {
            load: value.get("load").and_then(Value::as_f64),
            cores: value.get("cores").and_then(Value::as_u64).unwrap_or(0) as usize,
            report: BenchReport::of_value(value["report"].take(), path)?,
        };
        (shared.check()).map_err(|why| fault(why.to_string()))?;
        Ok(shared)
    }

    /// Says which figures are missing or impossible.
    fn check(&self) -> Result<(), Unshareable> {
        let report = &self.report;
        if report.code.name != "rootlet" {
            return Err(Unshareable::OtherProgram {
                program: report.code.to_string(),
            });
        }
        let ceilings = report.ceilings.as_ref();
        let baselines = [
            ("copy", ceilings.and_then(|c| c.copy_gb_s)),
            (
                "multiply-add",
                ceilings.and_then(|c| c.multiply_add_gflop_s),
            ),
            ("dispatch", ceilings.and_then(|c| c.dispatch_us)),
            ("loads", ceilings.and_then(|c| c.loads.last()?.random_gb_s)),
        ];
        for (ceiling, value) in baselines {
            if value.is_none() {
                let doubt = ceilings.and_then(|c| c.doubts.values().next().cloned());
                return Err(Unshareable::NoCeiling { ceiling, doubt });
            }
        }
        if report.kernels.is_empty() || (report.steps.is_empty() && report.models.is_empty()) {
            return Err(Unshareable::NoCases);
        }
        if let Some(why) = impossible(report) {
            return Err(why);
        }
        for k in &report.kernels {
            if let Some(share) = k
                .share_of_ceiling
                .filter(|s| !(0.0..=MOST_SHARE).contains(s))
            {
                let of = format!("{} {}", k.kernel, k.n.unwrap_or(k.rows));
                return Err(Unshareable::Share { share, of });
            }
        }
        Ok(())
    }
}

/// XXH3 of a value's JSON, whose keys serde_json sorts.
fn checksum(value: &Value) -> String {
    format!("{:016x}", xxh3_64(value.to_string().as_bytes()))
}

/// The machine's load, if the system reports it.
pub fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}
