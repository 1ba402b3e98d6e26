//! The shared part of twins that work element by element, or plane by plane.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::engine::View;
use crate::error::{Error, Misfit, Result};
use crate::threads::DealOut;

/// Words that a thread takes at a time: three such slices stay in a core's second-level cache.
pub(super) const CHUNK: usize = 16 * 1024;

/// `target[i] = f(sources[0][i], …)` for every word of `target`, or adds to it.
pub(super) fn map<const N: usize>(
    target: &mut [f32],
    sources: [&[f32]; N],
    accumulate: bool,
    f: impl Fn([f32; N]) -> f32 + Sync,
) {
    let arch = pulp::Arch::new();
    target
        .par_chunks_mut(CHUNK)
        .enumerate()
        .deal_out(|(i, target)| {
            arch.dispatch(Map {
                sources: sources.map(|s| &s[i * CHUNK..][..target.len()]),
                target,
                accumulate,
                f: &f,
            });
        });
}

/// One task of [`map`]. A type and not a closure, like all these loops: a closure may be called through a shim that is
/// compiled for the narrowest vectors.
struct Map<'a, const N: usize, F> {
    target: &'a mut [f32],
    sources: [&'a [f32]; N],
    accumulate: bool,
    f: &'a F,
}

impl<const N: usize, F: Fn([f32; N]) -> f32> WithSimd for Map<'_, N, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let length = self.target.len();
        let sources = self.sources.map(|s| &s[..length]);
        if self.accumulate {
            for (i, t) in self.target.iter_mut().enumerate() {
                *t += (self.f)(sources.map(|s| s[i]));
            }
        } else {
            for (i, t) in self.target.iter_mut().enumerate() {
                *t = (self.f)(sources.map(|s| s[i]));
            }
        }
    }
}

/// `target = factor * source`, or adds to it: one row of lanes.
#[inline(always)]
pub(super) fn scale_row(target: &mut [f32], source: &[f32], factor: f32, accumulate: bool) {
    if accumulate {
        for (t, s) in target.iter_mut().zip(source) {
            *t += factor * s;
        }
    } else {
        for (t, s) in target.iter_mut().zip(source) {
            *t = factor * s;
        }
    }
}

/// A count as a shader sees it.
///
/// # Errors
/// It exceeds 32 bits.
pub(super) fn word(what: &str, count: usize) -> Result<u32> {
    u32::try_from(count).map_err(|_| {
        Error::Shape(Misfit::TooMany {
            what: what.to_owned(),
            count: count.to_string(),
            most: u32::MAX.into(),
            way_out: String::new(),
        })
    })
}

/// Refuses views that are shorter than `words`, and lanes that are not whole vectors: each is `(name, view, words)`.
///
/// # Errors
/// Such a view or number of lanes; the message names the layer and the view.
pub(super) fn check_views(layer: &str, lanes: usize, views: &[(&str, &View, usize)]) -> Result<()> {
    if lanes == 0 || !lanes.is_multiple_of(4) {
        return Err(Error::Shape(Misfit::Layer {
            layer: layer.to_owned(),
            why: format!("{lanes} lanes are not a multiple of 4"),
        }));
    }
    for (name, view, words) in views {
        if view.words() < *words {
            return Err(Error::Shape(Misfit::Words {
                what: format!("{layer}: `{name}`"),
                found: view.words(),
                needed: *words,
            }));
        }
        word("vectors", words / 4)?;
    }
    Ok(())
}

/// Refuses a view that is too small: a shader would drop what is out of bounds.
pub(super) fn fits(layer: &str, view: &View, words: usize) -> Result<()> {
    if view.words() >= words {
        return Ok(());
    }
    Err(Error::Shape(Misfit::Words {
        what: format!("{layer}: buffer `{}`", view.buffer.label()),
        found: view.words(),
        needed: words,
    }))
}

/// Rows of lanes that a thread takes at a time.
pub(super) const ROWS: usize = 64;
