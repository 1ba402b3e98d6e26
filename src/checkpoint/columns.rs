//! A safetensors file as columns: tensors of one dimension and their names.

use super::checked::Checked;
use safetensors::tensor::{Dtype, Metadata, View};
use std::borrow::Cow;

/// A one-dimensional tensor to be written to the file.
pub(super) enum Column<'a> {
    Index(&'a [u32], [usize; 1]),
    Count(&'a [u32], [usize; 1]),
    Real(&'a [f32], [usize; 1]),
    Hash(&'a [u64], [usize; 1]),
}

impl<'a> Column<'a> {
    pub fn index(data: &'a [u32]) -> Self {
        Self::Index(data, [data.len()])
    }

    pub fn count(data: &'a [u32]) -> Self {
        Self::Count(data, [data.len()])
    }

    pub fn real(data: &'a [f32]) -> Self {
        Self::Real(data, [data.len()])
    }

    pub fn hash(data: &'a [u64]) -> Self {
        Self::Hash(data, [data.len()])
    }
}

impl View for Column<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            // Checked to be below 2^31, where signed and unsigned integers have the same bits.
            Self::Index(..) => Dtype::I32,
            Self::Count(..) => Dtype::U32,
            Self::Real(..) => Dtype::F32,
            // As signed numbers, which every reader supports.
            Self::Hash(..) => Dtype::I64,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Index(_, shape) | Self::Count(_, shape) => shape,
            Self::Real(_, shape) | Self::Hash(_, shape) => shape,
        }
    }

    fn data(&self) -> Cow<'_, [u8]> {
        if cfg!(target_endian = "little") {
            return Cow::Borrowed(match self {
                Self::Index(data, _) | Self::Count(data, _) => bytemuck::cast_slice(data),
                Self::Real(data, _) => bytemuck::cast_slice(data),
                Self::Hash(data, _) => bytemuck::cast_slice(data),
            });
        }
        Cow::Owned(match self {
            Self::Index(data, _) | Self::Count(data, _) => {
                data.iter().flat_map(|x| x.to_le_bytes()).collect()
            }
            Self::Real(data, _) => data.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::Hash(data, _) => data.iter().flat_map(|x| x.to_le_bytes()).collect(),
        })
    }

    fn data_len(&self) -> usize {
        let bytes = match self {
            Self::Index(..) | Self::Count(..) | Self::Real(..) => 4,
            Self::Hash(..) => 8,
        };
        bytes * self.shape()[0]
    }
}

/// The file in two parts. `SafeTensors::deserialize` is not used, because its sum of offsets overflows on a crafted
/// header.
pub(crate) struct File<'a> {
    header: Metadata,
    data: &'a [u8],
}

impl<'a> File<'a> {
    /// The layout: the header's length in eight little-endian bytes, the JSON header, and the tensors.
    pub fn open(bytes: &'a [u8]) -> Checked<Self> {
        let (length, rest) = bytes
            .split_first_chunk::<8>()
            .ok_or("is too short to be a safetensors file")?;
        let length = u64::from_le_bytes(*length);
        let (header, data) = usize::try_from(length)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or_else(|| format!("declares a header of {length} bytes and is shorter"))?;
        let header: Metadata =
            serde_json::from_slice(header).map_err(|e| format!("has an unreadable header: {e}"))?;
        if header.data_len() != data.len() {
            return Err(format!(
                "declares {} bytes of tensors and has {}",
                header.data_len(),
                data.len()
            ));
        }
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

    /// All numbers of the tensor `name`, of any shape and kind of real numbers.
    pub fn numbers(&self, name: &str) -> Checked<Vec<f32>> {
        let info = self
            .header
            .info(name)
            .ok_or_else(|| format!("has no tensor `{name}`"))?;
        let (start, end) = info.data_offsets;
        let bytes = self
            .data
            .get(start..end)
            .ok_or_else(|| format!("ends before the end of `{name}`"))?;
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
    pub fn indices(&self, name: &str, len: usize) -> Checked<Vec<u32>> {
        self.column(name, Dtype::I32, len, u32::from_le_bytes)
    }

    /// The tensor `name` of `len` real numbers.
    pub fn reals(&self, name: &str, len: usize) -> Checked<Vec<f32>> {
        self.column(name, Dtype::F32, len, f32::from_le_bytes)
    }

    /// The tensor `name` of `len` counts.
    pub fn counts(&self, name: &str, len: usize) -> Checked<Vec<u32>> {
        self.column(name, Dtype::U32, len, u32::from_le_bytes)
    }

    /// The tensor `name` of hashes, of any length.
    pub fn hashes(&self, name: &str) -> Checked<Vec<u64>> {
        self.column(name, Dtype::I64, self.length(name), u64::from_le_bytes)
    }

    /// The tensor `name` of `len` elements.
    fn column<T, const BYTES: usize>(
        &self,
        name: &str,
        dtype: Dtype,
        len: usize,
        read: fn([u8; BYTES]) -> T,
    ) -> Checked<Vec<T>> {
        let info = self
            .header
            .info(name)
            .ok_or_else(|| format!("has no tensor `{name}`"))?;
        if info.dtype != dtype || info.shape != [len] {
            return Err(format!(
                "has `{name}` as {:?} {:?}, expected {dtype:?} [{len}]",
                info.dtype, info.shape
            ));
        }
        let (start, end) = info.data_offsets;
        let bytes = self
            .data
            .get(start..end)
            .ok_or_else(|| format!("ends before the end of `{name}`"))?;
        Ok(bytes.as_chunks().0.iter().map(|&b| read(b)).collect())
    }
}
