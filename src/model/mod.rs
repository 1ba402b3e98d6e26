//! Models: lists of layers, nothing else.
//!
//! A [`Model`] is a list of [`Node`]s, each of which takes values made before it and makes one. A [`Builder`] builds
//! such a list. Each family has a short file, and [`by_name`] knows them all.
//!
//! | file | models |
//! |---|---|
//! | `mlp.rs` | `mlp` |
//! | `resnet.rs` | `resnet20` … `resnet110` for small images, `resnet18` … `resnet50` for large ones |
//! | `vgg.rs` | `vgg11-small` … `vgg19-small` |
//! | `vit.rs` | `simple-vit-tiny`, `simple-vit` |

mod builder;
mod catalogue;
mod count;
mod linear;
mod mlp;
mod node;
mod resnet;
mod vgg;
mod vit;

pub use crate::layer::Extent;
pub use builder::{Builder, Value};
pub use catalogue::{MODELS, ModelOptions, by_name};
pub use count::{LayerCount, ModelCount};
pub use mlp::mlp;
pub use node::{Model, Node, SparseNode};
pub use resnet::{Block, cifar_resnet, imagenet_resnet};
pub use vgg::vgg_small;
pub use vit::{VitOptions, simple_vit};
