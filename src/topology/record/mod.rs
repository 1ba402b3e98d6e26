//! The dispatches of a round, stage by stage: drawing the candidates before the step that scores them, or going through
//! all pairs within it, and exchanging after it.

mod exchange;
mod recorder;
mod sample;
mod tiles;

pub(super) use recorder::{Recorder, Sampled};
pub(super) use tiles::{LayerTiles, record_layer};
