//! What `--check` compares.

use rootlet::{Error, Result};
use strsim::jaro_winkler;

/// The kernels whose names contain this text, or all of them if it is empty.
pub(super) fn kernel_filter(name: &str) -> Result<&str> {
    if name == "all" {
        return Ok("");
    }
    let known: Vec<&str> = rootlet::kernels::kernels().iter().map(|k| k.name).collect();
    match known.iter().any(|kernel| kernel.contains(name)) {
        true => Ok(name),
        false => Err(Error::Usage(format!(
            "--check {name}: no kernel's name contains it; give all, or a part of a name, such as {}",
            nearest(name, known).join(", ")
        ))),
    }
}

/// The names most like `name`, the most similar first.
fn nearest<'a>(name: &str, mut known: Vec<&'a str>) -> Vec<&'a str> {
    const SHOWN: usize = 4;
    let name = name.to_lowercase();
    let likeness = |known: &str| {
        let parts = known.split('/').chain([known]);
        let of_parts = parts.map(|part| jaro_winkler(&name, part));
        of_parts.fold(0.0, f64::max)
    };
    known.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    known.truncate(SHOWN);
    known
}
