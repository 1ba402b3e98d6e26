//! Which dispatches of a plan the CPU executor runs as one: those of a [`Chain`].

use crate::engine::chain::{Chain, Names};
use crate::engine::declaration::bindings::BindingInfo;
use crate::engine::{Dispatch, View};

/// Dispatches in which a name stands for one memory, which at most one of them writes, and which overlaps no other
/// written memory. Idle bindings are exempt.
pub(super) struct Together<'a> {
    pub dispatches: &'a [Dispatch],
    pub chain: &'static Chain,
    /// Names of bindings that the chain leaves alone.
    pub idle: Names,
}

/// The dispatches at the start of `dispatches` that can run together.
pub(super) fn together(dispatches: &[Dispatch], threads: usize) -> Option<Together<'_>> {
    let chain = dispatches.first()?.kernel.chain?;
    let dispatches = dispatches.get(..chain.kernels.len())?;
    let names = dispatches.iter().map(|dispatch| dispatch.kernel.name);
    if !names.eq(chain.kernels.iter().copied()) {
        return None;
    }
    let params: Vec<_> = dispatches.iter().map(|d| d.params.as_slice()).collect();
    let idle = (chain.idle)(&params, threads)?;
    let bound: Vec<_> = dispatches
        .iter()
        .flat_map(|dispatch| dispatch.kernel.bindings.iter().zip(&dispatch.views))
        .filter(|(binding, _)| !idle.contains(&binding.name))
        .collect();
    let words = bound.iter().all(|(_, view)| !view.precision().is_half());
    let mut others = bound.as_slice();
    while let [first, rest @ ..] = others {
        if !rest.iter().all(|other| agree(*first, *other)) {
            return None;
        }
        others = rest;
    }
    words.then_some(Together {
        dispatches,
        chain,
        idle,
    })
}

/// Whether two bindings, of the same or of different dispatches, leave no doubt about what is written where.
fn agree((a, a_view): (&BindingInfo, &View), (b, b_view): (&BindingInfo, &View)) -> bool {
    let writes = [a.kind.writes(), b.kind.writes()];
    let (a_words, b_words) = (a_view.word_range(), b_view.word_range());
    let shared = a_view.buffer().same_as(b_view.buffer());
    match a.name == b.name {
        true => shared && a_words == b_words && writes != [true, true],
        false => {
            let apart = a_words.end <= b_words.start || b_words.end <= a_words.start;
            !shared || apart || writes == [false, false]
        }
    }
}
