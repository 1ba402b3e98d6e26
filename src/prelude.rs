//! The names for loading data, training, predicting and saving: `use rootlet::prelude::*;`.
//!
//! They are the stable face of the crate. The modules document what they lead to; everything below them is in
//! [`low_level`](crate::low_level).

pub use crate::checkpoint;
pub use crate::data::{
    self, DataOptions, DataSource, Dataset, ImageShape, Images, Targets, Vectors,
};
pub use crate::engine::{Device, DeviceOptions};
pub use crate::layer::Layer;
pub use crate::loss::{Loss, Metric};
pub use crate::model::{self, Builder, Model};
pub use crate::optim::{LearningRate, Optimiser};
pub use crate::topology::Method;
pub use crate::train::{Event, Hooks, Predictor, SaveEvery, Setup, TrainConfig, Trainer};
pub use crate::{Error, Result};
