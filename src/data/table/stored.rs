//! Cells that stay in a file, and those that are written to one because memory cannot hold them.

use std::ops::Range;

use super::bytes::{Bytes, too_large};
use super::cells::{Cells, MISSING, StoredCells};
use super::scratch::Scratch;
use crate::engine::host_memory;
use crate::error::option::STREAM;
use crate::words::grouped;

/// Whether cells stay in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Stream {
    /// If they would take more than half of the free memory.
    #[default]
    Auto,
    Always,
    Never,
}

impl From<Option<bool>> for Stream {
    fn from(given: Option<bool>) -> Self {
        match given {
            None => Stream::Auto,
            Some(true) => Stream::Always,
            Some(false) => Stream::Never,
        }
    }
}

impl Stream {
    /// Whether cells of so many bytes stay in a file.
    ///
    /// # Errors
    /// They should be in memory, and do not fit: a reason that fits after the file's name.
    pub fn of(self, bytes: u64) -> Result<bool, String> {
        let free = host_memory::available();
        match (self, free) {
            (Stream::Always, _) => Ok(true),
            (Stream::Auto, free) => Ok(free.is_some_and(|free| bytes > free / 2)),
            (Stream::Never, Some(free)) if bytes > free => Err(format!(
                "{}; leave {STREAM} false out",
                too_large("its cells take", bytes, free)
            )),
            (Stream::Never, _) => Ok(false),
        }
    }
}

/// Words of cells that are being gathered, in memory or in a scratch file.
pub(super) enum Gathered {
    Memory(Vec<u32>),
    File(Scratch),
}

impl Gathered {
    /// Nothing yet; `streams`: in a file.
    pub fn new(streams: bool) -> Result<Self, String> {
        Ok(match streams {
            true => Gathered::File(Scratch::new()?),
            false => Gathered::Memory(Vec::new()),
        })
    }

    /// Allocates memory for so many words in all.
    pub fn reserve(&mut self, words: u64) -> Result<(), String> {
        let Gathered::Memory(all) = self else {
            return Ok(());
        };
        let more = usize::try_from(words).unwrap_or(usize::MAX);
        (all.try_reserve_exact(more.saturating_sub(all.len()))).map_err(|_| {
            format!(
                "its cells take {} bytes of memory, which the system refuses: a limit of the shell or the container \
                 (ulimit -v, cgroup) is below that; raise it, or let {STREAM} read the rows from a file",
                grouped(words.saturating_mul(4))
            )
        })
    }

    /// Moves what is in memory to a file.
    pub fn store(&mut self) -> Result<(), String> {
        if let Gathered::Memory(words) = self {
            let mut file = Scratch::new()?;
            file.add(bytemuck::cast_slice(words))?;
            *self = Gathered::File(file);
        }
        Ok(())
    }

    /// Adds words.
    pub fn add(&mut self, words: &[u32]) -> Result<(), String> {
        match self {
            Gathered::Memory(all) => {
                all.extend_from_slice(words);
                Ok(())
            }
            Gathered::File(file) => file.add(bytemuck::cast_slice(words)),
        }
    }
}

/// So many words of a file, from word `at` on.
fn words(bytes: &Bytes, at: u64, count: usize) -> Result<Vec<u32>, String> {
    let mut words = vec![0u32; count];
    bytes.read_at(4 * at, bytemuck::cast_slice_mut(&mut words))?;
    Ok(words)
}

/// `[row][column]` words in a scratch file.
#[derive(Debug)]
pub(super) struct StoredWords {
    pub bytes: Bytes,
    /// For each column of texts, the number of each category by order of appearance.
    pub places: Vec<Option<Vec<u32>>>,
}

impl StoredCells for StoredWords {
    fn cells(&self, rows: Range<usize>) -> Result<Cells, String> {
        let width = self.places.len();
        let first = rows.start as u64 * width as u64;
        let mut words = words(&self.bytes, first, rows.len() * width)?;
        renumber(&mut words, &self.places);
        Ok(Cells::Dense(words))
    }
}

/// Numbers the categories of cells `[row][column]` anew.
pub(super) fn renumber(words: &mut [u32], places: &[Option<Vec<u32>>]) {
    let width = places.len();
    for (column, places) in places.iter().enumerate() {
        let Some(new) = places else { continue };
        for word in words.iter_mut().skip(column).step_by(width) {
            *word = new.get(*word as usize).copied().unwrap_or(MISSING);
        }
    }
}

/// The cells of a sparse table in a scratch file: for each row its columns, then their numbers.
#[derive(Debug)]
pub(super) struct StoredPairs {
    pub bytes: Bytes,
    /// How many pairs stand before each row, and all of them.
    pub starts: Vec<u64>,
}

impl StoredCells for StoredPairs {
    fn cells(&self, rows: Range<usize>) -> Result<Cells, String> {
        let own = &self.starts[rows.start..=rows.end];
        let first = own[0];
        let starts: Vec<usize> = own.iter().map(|start| (start - first) as usize).collect();
        let pairs = starts[rows.len()];
        let words = words(&self.bytes, 2 * first, 2 * pairs)?;
        let (mut columns, mut values) = (Vec::with_capacity(pairs), Vec::with_capacity(pairs));
        for row in starts.windows(2) {
            let (of_row, count) = (&words[2 * row[0]..2 * row[1]], row[1] - row[0]);
            columns.extend_from_slice(&of_row[..count]);
            values.extend(of_row[count..].iter().map(|&bits| f32::from_bits(bits)));
        }
        Ok(Cells::Sparse {
            starts,
            columns,
            values,
        })
    }
}
