//! A gallery of devices: a page made from the reports that people shared.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::share::SharedReport;
use crate::bench::ceilings::loads::size;
use crate::bench::report::table::{number, percent};
use crate::error::{Error, Result};
use crate::files;
use crate::report::write_file;

/// The reports of a folder.
pub struct Gallery {
    devices: Vec<(String, SharedReport)>,
}

/// The page's file name in the folder.
const PAGE: &str = "README.md";

/// How such a page begins, in every version.
const TITLE: &str = "# Devices\n\nWhat `rootlet bench --share` measured ";

/// The text that follows.
const HEAD: &str = "\
on machines that people have, a file each. To add yours, on an idle machine:

```sh
rootlet bench --share docs/devices
rootlet bench gallery docs/devices
```

The second command writes this page anew. It refuses files that were changed by hand, that lack what others are compared
by, or whose figures cannot be. `rootlet bench compare` takes the reports of single machines side by side.

";

/// The case that the product columns show: n and sparsity.
const SHOWN: (usize, f64) = (4096, 0.98);

/// From this load per core on, other work took a part of the machine.
const BUSY: f64 = 0.5;

impl Gallery {
    /// Reads the `.json` files of a folder.
    ///
    /// # Errors
    /// The folder cannot be read, a file is refused (see [`SharedReport::read`]), or one occurs twice.
    pub fn read(folder: &Path) -> Result<Self> {
        let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::io("read", folder))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                paths.push(path);
            }
        }
        paths.sort();
        let read = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Ok((name.into_owned(), SharedReport::read(path)?))
        };
        let devices = paths.iter().map(read).collect::<Result<Vec<_>>>()?;
        let mut seen: BTreeMap<String, &Path> = BTreeMap::new();
        for (path, (_, device)) in paths.iter().zip(&devices) {
            if let Some(first) = seen.insert(device.to_json()?, path) {
                return Err(Error::Data {
                    path: path.clone(),
                    reason: format!(
                        "is {} once more, and would count twice: remove one of them",
                        first.display()
                    ),
                });
            }
        }
        match devices.is_empty() {
            true => Err(Error::Nothing {
                what: format!(
                    "drawn: {} has no shared report; `rootlet bench --share {0}` writes one",
                    folder.display()
                ),
            }),
            false => Ok(Gallery { devices }),
        }
    }

    /// The number of devices.
    pub fn len(&self) -> usize {
        self.devices.len()
    }

    /// Whether there are no devices, which [`Gallery::read`] refuses.
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// The path of a folder's page.
    pub fn page_path(folder: &Path) -> PathBuf {
        folder.join(PAGE)
    }

    /// Writes a folder's page, replacing an older one.
    ///
    /// # Errors
    /// Something else has its name, or it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = Self::page_path(folder);
        let old = files::read_if_there(&path, files::Most::RECORD)?;
        let of_a_gallery = |old: &Vec<u8>| {
            let old = String::from_utf8_lossy(old).replace("\r\n", "\n");
            old.starts_with(TITLE)
        };
        if !old.as_ref().is_none_or(of_a_gallery) {
            return Err(Error::Data {
                path,
                reason: "is no page of a gallery, and would be replaced by one: move it, or gather the devices' files \
                         in a folder of their own"
                    .to_owned(),
            });
        }
        write_file(&path, self.page().as_bytes())
    }

    /// The text of the page.
    pub fn page(&self) -> String {
        let mut text = TITLE.to_owned() + HEAD;
        text += &heading();
        for (file, device) in &self.devices {
            text += &row(device, Some(file));
        }
        let (n, sparsity) = SHOWN;
        let _ = write!(
            text,
            "\nProducts at n = {n}, {}, batch 128: milliseconds and the share of their bound. Steps in milliseconds, \
             at {0} and the\nbatch in brackets. \\*: disturbed by other work; where the load is more than half the \
             cores, other work ran beside, rates\nare lower bounds and times upper ones, while shares were measured in \
             turns with what bounds them.\n",
            percent(sparsity)
        );
        text += &self.loads();
        text
    }

    /// Loads by working set, with a column for each size that any device has.
    fn loads(&self) -> String {
        let rates = |device: &SharedReport| {
            let ceilings = device.report.ceilings.as_ref();
            ceilings.map_or_else(Vec::new, |c| c.loads.clone())
        };
        let all = self.devices.iter().flat_map(|(_, device)| rates(device));
        let mut sizes: Vec<u64> = all.map(|rate| rate.bytes).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let mut text = "\n## Loads by working set\n\nRows of 512 bytes at random places and in order, GB/s.\n\n| \
                        device |".to_owned();
        sizes
            .iter()
            .for_each(|&bytes| text += &format!(" {} |", size(bytes)));
        text += &format!("\n|---|{}\n", "---|".repeat(sizes.len()));
        for (_, device) in &self.devices {
            let _ = write!(text, "| {} |", cell(&device.report.name()));
            let rates = rates(device);
            for bytes in &sizes {
                let rate = rates.iter().find(|rate| rate.bytes == *bytes);
                let shown = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), number);
                let random = shown(rate.and_then(|rate| rate.random_gb_s));
                let in_order = shown(rate.and_then(|rate| rate.sequential_gb_s));
                let _ = write!(text, " {random} · {in_order} |");
            }
            text.push('\n');
        }
        text
    }
}

/// A report as a table row with its heading, for pasting.
pub fn pasted(device: &SharedReport) -> String {
    heading() + &row(device, None)
}

const COLUMNS: [&str; 13] = [
    "device",
    "driver",
    "copy, GB/s",
    "random rows, GB/s",
    "multiply-add, GFLOP/s",
    "dispatch, µs",
    "SpMM",
    "SpMM, transposed",
    "SDDMM",
    "resnet20",
    "resnet56",
    "rootlet",
    "date, load",
];

fn heading() -> String {
    format!(
        "| {} |\n|{}\n",
        COLUMNS.join(" | "),
        "---|".repeat(COLUMNS.len())
    )
}

/// A line of the table, with a link to `file`.
fn row(device: &SharedReport, file: Option<&str>) -> String {
    let report = &device.report;
    let name = cell(&report.name());
    let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), number);
    let ceilings = report.ceilings.clone().unwrap_or_default();
    let product = |kernel: &str| {
        let (n, sparsity) = SHOWN;
        let same = |k: &&crate::bench::KernelFigure| {
            k.kernel == kernel && k.n == Some(n) && (k.sparsity - sparsity).abs() < 1e-9
        };
        match report.kernels.iter().find(same) {
            None => "–".to_owned(),
            Some(k) => {
                let share = k.share_of_ceiling.map_or_else(String::new, |share| {
                    format!(" ({:.0} % of {})", 100.0 * share, k.bound.name())
                });
                number(k.seconds * 1e3) + mark(&k.doubt) + &share
            }
        }
    };
    let model = |name: &str| match report.models.iter().find(|m| m.model == name) {
        None => "–".to_owned(),
        Some(m) => format!(
            "{}{} ({})",
            number(m.seconds * 1e3),
            mark(&m.doubt),
            m.batch
        ),
    };
    let date = report.date.split('T').next().unwrap_or_default();
    let load = match device.load {
        Some(load) if load > BUSY * device.cores as f64 => {
            format!(", load {load:.1} on {} cores", device.cores)
        }
        _ => String::new(),
    };
    let cells = [
        file.map_or(name.clone(), |file| format!("[{name}]({file})")),
        cell(&report.adapter.driver),
        shown(ceilings.copy_gb_s),
        shown(ceilings.loads.last().and_then(|rate| rate.random_gb_s)),
        shown(ceilings.multiply_add_gflop_s),
        shown(ceilings.dispatch_us),
        product("spmm"),
        product("spmm_transposed"),
        product("sddmm"),
        model("resnet20"),
        model("resnet56"),
        cell(&report.code.version),
        cell(&format!("{date}{load}")),
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn mark(doubt: &Option<String>) -> &'static str {
    match doubt {
        Some(_) => "\\*",
        None => "",
    }
}

/// A text from a file, made safe for a table cell.
fn cell(text: &str) -> String {
    let plain = |c: char| match c {
        '|' | '<' | '>' | '[' | ']' | '`' | '*' | '_' | '\\' => ' ',
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars()
        .map(plain)
        .collect::<String>()
        .trim()
        .to_owned()
}
