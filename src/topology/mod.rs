//! Topology: when, where and how connections are pruned and grown, all on the device.
//!
//! Every T steps a [`Round`] draws candidate pairs, scores them by the gradient that they would have, and exchanges the
//! k weakest connections for the k best candidates (Heddes et al., "Always-Sparse Training by Growing Connections with
//! Guided Stochastic Exploration", arXiv 2401.06898). A [`Method`] says where candidates come from and how they are
//! scored.
//!
//! Stages 2 to 5 run before the training step that scores the candidates, stages 1 and 6 within its passes, and the
//! others after its update. In a convolution, an input unit is a tap of a channel; patches and tokens act as further
//! samples of the batch.
//!
//! | stage | kernels |
//! |---|---|
//! | 1 statistics f, g | [`GraBo`], [`GraEstSigns`], [`GraEst`] |
//! | 2 running sums | [`Cumulate`] |
//! | 3 draw | [`Sample`] |
//! | 4 sort by row, column | [`RadixSort`](crate::primitive::RadixSort) |
//! | 5 drop duplicates and active pairs | [`Mark`], [`Scan`](crate::primitive::Scan), [`Compact`] |
//! | 6 score | [`Sddmm`](crate::sparse::Sddmm), [`ConvSddmm`](crate::sparse::ConvSddmm), [`RandomScore`], or the method's |
//! | 7 select | [`Segments`], [`RadixSelect`](crate::primitive::RadixSelect) |
//! | 8 report | [`ReportRows`], [`ReportLayers`] |
//! | 9 merge | [`PlaceSurvivors`], [`PlaceGrown`], [`MergePairs`], [`MergeState`], [`CopyBack`] |
//! | 10 offsets and transposed order | [`LowerBound`](crate::primitive::LowerBound), sort, [`Gather`](crate::primitive::Gather) |
//!
//! A method that scores all inactive pairs ([`Candidates::All`]: RigL) has no stages 1 to 5. Instead, each layer's
//! pairs are processed in tiles within the backward pass: O(n_in * n_out) time, O(N) memory.
//!
//! | for each tile | kernels |
//! |---|---|
//! | its inactive pairs, in order | [`Enumerate`] |
//! | score | as in stage 6 |
//! | the best of it and so far | [`ExtendList`], [`RadixSelect`](crate::primitive::RadixSelect), [`KeepBest`], [`PutBack`] |
//! | at the end: the candidates | [`Settle`], [`LowerBound`](crate::primitive::LowerBound) |
//!
//! Nothing is drawn, ranked or merged in the order of atomics: a round repeats bit for bit. Work space: 24 bytes per
//! connection at gamma = 1; with all pairs, 40 bytes per connection and 20 per pair of a tile.

mod candidates;
mod cost;
mod cumulate;
mod forward_set;
pub mod from_dense;
mod growth;
mod merge;
mod method;
mod methods;
mod random_score;
mod record;
mod report;
mod round;
mod schedule;
mod scratch;
mod signs;
mod statistics;
mod table;
mod tiles;
mod unit_sums;

pub use candidates::{Compact, CompactParams, Mark, MarkParams, Sample, SampleParams};
pub use cost::Cost;
pub use cumulate::{Cumulate, CumulateParams};
pub use forward_set::{
    ExploreDecay, ExploreDecayParams, ForwardSet, ForwardWeights, ForwardWeightsParams,
};
pub use growth::{
    CandidateScores, Candidates, Distribution, FinishInputs, Growth, NoGrowth, ScoreInputs, Scored,
};
pub use merge::{
    CopyBack, CopyBackParams, MergePairs, MergePairsParams, MergeState, MergeStateParams,
    PlaceGrown, PlaceGrownParams, PlaceSurvivors, PlaceSurvivorsParams, Segments, SegmentsParams,
};
pub use method::Method;
pub use methods::{MethodName, MethodOptions, method, methods};
pub use random_score::{RandomScore, RandomScoreParams};
pub use report::{
    LayerReport, ReportLayers, ReportLayersParams, ReportRows, ReportRowsParams, RoundReport,
};
pub use round::{
    Observed, Observes, Round, RoundOptions, Running, Scope, ScoredPairs, Shared, StepPass,
};
pub use schedule::Schedule;
pub use signs::{GraEstSigns, GraEstSignsParams};
pub use statistics::Statistics;
pub use tiles::{
    Enumerate, EnumerateParams, ExtendList, ExtendListParams, KeepBest, KeepBestParams, PutBack,
    PutBackParams, Settle, SettleParams,
};
pub use unit_sums::{GraBo, GraBoParams, GraEst, GraEstParams};
