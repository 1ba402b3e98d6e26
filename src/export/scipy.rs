//! A folder for SciPy: a file for each sparse layer, one for all other arrays, and a description.

use super::arrays::{Array, Numbers, indices};
use super::network::Exported;
use super::npz::npz;

impl Exported {
    /// The files by name: `layers.0.npz` … as `scipy.sparse.save_npz` writes them, `arrays.npz` and `network.json`.
    ///
    /// # Errors
    /// A file would be too large: a reason.
    pub fn scipy(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        let mut files = Vec::new();
        for rows in self
            .steps
            .iter()
            .filter_map(|step| step.connections.as_ref())
        {
            let shape = vec![rows.rows() as i64, rows.columns as i64];
            let arrays = [
                Array::new("indices", &[rows.indices.len()], indices(&rows.indices)),
                Array::new("indptr", &[rows.starts.len()], indices(&rows.starts)),
                Array::new("format", &[], Numbers::Text("csr".to_owned())),
                Array::new("shape", &[2], Numbers::I64(shape)),
                Array::new(
                    "data",
                    &[rows.values.len()],
                    Numbers::F32(rows.values.clone()),
                ),
            ];
            files.push((format!("layers.{}.npz", rows.layer), npz(&arrays)?));
        }
        files.push(("arrays.npz".to_owned(), npz(&self.dense_arrays())?));
        files.push(("network.json".to_owned(), self.json().into_bytes()));
        Ok(files)
    }

    /// The description as a file.
    pub(super) fn json(&self) -> String {
        format!("{:#}\n", self.description())
    }
}
