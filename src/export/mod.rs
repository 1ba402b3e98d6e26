//! Trained networks for other programs.
//!
//! | file | job |
//! |---|---|
//! | `network.rs` | what is exported: steps in order with their numbers, and how samples are prepared |
//! | `columns.rs` | how rows of a table become inputs, as numbers for each input |
//! | `format.rs` | the formats by name |
//! | `description.rs` | the same as JSON |
//! | `arrays.rs` | arrays with names; what a network's are called |
//! | `npz.rs` | NumPy's `.npy` and `.npz` |
//! | `scipy.rs`, `safetensors.rs`, `torch.rs`, `onnx.rs` | the formats |
//! | `graph.rs`, `proto.rs` | an ONNX graph under construction, and the messages that it consists of |

mod arrays;
mod columns;
mod description;
mod format;
mod graph;
mod network;
mod npz;
mod onnx;
mod proto;
mod safetensors;
mod scipy;
mod torch;

pub use format::ExportFormat;
pub use network::Exported;
pub use onnx::SparseForm;
