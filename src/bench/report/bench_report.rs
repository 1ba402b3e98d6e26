//! All figures of a run, written to a file and read back.

use std::path::Path;

use crate::bench::{
    Ceilings, CrossoverFigure, Exponents, Identity, KernelFigure, ModelFigure, ScalingFigure,
    Skipped, StepFigure,
};
use crate::engine::Precision;
use crate::error::{Error, Fault, Result};
use crate::files;

/// Version of the JSON: another number means other fields, or fields with another meaning.
pub const SCHEMA: u32 = 2;

/// What to do about a file that is not a report.
const REMEDY: &str = "compare files that `rootlet bench --json FILE` wrote";

/// The code that made the figures.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Code {
    /// "rootlet", or a peer's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// A hash of the measured sources: shaders and their host halves. Empty for peers.
    #[serde(default)]
    pub sources: String,
}

impl Code {
    /// This build's code.
    pub fn this() -> Self {
        Code {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sources: env!("ROOTLET_SOURCES").to_owned(),
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.version)?;
        match self.sources.is_empty() {
            true => Ok(()),
            false => write!(f, " (sources {})", self.sources),
        }
    }
}

/// All figures; `benches/peers/README.md` describes the JSON.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct BenchReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The code that made the figures.
    pub code: Code,
    /// When the measurement began, in UTC.
    pub date: String,
    /// Whether variants of kernels were measured first: "auto" (on hardware), "on" or "off". Empty in older files.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tune: String,
    /// How activations and their gradients were stored in products and steps: f32 if a file does not say.
    #[serde(default = "f32", skip_serializing_if = "is_f32")]
    pub activations: Precision,
    /// The adapter's identity.
    pub adapter: Identity,
    /// Absent if only steps were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceilings: Option<Ceilings>,
    /// The products.
    #[serde(default)]
    pub kernels: Vec<KernelFigure>,
    /// Layers run in both ways.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crossover: Vec<CrossoverFigure>,
    /// The training steps of perceptrons.
    #[serde(default)]
    pub steps: Vec<StepFigure>,
    /// The models' training steps.
    #[serde(default)]
    pub models: Vec<ModelFigure>,
    /// The scaling part.
    #[serde(default)]
    pub scaling: Vec<ScalingFigure>,
    /// How the scaling part's figures grow with n.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exponents: Option<Exponents>,
    /// What was not measured, and why.
    #[serde(default)]
    pub skipped: Vec<Skipped>,
}

fn f32() -> Precision {
    Precision::F32
}

fn is_f32(precision: &Precision) -> bool {
    !precision.is_half()
}

impl BenchReport {
    /// The device's name, and how activations were stored if not in f32.
    pub fn name(&self) -> String {
        let name = &self.adapter.name;
        match self.activations.is_half() {
            true => format!("{name}, {}", self.activations),
            false => name.clone(),
        }
    }

    /// Whether there is no figure of a product, a step or the scaling, because the machine was busy.
    pub fn is_withheld(&self) -> bool {
        let none = self.kernels.is_empty()
            && self.crossover.is_empty()
            && self.steps.is_empty()
            && self.models.is_empty()
            && self.scaling.is_empty();
        none && self.skipped.iter().any(|skipped| skipped.busy)
    }

    /// A report without figures.
    pub(in crate::bench) fn new(adapter: Identity) -> Self {
        let now = time::OffsetDateTime::now_utc();
        BenchReport {
            schema: SCHEMA,
            code: Code::this(),
            date: now
                .format(&time::format_description::well_known::Rfc3339)
                .unwrap_or_default(),
            tune: String::new(),
            activations: Precision::F32,
            adapter,
            ceilings: None,
            kernels: Vec::new(),
            crossover: Vec::new(),
            steps: Vec::new(),
            models: Vec::new(),
            scaling: Vec::new(),
            exponents: None,
            skipped: Vec::new(),
        }
    }

    /// The JSON text.
    ///
    /// # Errors
    /// Never in practice: every field can be written as JSON.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map(|text| text + "\n")
            .map_err(|e| {
                Error::Device(Fault::Written {
                    what: "the figures",
                    form: "JSON",
                    why: e.to_string(),
                })
            })
    }

    /// Reads the JSON of `rootlet bench --json`.
    ///
    /// # Errors
    /// The file cannot be read, is not such JSON, or has a different schema.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&files::read_text(path, files::Most::RECORD)?, path)
    }

    /// Reads the text of such a file; `path` names it in messages.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self> {
        let fault = |reason: String| Error::Data {
            path: path.to_owned(),
            reason,
        };
        let value =
            serde_json::from_str(text).map_err(|e| fault(format!("is no JSON ({e}); {REMEDY}")))?;
        Self::of_value(value, path)
    }

    /// Interprets such a file's contents; `path` names it in messages.
    pub(in crate::bench) fn of_value(value: serde_json::Value, path: &Path) -> Result<Self> {
        let fault = |reason: String| Error::Data {
            path: path.to_owned(),
            reason,
        };
        let Some(schema) = value.get("schema").and_then(serde_json::Value::as_u64) else {
            return Err(fault(format!("has no schema version; {REMEDY}")));
        };
        if schema != u64::from(SCHEMA) {
            return Err(fault(format!(
                "has schema version {schema}, and this rootlet reads {SCHEMA}; measure again with one version of \
                 rootlet on every device"
            )));
        }
        serde_json::from_value(value)
            .map_err(|e| fault(format!("is not what schema {SCHEMA} says ({e}); {REMEDY}")))
    }
}
