//! What an explained network looks like: where in an image an answer comes from, what columns are worth, and how units
//! are connected.

mod answer;
mod columns;
mod heat;
mod topology;

pub use answer::{ExplainedImage, explained_image, explained_images};
pub use columns::{column_rows, explained_columns};
pub use topology::explained_topology;
