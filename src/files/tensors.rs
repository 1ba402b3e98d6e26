//! Reading safetensors files. The text of an error follows after "it".

use safetensors::tensor::{Dtype, Metadata, TensorInfo};

/// The header of a safetensors file: which tensors its data have, and where. `SafeTensors::deserialize` is not used,
/// because its sum of offsets overflows on a crafted header.
pub(crate) struct TensorsHeader(Metadata);

impl TensorsHeader {
    /// Parses the JSON of a header that `length` bytes of tensors follow.
    pub fn parse(json: &[u8], length: u64) -> Result<Self, String> {
        let header: Metadata =
            serde_json::from_slice(json).map_err(|e| format!("has an unreadable header: {e}"))?;
        match header.data_len() as u64 == length {
            true => Ok(Self(header)),
            false => Err(format!(
                "declares {} bytes of tensors and has {length}",
                header.data_len()
            )),
        }
    }

    /// Names of its tensors, and how they are stored.
    pub fn infos(&self) -> Vec<(String, &TensorInfo)> {
        self.0.tensors().into_iter().collect()
    }
}

/// A safetensors file in two parts, its header and its data.
pub(crate) struct TensorsFile<'a> {
    header: Metadata,
    data: &'a [u8],
}

impl<'a> TensorsFile<'a> {
    /// The layout: the header's length in eight little-endian bytes, the JSON header, and the tensors.
    pub fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let (length, rest) = bytes
            .split_first_chunk::<8>()
            .ok_or("is too short to be a safetensors file")?;
        let length = u64::from_le_bytes(*length);
        let (header, data) = usize::try_from(length)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or_else(|| format!("declares a header of {length} bytes and is shorter"))?;
        let TensorsHeader(header) = TensorsHeader::parse(header, data.len() as u64)?;
        Ok(Self { header, data })
    }

    /// The number of tensors.
    pub fn tensors(&self) -> usize {
        self.header.tensors().len()
    }

    /// Names and shapes of its tensors.
    pub fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        let tensors = self.header.tensors().into_iter();
        tensors
            .map(|(name, info)| (name, info.shape.clone()))
            .collect()
    }

    /// How the tensor `name` is stored, and its bytes.
    pub fn tensor(&self, name: &str) -> Result<(&TensorInfo, &'a [u8]), String> {
        let info = self
            .header
            .info(name)
            .ok_or_else(|| format!("has no tensor `{name}`"))?;
        let (start, end) = info.data_offsets;
        let bytes = self
            .data
            .get(start..end)
            .ok_or_else(|| format!("ends before the end of `{name}`"))?;
        Ok((info, bytes))
    }

    /// All numbers of the tensor `name`, of any shape and kind of real numbers.
    pub fn numbers(&self, name: &str) -> Result<Vec<f32>, String> {
        let (info, bytes) = self.tensor(name)?;
        let words = || {
            bytes
                .as_chunks::<2>()
                .0
                .iter()
                .map(|&b| u16::from_le_bytes(b))
        };
        Ok(match info.dtype {
            Dtype::F32 => (bytes.as_chunks().0.iter())
                .map(|&b| f32::from_le_bytes(b))
                .collect(),
            Dtype::F64 => (bytes.as_chunks().0.iter())
                .map(|&b| f64::from_le_bytes(b) as f32)
                .collect(),
            Dtype::F16 => words()
                .map(|bits| half::f16::from_bits(bits).to_f32())
                .collect(),
            Dtype::BF16 => words()
                .map(|bits| half::bf16::from_bits(bits).to_f32())
                .collect(),
            other => {
                return Err(format!(
                    "has `{name}` as {other:?}, which are no real numbers"
                ));
            }
        })
    }

    /// Whether there is a tensor with this name.
    pub fn has(&self, name: &str) -> bool {
        self.header.info(name).is_some()
    }

    /// Elements of the one-dimensional tensor `name`; 0 if it does not exist.
    pub fn length(&self, name: &str) -> usize {
        match self.header.info(name).map(|info| &info.shape[..]) {
            Some(&[length]) => length,
            _ => 0,
        }
    }

    /// The tensor `name` of `len` indices.
    pub fn indices(&self, name: &str, len: usize) -> Result<Vec<u32>, String> {
        self.column(name, Dtype::I32, len, u32::from_le_bytes)
    }

    /// The tensor `name` of `len` real numbers.
    pub fn reals(&self, name: &str, len: usize) -> Result<Vec<f32>, String> {
        self.column(name, Dtype::F32, len, f32::from_le_bytes)
    }

    /// The tensor `name` of `len` counts.
    pub fn counts(&self, name: &str, len: usize) -> Result<Vec<u32>, String> {
        self.column(name, Dtype::U32, len, u32::from_le_bytes)
    }

    /// The tensor `name` of hashes, of any length.
    pub fn hashes(&self, name: &str) -> Result<Vec<u64>, String> {
        self.column(name, Dtype::I64, self.length(name), u64::from_le_bytes)
    }

    /// The tensor `name` of `len` elements.
    fn column<T, const BYTES: usize>(
        &self,
        name: &str,
        dtype: Dtype,
        len: usize,
        read: fn([u8; BYTES]) -> T,
    ) -> Result<Vec<T>, String> {
        let (info, bytes) = self.tensor(name)?;
        if info.dtype != dtype || info.shape != [len] {
            return Err(format!(
                "has `{name}` as {:?} {:?}, expected {dtype:?} [{len}]",
                info.dtype, info.shape
            ));
        }
        Ok(bytes.as_chunks().0.iter().map(|&b| read(b)).collect())
    }
}
