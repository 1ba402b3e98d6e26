//! `manifest.json`: what a checkpoint holds, and the checksums that prove it whole.
//!
//! The file is one JSON object whose last member is the CRC-32 of every byte before that member. The reader compares
//! the end of the file byte for byte, so that no single changed byte goes unnoticed, not even white space.

use super::checked::Checked;
use super::layer_shape::LayerShape;
use super::objective::Objective;
use super::optimiser::OptimiserShape;
use super::origin::{Change, Origin};
use super::parameters::{NormShape, ParameterShape, Shapes};
use super::progress::Progress;
use crate::data::DataRecord;
use serde::{Deserialize, Serialize};

/// Version of the checkpoint format, raised when a reader of the old one would misread the new one.
pub const FORMAT: u32 = 1;

/// The longest manifest that is written or read, in bytes. Real ones have a few kilobytes; a longer file did not come
/// from here.
pub(super) const MAX_BYTES: usize = 16 << 20;

/// The text between the manifest's content and its checksum. It cannot occur inside a JSON string, where a line feed is
/// escaped.
const SEAL: &str = ",\n  \"manifest_crc32\": ";

/// Everything in a checkpoint except the tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the checkpoint format: [`FORMAT`].
    pub format: u32,
    /// Version of rootlet that saved it.
    pub rootlet: String,
    /// How far the run had come.
    pub progress: Progress,
    /// Sizes of the layers.
    pub layers: Vec<LayerShape>,
    /// Kinds and sizes of the norms; empty in files of models without norms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub norms: Vec<NormShape>,
    /// Kinds and arrays of the layers with dense parameters, if not all of them are norms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<ParameterShape>,
    /// The optimiser and its arrays; SGD in files that do not say.
    #[serde(default, skip_serializing_if = "OptimiserShape::is_default")]
    pub optimiser: OptimiserShape,
    /// What the data were; none in files of versions that did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataRecord>,
    /// The loss and the metric of the network, if they are not cross-entropy and accuracy.
    #[serde(default, skip_serializing_if = "Objective::is_default")]
    pub objective: Objective,
    /// The run that saved it; none in files of programs, and of versions that did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Origin>,
    /// What changed when the run was resumed; empty in files of versions that did not record it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Size and checksum of `model.safetensors`.
    pub tensors: TensorFile,
    /// The run's complete `config.toml`.
    pub config: String,
}

/// Size and checksum of the tensor file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorFile {
    /// Its length in bytes.
    pub bytes: u64,
    /// CRC-32 of all its bytes, as in zip and gzip.
    pub crc32: u32,
}

impl Manifest {
    /// The file's bytes.
    pub(super) fn encode(&self) -> Checked<Vec<u8>> {
        let json = serde_json::to_string_pretty(self).map_err(|e| e.to_string())?;
        let content = json.strip_suffix("\n}").unwrap_or(&json);
        let sealed = format!("{content}{}", seal(content.as_bytes()));
        if sealed.len() > MAX_BYTES {
            return Err(format!(
                "the manifest has {} bytes, more than the {MAX_BYTES} allowed; is the configuration text right?",
                sealed.len()
            ));
        }
        Ok(sealed.into_bytes())
    }

    /// Whether the file has a later format than this version's: it may be whole, and must not be passed over.
    pub(super) fn is_later(bytes: &[u8]) -> bool {
        serde_json::from_slice(bytes).is_ok_and(|found: Format| found.format > u64::from(FORMAT))
    }

    /// Reads the file's bytes back. An error's text is a reason that can follow "manifest.json".
    pub(super) fn decode(bytes: &[u8]) -> Checked<Self> {
        let damaged = || "fails its checksum".to_owned();
        let text = std::str::from_utf8(bytes).map_err(|_| damaged())?;
        let (content, end) = text.split_at(text.rfind(SEAL).ok_or_else(damaged)?);
        if end != seal(content.as_bytes()) {
            return Err(damaged());
        }
        let malformed = |e: serde_json::Error| format!("is not a checkpoint's manifest: {e}");
        let Format { format, rootlet } = serde_json::from_str(text).map_err(malformed)?;
        if format != u64::from(FORMAT) {
            let version = rootlet.unwrap_or_else(|| "unknown".to_owned());
            return Err(format!(
                "has checkpoint format {format} (rootlet {version}), and this rootlet {} reads format {FORMAT} only; \
                 use the rootlet that saved it",
                env!("CARGO_PKG_VERSION")
            ));
        }
        let manifest: Self = serde_json::from_str(text).map_err(malformed)?;
        manifest.check()?;
        Ok(Self {
            data: manifest.data.map(DataRecord::into_current),
            ..manifest
        })
    }

    /// The layers with dense parameters.
    pub(super) fn dense(&self) -> Shapes {
        Shapes::from_manifest(&self.norms, &self.parameters)
    }

    /// Checks that the layers' sizes fit the tensor file, before that file is touched or memory is allocated for it.
    fn check(&self) -> Checked<()> {
        let mut bytes = 0u64;
        let state = self.optimiser.bytes();
        let layers = self.layers.iter().enumerate();
        let layers = layers.map(|(l, layer)| layer.bytes(l, state));
        let dense = self.dense().layers;
        let dense = dense.iter().enumerate();
        let dense = dense.map(|(i, layer)| layer.bytes(i, state));
        for more in layers.chain(dense) {
            bytes = bytes
                .checked_add(more?)
                .ok_or("declares more tensors than any file holds")?;
        }
        if bytes > self.tensors.bytes {
            return Err(format!(
                "declares {bytes} bytes of tensors in a file of {}",
                self.tensors.bytes
            ));
        }
        Ok(())
    }
}

/// What is read first, because another format may have other members.
#[derive(Deserialize)]
struct Format {
    format: u64,
    rootlet: Option<String>,
}

/// The end of a manifest with this content.
fn seal(content: &[u8]) -> String {
    format!("{SEAL}{}\n}}\n", crc32fast::hash(content))
}

/// For the fuzzer: the bytes as they are, and with a right checksum, which it would hardly ever hit.
pub(crate) fn fuzz(bytes: &[u8]) {
    let _ = Manifest::decode(bytes);
    let sealed = [bytes, seal(bytes).as_bytes()].concat();
    if let Ok(manifest) = Manifest::decode(&sealed) {
        let again = manifest.encode().and_then(|bytes| Manifest::decode(&bytes));
        // Compared as text, because NaN does not equal itself.
        assert_eq!(
            format!("{again:?}"),
            format!("{:?}", Ok::<_, String>(manifest))
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::layer_shape::MAX_INDEX;
    use super::super::parameters::NormKind;
    use super::*;
    use proptest::prelude::*;

    fn example() -> Manifest {
        Manifest {
            format: FORMAT,
            rootlet: "0.1.0".into(),
            progress: Progress {
                step: u64::MAX,
                loss_sum: 0.1 + 0.2,
                seconds: 1e-310,
                ..Progress::default()
            },
            layers: vec![LayerShape {
                n_in: 3,
                n_out: 2,
                active: 5,
            }],
            norms: vec![NormShape {
                kind: NormKind::Batch,
                channels: 2,
            }],
            parameters: Vec::new(),
            optimiser: OptimiserShape::default(),
            data: None,
            objective: Objective::default(),
            run: None,
            changes: Vec::new(),
            tensors: TensorFile {
                bytes: 1000,
                crc32: 7,
            },
            config: "a = \"x\"\nb = \"\u{e9}\"\n".into(),
        }
    }

    /// Any content with a right checksum: what a checksum alone does not stop.
    fn sealed(content: &str) -> Vec<u8> {
        format!("{content}{}", seal(content.as_bytes())).into_bytes()
    }

    #[test]
    fn every_bit_counts() {
        let bytes = example().encode().unwrap();
        assert_eq!(Manifest::decode(&bytes).unwrap(), example());
        for i in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[i] ^= 1 << bit;
                assert!(Manifest::decode(&flipped).is_err(), "byte {i} bit {bit}");
            }
        }
    }

    #[test]
    fn another_format_is_named() {
        let error = Manifest::decode(&sealed("{\n  \"format\": 9,\n  \"rootlet\": \"7.0.0\""));
        let error = error.unwrap_err();
        assert!(error.contains("format 9") && error.contains("7.0.0"));
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let refuse = |change: &dyn Fn(&mut Manifest)| {
            let mut manifest = example();
            change(&mut manifest);
            Manifest::decode(&manifest.encode().unwrap()).unwrap_err()
        };
        refuse(&|m| m.layers[0].n_in = usize::MAX);
        refuse(&|m| m.layers[0].n_out = MAX_INDEX);
        refuse(&|m| m.layers[0].active = 7);
        refuse(&|m| m.norms[0].channels = 0);
        refuse(&|m| m.norms[0].channels = usize::MAX);
        refuse(&|m| m.tensors.bytes = 87 + 48);
    }

    proptest! {
        #[test]
        fn no_content_panics(content in any::<String>(), bytes in any::<Vec<u8>>()) {
            prop_assert!(Manifest::decode(&sealed(&content)).is_err());
            prop_assert!(Manifest::decode(&bytes).is_err());
        }

        #[test]
        fn sums_come_back_bit_for_bit(bits in any::<u64>()) {
            let mut manifest = example();
            manifest.progress.loss_sum = f64::from_bits(bits);
            let back = Manifest::decode(&manifest.encode().unwrap()).unwrap().progress.loss_sum;
            prop_assert!(back.to_bits() == bits || (back.is_nan() && f64::from_bits(bits).is_nan()));
        }
    }
}
