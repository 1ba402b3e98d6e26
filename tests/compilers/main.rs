//! Every kernel in every workgroup shape, through compilers other than naga, and for compilers that are not here.
#![allow(clippy::unwrap_used)]

#[path = "../common/browser.rs"]
mod browser;
#[path = "../common/shaders.rs"]
mod shaders;

mod hlsl;
#[cfg(target_os = "linux")]
mod llvmpipe;
mod spirv;
mod tint;
