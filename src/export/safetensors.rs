//! One file with all arrays, and the description in its header.

use ::safetensors::tensor::{Dtype, TensorView, serialize};

use super::arrays::{Array, Numbers};
use super::network::Exported;

impl Exported {
    /// A safetensors file: `layers.0.indptr`, `.indices`, `.data` …; the description is the entry `network` of its
    /// metadata.
    ///
    /// # Errors
    /// It cannot be written in this format: a reason.
    pub fn safetensors(&self) -> Result<Vec<u8>, String> {
        let mut arrays = self.sparse_arrays();
        arrays.extend(self.dense_arrays());
        let bytes: Vec<Vec<u8>> = arrays.iter().map(Array::bytes).collect();
        let views: Result<Vec<(&str, TensorView<'_>)>, String> = (arrays.iter().zip(&bytes))
            .map(|(array, bytes)| {
                let kind = match array.numbers {
                    Numbers::F32(_) => Dtype::F32,
                    Numbers::F64(_) => Dtype::F64,
                    Numbers::I32(_) => Dtype::I32,
                    Numbers::I64(_) => Dtype::I64,
                    Numbers::Text(_) => Dtype::U8,
                };
                let view = TensorView::new(kind, array.shape.clone(), bytes);
                let view = view.map_err(|error| format!("{}: {error}", array.name))?;
                Ok((array.name.as_str(), view))
            })
            .collect();
        let about = [("network".to_owned(), self.description().to_string())];
        serialize(views?, Some(about.into_iter().collect())).map_err(|error| error.to_string())
    }
}
