//! Whole networks: their training steps and rounds, and their answers.
//!
//! | file | job |
//! |---|---|
//! | `stepper.rs` | a network with a random batch in place |
//! | `steps.rs`, `scaling.rs` | perceptrons: a step and a round; how both grow with the width |
//! | `models.rs` | models by name, and which kernels take the time |
//! | `trained.rs`, `onnxruntime.py` | how fast a trained network answers, here and in onnxruntime |

pub(super) mod models;
pub(super) mod scaling;
pub(super) mod stepper;
pub(super) mod steps;
mod trained;

pub use stepper::Bytes;
pub use trained::{AnswerFigure, has_onnxruntime, is_on_cores, time_answers};
