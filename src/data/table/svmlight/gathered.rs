//! The rows that were read so far, in memory or in a file.

use super::super::cells::Cells;
use super::super::scratch::Scratch;
use super::super::stored::StoredPairs;
use super::layout::Layout;

/// Rows that are being gathered.
pub(super) enum Gathered {
    Memory {
        starts: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<f32>,
    },
    /// With how many pairs stand before each row.
    Stored(Scratch, Vec<u64>),
}

impl Gathered {
    /// Memory for all of them.
    pub fn memory(layout: &Layout) -> Result<Self, String> {
        let (mut starts, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let pairs = usize::try_from(layout.pairs).unwrap_or(usize::MAX);
        (starts.try_reserve_exact(layout.rows.saturating_add(1)))
            .and_then(|()| columns.try_reserve_exact(pairs))
            .and_then(|()| values.try_reserve_exact(pairs))
            .map_err(|_| "its cells are larger than the memory".to_owned())?;
        starts.push(0);
        Ok(Gathered::Memory {
            starts,
            columns,
            values,
        })
    }

    pub fn add(&mut self, own: &[u32], numbers: &[f32]) -> Result<(), String> {
        match self {
            Gathered::Memory {
                starts,
                columns,
                values,
            } => {
                columns.extend_from_slice(own);
                values.extend_from_slice(numbers);
                starts.push(columns.len());
                Ok(())
            }
            Gathered::Stored(file, starts) => {
                let before = starts.last().copied().unwrap_or(0);
                starts.push(before + own.len() as u64);
                file.add(bytemuck::cast_slice(own))?;
                file.add(bytemuck::cast_slice(numbers))
            }
        }
    }

    pub fn cells(self) -> Result<Cells, String> {
        Ok(match self {
            Gathered::Memory {
                starts,
                columns,
                values,
            } => Cells::Sparse {
                starts,
                columns,
                values,
            },
            Gathered::Stored(file, starts) => {
                let bytes = file.done()?;
                Cells::Stored {
                    stored: Box::new(StoredPairs { bytes, starts }),
                    sparse: true,
                }
            }
        })
    }
}
