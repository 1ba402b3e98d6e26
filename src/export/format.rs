//! What a network can be exported as.

use crate::choice::choice;

choice! {
    /// What a network is exported as.
    pub enum ExportFormat {
        /// A graph for onnxruntime and others, with the preparation of samples inside
        Onnx = "onnx",
        /// A folder with a Python file that is a `torch.nn.Module`, and its weights
        Torch = "torch",
        /// A folder with compressed sparse rows per layer, which `scipy.sparse.load_npz` opens
        Scipy = "scipy",
        /// One file with compressed sparse rows per layer
        Safetensors = "safetensors",
    }
}
