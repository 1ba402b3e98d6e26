//! The JSON of `rootlet bench`, and of the scripts that measure other programs.
//!
//! It is read leniently: a missing field becomes a cell without a number, so that files of several versions and
//! programs can be compared. A schema newer than this code is refused.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files;
use crate::{Error, Result};

/// The newest schema that is understood.
const SCHEMA: u64 = 2;

/// The figures of one benchmark.
#[derive(Clone, Debug)]
pub struct BenchFile {
    pub(super) path: PathBuf,
    pub(super) value: Value,
}

impl BenchFile {
    /// Reads the JSON of `rootlet bench --json`.
    ///
    /// # Errors
    /// The file cannot be read, is not such JSON, or has a newer schema.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&files::read_text(path, files::Most::RECORD)?, path)
    }

    /// Reads the text of such a file; `path` names it in messages.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self> {
        let fault = |reason: String| Error::Data {
            path: path.to_owned(),
            reason,
        };
        let value: Value = serde_json::from_str(text).map_err(|error| {
            fault(format!(
                "not JSON ({error}); give a file that `rootlet bench --json FILE` wrote"
            ))
        })?;
        if value.get("adapter").is_none() && value.get("kernels").is_none() {
            return Err(fault(
                "not a benchmark: it has neither an adapter nor kernels; give a file that `rootlet bench --json \
                 FILE` wrote"
                    .to_owned(),
            ));
        }
        // The first version had no schema number.
        match value.get("schema") {
            None => {}
            Some(schema) if schema.as_u64().is_some_and(|s| s <= SCHEMA) => {}
            Some(schema) => {
                return Err(fault(format!(
                    "has schema {schema}, and this rootlet {} reads up to {SCHEMA}; use a newer rootlet, or measure \
                     again",
                    env!("CARGO_PKG_VERSION")
                )));
            }
        }
        let path = path.to_owned();
        Ok(Self { path, value })
    }

    /// What the benchmark ran on, in a few words.
    pub(super) fn device(&self) -> String {
        let adapter = self.value.get("adapter");
        let name = adapter.and_then(|a| text(a, "name")).unwrap_or_default();
        let backend = adapter.and_then(|a| text(a, "backend")).unwrap_or_default();
        let code = self.value.get("code").and_then(|c| text(c, "name"));
        let made_by = match code {
            Some(name) if name != "rootlet" => format!("{name}, "),
            _ => String::new(),
        };
        match name.is_empty() {
            true => format!("{made_by}{}", self.path.display()),
            false => format!("{made_by}{name}, {backend}"),
        }
    }

    fn list(&self, key: &str) -> &[Value] {
        self.value
            .get(key)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

pub(super) fn number(value: &Value, key: &str) -> Option<f64> {
    value.get(key)?.as_f64().filter(|n| n.is_finite())
}

pub(super) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

/// Each entry of a list in the files, with its device, which is named only if there are several.
pub(super) fn entries<'f>(files: &'f [BenchFile], key: &str) -> Vec<(String, &'f Value)> {
    let several = files.len() > 1;
    let of_file = |file: &'f BenchFile| {
        let device = if several {
            file.device()
        } else {
            String::new()
        };
        file.list(key)
            .iter()
            .map(move |value| (device.clone(), value))
    };
    files.iter().flat_map(of_file).collect()
}
