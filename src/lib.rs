//! **rootlet** trains neural networks that are sparse from the first step to the last, on any GPU that WebGPU reaches.
//!
//! Only the connections that exist are ever in memory, on the device and on the host. Every T steps, guided stochastic
//! exploration (Heddes, Srinivasa, Givargis and Nicolau, "Always-Sparse Training by Growing Connections with Guided
//! Stochastic Exploration", arXiv 2401.06898) samples a few inactive connections, computes the gradient of those alone,
//! grows the best and prunes the weakest.
//!
//! ```
//! use rootlet::data::{self, DataOptions};
//! use rootlet::engine::Device;
//! use rootlet::train::{Event, Hooks, TrainConfig, Trainer};
//!
//! let config = TrainConfig { sparsity: 0.95, epochs: 2, ..TrainConfig::default() };
//! let mut trainer = Trainer::new(Device::cpu(0)?, config, data::load(&DataOptions::default())?)?;
//! let mut show = |event: &Event| { println!("{event:?}"); Ok(()) };
//! trainer.run(&mut Hooks::observing(&mut show))?;
//! assert!(trainer.evaluate()?.accuracy > 0.8);
//! # Ok::<(), rootlet::Error>(())
//! ```
//!
//! # The data's way
//!
//! sample → upload → forward → loss → backward → optimiser → (every T steps) topology round → events → checkpoint and
//! report. Each module knows only those above it:
//!
//! | module | what it is |
//! |---|---|
//! | [`engine`] | adapters, buffers and their byte ledger, kernels as pairs of a shader and a CPU twin, plans, executors |
//! | [`primitive`] | sort, scan, select and search on the device |
//! | [`sparse`] | the connection arena, the first graph, the sparse products and convolutions |
//! | [`dense`] | the products of layers that have all their connections, or most |
//! | [`layer`] | layers, forward beside backward: sparse, norm, activation, pool, attention |
//! | [`model`] | lists of layers: perceptrons, ResNets, VGG, ViT |
//! | [`optim`] | optimisers: SGD with momentum, or your own; the learning rate |
//! | [`topology`] | prune-and-grow rounds and the methods behind them |
//! | [`data`] | real images, from public files to normalised batches |
//! | [`loss`] | losses and metrics |
//! | [`network`] | a model on a device: its memory and the programs of a step |
//! | [`checkpoint`] | what is saved, so that nothing is lost |
//! | [`train`] | the configuration, the training step, the trainer and its events |
//! | [`report`] | run folders, tables, consoles: what becomes of the events; sweeps, figures, the report's page |
//! | [`mod@bench`] | ceilings of an adapter, and what the kernels reach of them |
//! | [`verify`] | whether an adapter computes what it should |
//! | [`kernels`] | every kernel pair of the crate, for tests and tools |
//!
//! Activations are `[unit][position][batch]`, the batch innermost: a connection is one scalar times one contiguous row, in a
//! perceptron (one position), a convolution (pixels) and a transformer (tokens) alike.

// What only a part uses that is left out is not told of as unused; the whole build is.
#![cfg_attr(
    not(all(
        feature = "cli",
        feature = "image-folder",
        feature = "gpu",
        feature = "cpu"
    )),
    allow(dead_code, unused_imports)
)]

// The `kernel!` and `uniform!` macros name the crate, also from within it.
extern crate self as rootlet;

#[macro_use]
pub mod engine;
#[cfg(feature = "bench")]
pub mod bench;
pub mod checkpoint;
mod clock;
pub mod data;
pub mod dense;
mod disk;
pub mod error;
mod files;
#[cfg(all(feature = "bench", feature = "image-folder"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod kernels;
pub mod layer;
pub mod loss;
pub mod model;
pub mod network;
pub mod optim;
pub mod primitive;
#[cfg(feature = "report")]
pub mod report;
pub mod sparse;
mod threads;
pub mod topology;
pub mod train;
pub mod verify;
mod words;

pub use error::{Error, Result};
