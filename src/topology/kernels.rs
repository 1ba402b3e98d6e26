//! The list of the kernels.

use super::{
    Compact, CopyBack, Cumulate, Enumerate, ExtendList, GraBo, GraEst, GraEstSigns, KeepBest, Mark,
    MergePairs, MergeState, PlaceGrown, PlaceSurvivors, PutBack, RandomScore, ReportLayers,
    ReportRows, Sample, Segments, Settle,
};
use crate::engine::{Kernel, KernelInfo};

/// Every kernel that a round may dispatch, those of [`primitive`](crate::primitive) included,
/// [`Sddmm`](crate::sparse::Sddmm) not.
pub fn kernels() -> Vec<&'static KernelInfo> {
    let mut kernels = crate::primitive::kernels();
    kernels.extend([
        GraBo::INFO,
        GraEstSigns::INFO,
        GraEst::INFO,
        Cumulate::INFO,
        Sample::INFO,
        Mark::INFO,
        Compact::INFO,
        Enumerate::INFO,
        ExtendList::INFO,
        KeepBest::INFO,
        PutBack::INFO,
        Settle::INFO,
        RandomScore::INFO,
        Segments::INFO,
        ReportRows::INFO,
        ReportLayers::INFO,
        PlaceSurvivors::INFO,
        PlaceGrown::INFO,
        MergePairs::INFO,
        MergeState::INFO,
        CopyBack::INFO,
    ]);
    kernels
}
