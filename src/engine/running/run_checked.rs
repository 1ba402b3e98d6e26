//! Running a program while comparing its kernels with their twins.
//!
//! A network has many, mostly small kernels, so an adapter would be idle most of the time if each of them, and each
//! buffer, were waited for. Instead, stretches of dispatches are submitted between copies of what each reads and
//! writes, and waited for once. The twins of a stretch run on all cores while the device has the next one.

use std::ops::Range;

use rayon::prelude::*;

use super::around::Around;
use super::check::{KernelCheck, compare};
use crate::engine::device::definition::Executor;
use crate::engine::device::memory::widened;
use crate::engine::gpu::Copies;
use crate::engine::kernel::BindingKind;
use crate::engine::{Device, Dispatch, Program, View};
use crate::error::Result;

/// Words copied for a stretch, 16 MiB, of which two are in flight: a dispatch that binds more runs alone.
const WORDS: usize = 4 << 20;

impl Device {
    /// Runs a program dispatch by dispatch. Those whose kernel's name contains `filter` also run on the twin, and are
    /// compared.
    ///
    /// # Errors
    /// As [`Device::run`]. A difference is not an error here: ask each check.
    pub fn run_checked(&self, program: &Program, filter: &str) -> Result<Vec<KernelCheck>> {
        self.prepared(program)?;
        let around: Vec<Around> = (program.dispatches.iter())
            .map(|dispatch| around(dispatch, filter))
            .collect();
        let (Executor::Gpu(gpu), Some(prepared)) = (&self.executor, &program.gpu) else {
            return self.run_one_by_one(program, 0..program.len(), &around);
        };
        let collect = |(range, copies): (Range<usize>, Copies)| -> Result<Vec<KernelCheck>> {
            let words = gpu.collect(copies, "what kernels read and wrote")?;
            compare_all(&program.dispatches[range.clone()], &around[range], &words)
        };
        let mut checks = Vec::new();
        let mut under_way = None;
        for range in stretches(&around) {
            let words: usize = around[range.clone()].iter().map(Around::words).sum();
            let now = match words {
                1..=WORDS => {
                    self.burn_fuse()?;
                    let copies = gpu.run_copied(prepared, range.start, &around[range.clone()])?;
                    Some((range.clone(), copies))
                }
                _ => None,
            };
            let submitted = now.is_some();
            if let Some(before) = std::mem::replace(&mut under_way, now) {
                checks.extend(collect(before)?);
            }
            if !submitted {
                checks.extend(self.run_one_by_one(program, range, &around)?);
            }
        }
        if let Some(last) = under_way {
            checks.extend(collect(last)?);
        }
        Ok(checks)
    }

    fn run_one_by_one(
        &self,
        program: &Program,
        range: Range<usize>,
        around: &[Around<'_>],
    ) -> Result<Vec<KernelCheck>> {
        let mut checks = Vec::new();
        for i in range {
            let download = |views: &[&View]| -> Result<Vec<Vec<u32>>> {
                views.iter().map(|view| self.download(view)).collect()
            };
            let before = download(&around[i].before)?;
            self.submit(program, i..i + 1)?;
            if !before.is_empty() {
                let after = download(&around[i].after)?;
                checks.extend(compare(&program.dispatches[i], &before, &after)?);
            }
        }
        Ok(checks)
    }
}

/// What a comparison needs: everything bound before, and what may have been written afterwards. Nothing if the filter
/// leaves it out.
fn around<'a>(dispatch: &'a Dispatch, filter: &str) -> Around<'a> {
    if !dispatch.kernel.name.contains(filter) {
        return Around::default();
    }
    let views = dispatch.views.iter().zip(dispatch.kernel.bindings);
    let written = views.filter(|(_, binding)| matches!(binding.kind, BindingKind::Write(_)));
    Around {
        before: dispatch.views.iter().collect(),
        after: written.map(|(view, _)| view).collect(),
    }
}

/// Groups dispatches into stretches of at most [`WORDS`], unless a single one has more.
fn stretches(around: &[Around<'_>]) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    let mut words = 0;
    for (i, around) in around.iter().enumerate() {
        words += around.words();
        match stretches.last_mut() {
            Some(last) if words <= WORDS => last.end = i + 1,
            _ => {
                stretches.push(i..i + 1);
                words = around.words();
            }
        }
    }
    stretches
}

/// Compares dispatches whose copies lie in `words` in order.
fn compare_all(
    dispatches: &[Dispatch],
    around: &[Around<'_>],
    mut words: &[u32],
) -> Result<Vec<KernelCheck>> {
    let mut take = |views: &[&View]| -> Vec<Vec<u32>> {
        let mut next = |view: &&View| {
            let (copied, rest) = words.split_at(view.word_range().len());
            words = rest;
            widened(view, copied)
        };
        views.iter().map(&mut next).collect()
    };
    let copied: Vec<_> = dispatches
        .iter()
        .zip(around)
        .filter(|(_, around)| !around.before.is_empty())
        .map(|(dispatch, around)| (dispatch, take(&around.before), take(&around.after)))
        .collect();
    let checks: Vec<Vec<KernelCheck>> = copied
        .par_iter()
        .map(|(dispatch, before, after)| compare(dispatch, before, after))
        .collect::<Result<_>>()?;
    Ok(checks.into_iter().flatten().collect())
}
