//! Topology: when, where and how connections are pruned and grown, all on the device.
//!
//! Every T steps a [`Round`] draws candidate pairs, scores them by the gradient they would have, and exchanges the k
//! best of them for the k weakest connections (Heddes et al., "Always-Sparse Training by Growing Connections with
//! Guided Stochastic Exploration", arXiv 2401.06898). A [`Method`] says where candidates come from and how they are
//! scored.
//!
//! Stages 2 to 5 run before the training step that scores the candidates, 1 and 6 within its passes, the others after
//! its update. Of a convolution, an input unit is a tap of a channel; patches and tokens are further members of the
//! batch.
//!
//! | stage | kernels |
//! |---|---|
//! | 1 statistics f, g | [`GraBo`], [`GraEstSigns`], [`GraEst`] |
//! | 2 running sums | [`Cumulate`] |
//! | 3 draw | [`Sample`] |
//! | 4 sort by row, column | [`RadixSort`](crate::primitive::RadixSort) |
//! | 5 drop duplicates and active pairs | [`Mark`], [`Scan`](crate::primitive::Scan), [`Compact`] |
//! | 6 score | [`Sddmm`](crate::sparse::Sddmm) or [`ConvSddmm`](crate::sparse::ConvSddmm), [`RandomScore`], or a method's own |
//! | 7 select | [`Segments`], [`RadixSelect`](crate::primitive::RadixSelect) |
//! | 8 report | [`ReportRows`], [`ReportLayers`] |
//! | 9 merge | [`PlaceSurvivors`], [`PlaceGrown`], [`MergePairs`], [`MergeState`], [`CopyBack`] |
//! | 10 offsets and transposed order | [`LowerBound`](crate::primitive::LowerBound), sort, [`Gather`](crate::primitive::Gather) |
//!
//! A method that scores all inactive pairs ([`Candidates::All`]: RigL) has no stages 1 to 5. Within the backward pass
//! each layer's pairs go by in tiles instead: O(n_in * n_out) time, O(N) memory.
//!
//! | for each tile | kernels |
//! |---|---|
//! | its inactive pairs, in order | [`Enumerate`] |
//! | score | as in stage 6 |
//! | the best of it and of those so far | [`ExtendList`], [`RadixSelect`](crate::primitive::RadixSelect), [`KeepBest`], [`PutBack`] |
//! | in the end: the candidates | [`Settle`], [`LowerBound`](crate::primitive::LowerBound) |
//!
//! Nothing is drawn, ranked or merged by the order of atomics: a round repeats bit for bit. Work space: 24 bytes a
//! connection at gamma = 1; of all pairs, 40 bytes a connection and 20 a pair of a tile.

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
pub use growth::{Candidates, Distribution, FinishInputs, Growth, NoGrowth, ScoreInputs, Scored};
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
pub use round::{Observed, Observes, Round, RoundOptions, Running, Scope, ScoredPairs, StepPass};
pub use schedule::Schedule;
pub use signs::{GraEstSigns, GraEstSignsParams};
pub use statistics::Statistics;
pub use tiles::{
    Enumerate, EnumerateParams, ExtendList, ExtendListParams, KeepBest, KeepBestParams, PutBack,
    PutBackParams, Settle, SettleParams,
};
pub use unit_sums::{GraBo, GraBoParams, GraEst, GraEstParams};
