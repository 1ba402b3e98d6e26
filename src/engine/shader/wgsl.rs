//! The WGSL text of a kernel: its own text, with the library's texts in place of its `#import` lines.

use crate::engine::KernelInfo;
use crate::error::{Error, Fault, Result};

/// Texts that a shader, or another of them, includes by a line `#import NAME`: once, however often they are requested.
///
/// `ENTRY` in them stands for the kernel's entry point: kernels that differ in a few lines share a text with the entry
/// point itself, and contain the functions that it calls.
const LIBRARY: &[(&str, &str)] = &[
    ("activation", shader!("lib/activation")),
    ("activation_backward", shader!("lib/activation_backward")),
    ("adamw", shader!("lib/adamw")),
    ("batch_metrics", shader!("lib/batch_metrics")),
    ("conv_forward", shader!("lib/conv_forward")),
    ("conv_list", shader!("lib/conv_list")),
    ("conv_parts", shader!("lib/conv_parts")),
    ("conv_positions", shader!("lib/conv_positions")),
    ("conv_statistics", shader!("lib/conv_statistics")),
    ("conv_transposed", shader!("lib/conv_transposed")),
    ("dense", shader!("lib/dense")),
    ("divide", shader!("lib/divide")),
    ("elementwise_loss", shader!("lib/elementwise_loss")),
    ("elementwise_score", shader!("lib/elementwise_score")),
    (GRID, shader!("lib/grid")),
    ("grid_range", shader!("lib/grid_range")),
    ("layer_norm_backward", shader!("lib/layer_norm_backward")),
    ("layer_norm_forward", shader!("lib/layer_norm_forward")),
    ("layer_norm_gradients", shader!("lib/layer_norm_gradients")),
    ("members", shader!("lib/members")),
    ("mix", shader!("lib/mix")),
    ("nan", shader!("lib/nan")),
    ("norm_add_up", shader!("lib/norm_add_up")),
    ("norm_apply", shader!("lib/norm_apply")),
    ("norm_backward", shader!("lib/norm_backward")),
    ("norm_channel", shader!("lib/norm_channel")),
    ("norm_gradient", shader!("lib/norm_gradient")),
    ("norm_keep_parameters", shader!("lib/norm_keep_parameters")),
    ("norm_keep_statistics", shader!("lib/norm_keep_statistics")),
    ("norm_merge", shader!("lib/norm_merge")),
    ("norm_merged", shader!("lib/norm_merged")),
    ("norm_merge_parts", shader!("lib/norm_merge_parts")),
    ("norm_params", shader!("lib/norm_params")),
    ("norm_saved", shader!("lib/norm_saved")),
    ("norm_statistics", shader!("lib/norm_statistics")),
    ("norm_sums", shader!("lib/norm_sums")),
    ("normal", shader!("lib/normal")),
    ("part", shader!("lib/part")),
    ("pointwise", shader!("lib/pointwise")),
    ("pool", shader!("lib/pool")),
    ("pool_backward", shader!("lib/pool_backward")),
    ("pool_forward", shader!("lib/pool_forward")),
    ("positions", shader!("lib/positions")),
    ("random", shader!("lib/random")),
    ("round_table", shader!("lib/round_table")),
    ("running_list", shader!("lib/running_list")),
    ("sddmm_batch", shader!("lib/sddmm_batch")),
    ("sddmm_params", shader!("lib/sddmm_params")),
    ("sddmm_row_sum", shader!("lib/sddmm_row_sum")),
    ("sddmm_subgroups", shader!("lib/sddmm_subgroups")),
    ("segments", shader!("lib/segments")),
    ("select_key", shader!("lib/select_key")),
    ("sgd", shader!("lib/sgd")),
    (
        "softmax_cross_entropy",
        shader!("lib/softmax_cross_entropy"),
    ),
    ("spmm", shader!("lib/spmm")),
    ("spmm_transposed", shader!("lib/spmm_transposed")),
    ("statistic", shader!("lib/statistic")),
    ("step", shader!("lib/step")),
    ("tap", shader!("lib/tap")),
    ("tile", shader!("lib/tile")),
    ("unfixed", shader!("lib/unfixed")),
    ("window", shader!("lib/window")),
    ("workgroup_scan", shader!("lib/workgroup_scan")),
    ("workgroup_sum", shader!("lib/workgroup_sum")),
];

/// The import that gives a shader its workgroup's number.
const GRID: &str = "grid";

/// The line by which a shader declares that it needs subgroups. naga does not know WGSL's own `enable subgroups;` yet.
const SUBGROUPS: &str = "#require subgroups";

pub(in crate::engine) fn fault(kernel: &KernelInfo, reason: String) -> Error {
    Error::Device(Fault::Shader {
        kernel: kernel.name,
        why: reason,
    })
}

/// Expands the `#import` lines, and removes everything that is not WGSL.
///
/// # Errors
/// An import that the library does not have.
pub fn expand(kernel: &KernelInfo) -> Result<String> {
    Ok(Expansion::of(kernel, GRID)?.text)
}

/// As [`expand`], for dispatches of a range of the workgroups, which starts at the number in a separate uniform in
/// group 1. Only for a kernel that [can](super::reflect::Reflection::ranges) run like that.
///
/// # Errors
/// As [`expand`].
pub fn expand_ranges(kernel: &KernelInfo) -> Result<String> {
    Ok(Expansion::of(kernel, "grid_range")?.text)
}

/// The optional features that a shader declares: subgroups, or none.
pub fn capabilities(kernel: &KernelInfo) -> naga::valid::Capabilities {
    match kernel.source.lines().any(|line| line == SUBGROUPS) {
        true => naga::valid::Capabilities::SUBGROUP,
        false => naga::valid::Capabilities::empty(),
    }
}

/// Whether a kernel imports [`GRID`], directly or through others.
pub(in crate::engine) fn imports_grid(kernel: &KernelInfo) -> Result<bool> {
    Ok(Expansion::of(kernel, GRID)?.imported.contains(&GRID))
}

/// A kernel's text while it is assembled.
struct Expansion<'a> {
    kernel: &'a KernelInfo,
    /// The text that replaces [`GRID`].
    grid: &'static str,
    text: String,
    imported: Vec<&'static str>,
}

impl<'a> Expansion<'a> {
    fn of(kernel: &'a KernelInfo, grid: &'static str) -> Result<Self> {
        let mut expansion = Expansion {
            kernel,
            grid,
            text: String::new(),
            imported: Vec::new(),
        };
        for line in kernel.source.lines().filter(|line| *line != SUBGROUPS) {
            expansion.add(line, line)?;
        }
        Ok(expansion)
    }

    /// Adds a line, or what it imports.
    fn add(&mut self, line: &str, text: &str) -> Result<()> {
        match line.strip_prefix("#import ") {
            Some(name) => self.import(name.trim())?,
            None => self.text.push_str(text),
        }
        self.text.push('\n');
        Ok(())
    }

    fn import(&mut self, name: &str) -> Result<()> {
        let requested = if name == GRID { self.grid } else { name };
        let (name, text) = LIBRARY
            .iter()
            .find(|(known, _)| *known == requested)
            .ok_or_else(|| fault(self.kernel, format!("unknown import `{name}`")))?;
        if self.imported.contains(name) {
            return Ok(());
        }
        self.imported.push(name);
        for line in text.lines() {
            self.add(line, &line.replace("ENTRY", self.kernel.entry_point()))?;
        }
        Ok(())
    }
}
