//! **rootlet** trains neural networks that are sparse from the first step to the last, on any GPU that WebGPU reaches.
//!
//! Only the connections that exist are ever in memory, on the device and on the host. Every T steps, guided stochastic
//! exploration (Heddes, Srinivasa, Givargis and Nicolau, "Always-Sparse Training by Growing Connections with Guided
//! Stochastic Exploration", arXiv 2401.06898) samples a few inactive connections, computes the gradient of those alone,
//! grows the best and prunes the weakest.
//!
//! # # Your data, your model: train, predict, save
//!
//! All names here come from the [`prelude`]. Data come from vectors, from files of your own through a
//! [`data::DataSource`], or from the known sets and image folders that [`data::load`] reads.
//!
//! ```
//! use rootlet::prelude::*;
//!
//! // Your data: points of the plane, which lie inside a circle or outside.
//! let points = |count: usize| {
//!     let at = |i: usize, step: f32| (i as f32 * step).fract() * 2.0 - 1.0;
//!     let points: Vec<[f32; 2]> = (0..count).map(|i| [at(i, 0.754_878), at(i, 0.569_84)]).collect();
//!     let inside = points.iter().map(|[x, y]| u32::from(x * x + y * y < 0.6)).collect::<Vec<_>>();
//!     Vectors::new(2, points.concat(), inside)
//! };
//! let shape = ImageShape { channels: 2, height: 1, width: 1 };
//! let data = Dataset::new("circle", shape, points(512)?, points(128)?)?;
//!
//! // Your model: two hidden layers, and half of all possible connections, replaced step by step by better ones.
//! let mut config = TrainConfig::default();
//! config.model.hidden = vec![32, 32];
//! config.model.sparsity = 0.5;
//! config.run.epochs = 20;
//!
//! // Train.
//! let mut trainer = Trainer::new(Device::cpu(0)?, config.clone(), data)?;
//! let mut show = |event: &Event| { println!("{event:?}"); Ok(()) };
//! trainer.run(&mut Hooks::observing(&mut show))?;
//! assert!(trainer.evaluate()?.accuracy > 0.9);
//!
//! // Save, and predict from what was saved.
//! let folder = std::env::temp_dir().join(format!("rootlet-circle-{}", std::process::id()));
//! let saved = checkpoint::save(&folder, &trainer.snapshot()?, &config.to_toml()?)?;
//! let predictor = Predictor::load_on(Device::cpu(0)?, &saved)?;
//! println!("classes of three points: {:?}", predictor.predict_all(&points(3)?.into())?.classes());
//! # std::fs::remove_dir_all(&folder).map_err(Error::io("remove", &folder))?;
//! # Ok::<(), Error>(())
//! ```
//!
//! Continue with the examples: a training loop of your own (`custom_loop`), fine-tuning, early stopping, predictions,
//! and parts of your own: a [`Layer`](layer::Layer), an [`Optimiser`](optim::Optimiser), a [`Loss`](loss::Loss), a
//! [`Method`](topology::Method). Each is a trait; a [`Setup`](train::Setup) passes them to the trainer. On a GPU, use
//! `Device::open("auto", …)` instead of `Device::cpu`.
//!
//! # How it works inside
//!
//! sample → upload → forward → loss → backward → optimiser → (every T steps) topology round → events → checkpoint and
//! report. Each module knows only those above it:
//!
//! | module | what it is |
//! |---|---|
//! | [`low_level::ranks`] | processes that train together, and what they tell each other |
//! | [`low_level::engine`] | adapters, buffers and their byte ledger, kernels (shader and CPU twin), plans, executors |
//! | [`low_level::primitive`] | sort, scan, select and search on the device |
//! | [`low_level::sparse`] | the connection arena, the first graph, the sparse products and convolutions |
//! | [`low_level::dense`] | the products of layers that have all or most of their connections |
//! | [`low_level::layer`] | layers, forward beside backward: sparse, norm, activation, pool, attention |
//! | [`model`] | lists of layers: perceptrons, ResNets, VGG, ViT |
//! | [`optim`] | optimisers: SGD with momentum, or your own; the learning rate |
//! | [`low_level::topology`] | prune-and-grow rounds and the methods behind them |
//! | [`data`] | real images, from public files to normalised batches |
//! | [`loss`] | losses and metrics |
//! | [`low_level::network`] | a model on a device: its memory and the programs of a step |
//! | [`checkpoint`] | saving and loading, so that nothing is lost |
//! | [`train`] | the configuration, the training step, the trainer and its events |
//! | [`low_level::explain`] | what a trained network's answers depend on |
//! | [`command::report`] | what becomes of the events: run folders, tables, consoles, sweeps, figures, reports |
//! | [`command::bench`] | ceilings of an adapter, and how close the kernels come to them |
//! | [`command::verify`] | whether an adapter computes what it should |
//!
//! Activations are `[unit][position][batch]`, the batch innermost: a connection is one scalar times one contiguous row,
//! in a perceptron (one position), a convolution (pixels) and a transformer (tokens) alike.

// Code that only a left-out part uses is not reported as unused; in the whole build it is.
#![cfg_attr(
    not(all(
        feature = "cli",
        feature = "image-folder",
        feature = "gpu",
        feature = "cpu"
    )),
    allow(dead_code, unused_imports)
)]

// The `kernel!` and `uniform!` macros name the crate, even from within it.
extern crate self as rootlet;

#[macro_use]
#[doc(hidden)]
pub mod engine;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod bounds;
mod busy;
#[cfg(feature = "report")]
mod cache;
pub mod checkpoint;
mod choice;
mod clock;
pub mod data;
#[doc(hidden)]
pub mod dense;
mod disk;
pub mod error;
#[doc(hidden)]
pub mod explain;
#[cfg(feature = "report")]
#[doc(hidden)]
pub mod export;
mod files;
#[cfg(all(feature = "bench", feature = "image-folder"))]
#[doc(hidden)]
pub mod fuzzing;
#[doc(hidden)]
pub mod kernels;
#[doc(hidden)]
pub mod layer;
pub mod loss;
pub mod model;
#[doc(hidden)]
pub mod network;
pub mod optim;
pub mod prelude;
#[doc(hidden)]
pub mod primitive;
#[doc(hidden)]
pub mod ranks;
#[cfg(feature = "report")]
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod sparse;
mod threads;
#[doc(hidden)]
pub mod topology;
pub mod train;
mod twin;
#[doc(hidden)]
pub mod verify;
mod window;
mod words;

pub use error::{Error, Result};

/// What the stable face is built on: kernels, layers, rounds, a model on a device. It is for programs that bring their
/// own kernels or go below the trainer, such as the examples `custom_layer` and `custom_loop`, and for tests. **Not
/// stable**: any version may change it.
pub mod low_level {
    #[doc(inline)]
    pub use crate::{dense, engine, kernels, layer, network, primitive, ranks, sparse, topology};

    /// The parts of a checkpoint's manifest.
    pub mod checkpoint {
        #[doc(inline)]
        pub use crate::checkpoint::{
            ArrayShape, LayerShape, NormKind, NormShape, NumberType, OptimiserShape,
            ParameterShape, StateShape, TensorFile,
        };
    }

    /// Figures of a whole evaluation, computed on the host.
    pub mod evaluation {
        #[doc(inline)]
        pub use crate::loss::{Measure, OfClass, Outcomes};
        #[doc(inline)]
        pub use crate::train::evaluate_whole;
    }

    #[doc(inline)]
    pub use crate::explain;
}

/// What the command `rootlet` uses in addition: run folders, tables and pages, benchmarks, and the verification of an
/// adapter. **Not stable**: any version may change it.
pub mod command {
    #[cfg(feature = "bench")]
    #[doc(inline)]
    pub use crate::bench;
    /// What a user's processes know of each other.
    #[cfg(all(feature = "report", feature = "tcp"))]
    pub use crate::cache::shared_secret;
    #[cfg(feature = "report")]
    #[doc(inline)]
    pub use crate::cache::tuned;
    #[cfg(feature = "report")]
    #[doc(inline)]
    pub use crate::export;
    #[cfg(feature = "report")]
    #[doc(inline)]
    pub use crate::report;
    #[doc(inline)]
    pub use crate::verify;
}
