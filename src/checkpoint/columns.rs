//! Tensors of one dimension as they are written into a safetensors file.

use std::borrow::Cow;

use safetensors::tensor::{Dtype, View};

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
