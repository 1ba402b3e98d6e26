//! A round's scratch memory: allocated once and reused from stage to stage.
//!
//! Six words (24 bytes) per connection at gamma = 1: more precisely, four per candidate slot or connection, whichever
//! are more, and two more. In addition, three words per input or output unit. Arrays that are overwritten anyway serve
//! as well: the arena's transposed order and gradient hold the merged connections before they are copied back.
//!
//! A method that scores all inactive pairs needs four more words per connection, for the running list, and five per
//! pair of a tile. By default, a tile has as many pairs as there are connections, or 2^18, or 2^22 on hardware.

use super::table;
use super::tiles;
use crate::engine::{Buffer, Class, Device, View};
use crate::error::Result;
use crate::primitive::{Pairs, RadixSelect, RadixSort, STATE_WORDS, Scan};
use crate::sparse::Arena;

pub(super) struct Sizes {
    /// Number of candidate slots.
    pub capacity: usize,
    /// Number of layers, or one for all together.
    pub segments: usize,
    /// Whether f and g are stored.
    pub weighted: bool,
    /// Number of words in GraEst's signs.
    pub signs: usize,
    /// Number of pairs of a tile, if all pairs are scored.
    pub tile: Option<usize>,
}

/// The running list and the tile before it.
pub(super) struct RunningList {
    /// Number of pairs of a tile.
    pub tile: usize,
    /// Number of slots of the tile and the list.
    pub slots: usize,
    pub state: Buffer,
    pub rows: Buffer,
    pub cols: Buffer,
    pub scores: Buffer,
    pub ranks: Buffer,
}

pub(super) struct Scratch {
    pub table: Buffer,
    pub report: Buffer,
    /// Running sums of f, `[C]`, and of g, `[R]`; one word if the distribution is uniform.
    pub inputs: Buffer,
    pub outputs: Buffer,
    pub signs: Buffer,
    /// Two pairs of arrays, with room for the candidates or the connections: what is drawn and sorted; at the end, the
    /// sort of `order`.
    pairs: [[Buffer; 2]; 2],
    /// First the marks of the candidates, then ties, then the sources of the merge.
    pub ties: Buffer,
    pub prune_ranks: Buffer,
    pub candidate_offsets: Buffer,
    pub prune_starts: Buffer,
    pub grow_starts: Buffer,
    pub prune_state: Buffer,
    pub grow_state: Buffer,
    pub prune_sums: Buffer,
    pub grow_sums: Buffer,
    pub sort: RadixSort,
    pub scan: Scan,
    pub select: RadixSelect,
    pub list: Option<RunningList>,
}

impl Scratch {
    pub fn new(device: &Device, arena: &Arena, sizes: &Sizes) -> Result<Self> {
        let words =
            |label: &str, n: usize| device.buffer(&format!("round.{label}"), Class::Scratch, n);
        let longest = sizes.capacity.max(arena.connections);
        let layers = arena.spans.len();
        let list = |tile: usize| -> Result<RunningList> {
            let slots = tile + sizes.capacity;
            Ok(RunningList {
                tile,
                slots,
                state: words("list.state", tiles::state_words(layers))?,
                rows: words("list.rows", slots)?,
                cols: words("list.cols", slots)?,
                scores: words("list.scores", slots)?,
                ranks: words("list.ranks", slots + 1)?,
            })
        };
        let list = sizes.tile.map(list).transpose()?;
        let widest = list
            .as_ref()
            .map_or(longest, |list| list.slots.max(longest));
        let weighted = |n: usize| if sizes.weighted { n } else { 1 };
        // One more, because ranks end with the total.
        let pairs = |label: &str| -> Result<[Buffer; 2]> {
            Ok([
                words(&format!("{label}_0"), longest + 1)?,
                words(&format!("{label}_1"), longest + 1)?,
            ])
        };
        Ok(Scratch {
            table: words("table", (layers + 1) * table::WORDS)?,
            report: words("report", layers * super::report::WORDS)?,
            inputs: words("inputs", weighted(arena.n_cols))?,
            outputs: words("outputs", weighted(arena.n_rows))?,
            signs: words("signs", sizes.signs)?,
            pairs: [pairs("pairs_a")?, pairs("pairs_b")?],
            ties: words("ties", widest + 1)?,
            prune_ranks: words("prune_ranks", arena.connections + 1)?,
            candidate_offsets: words("candidate_offsets", arena.n_rows + 1)?,
            prune_starts: words("prune_starts", sizes.segments + 1)?,
            grow_starts: words("grow_starts", sizes.segments + 1)?,
            prune_state: words("prune_state", sizes.segments * STATE_WORDS)?,
            grow_state: words("grow_state", sizes.segments * STATE_WORDS)?,
            prune_sums: words("prune_sums", arena.n_rows)?,
            grow_sums: words("grow_sums", arena.n_rows)?,
            sort: RadixSort::new(device, "round.digits", longest)?,
            scan: Scan::new(device, "round.sums", widest + 1)?,
            select: RadixSelect::new(device, "round.histogram", sizes.segments)?,
            list,
        })
    }

    /// All of the buffers.
    pub fn views(&self) -> Vec<View> {
        let [[a, b], [c, d]] = &self.pairs;
        let list = self.list.iter();
        let list = list.flat_map(|l| [&l.state, &l.rows, &l.cols, &l.scores, &l.ranks]);
        [
            &self.table,
            &self.report,
            &self.inputs,
            &self.outputs,
            &self.signs,
            a,
            b,
            c,
            d,
            &self.ties,
            &self.prune_ranks,
            &self.candidate_offsets,
            &self.prune_starts,
            &self.grow_starts,
            &self.prune_state,
            &self.grow_state,
            &self.prune_sums,
            &self.grow_sums,
            &self.sort.histogram,
            &self.sort.scan.sums,
            &self.scan.sums,
            &self.select.histogram,
        ]
        .into_iter()
        .chain(list)
        .map(View::from)
        .collect()
    }

    /// The two pairs of arrays as keys and values.
    pub fn pairs(&self) -> [Pairs; 2] {
        self.pairs.each_ref().map(|[keys, values]| Pairs {
            keys: View::from(keys),
            values: View::from(values),
        })
    }
}
