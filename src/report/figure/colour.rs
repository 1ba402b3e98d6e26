//! Colours that colour-blind readers can tell apart, and their forms on a dark page.

use plotters::style::RGBColor;

/// A colour by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// The n-th of several things without an order, such as methods.
    Series(usize),
    /// The i-th of n things in an order, such as layers or the parts of a step.
    Ramp(usize, usize),
    /// What is there to compare with, and named elsewhere: not in the legend.
    Quiet,
}

/// Okabe and Ito's palette ("Color Universal Design", 2008) without its yellow, which is hard to see on white: the
/// colours for a light and for a dark page.
const SERIES: [(u32, u32); 8] = [
    (0x0072b2, 0x4aa8e0),
    (0xd55e00, 0xff8a3d),
    (0x009e73, 0x2fc99b),
    (0xcc79a7, 0xe39cc4),
    (0xe69f00, 0xf5bd3d),
    (0x56b4e9, 0x8fd0f7),
    (0x6b4fa0, 0xa78fdc),
    (0x777777, 0xaaaaaa),
];

/// Steps of viridis, in order of lightness: those for a light page start at its dark end, those for a dark page are
/// lightened.
const RAMP: [(u32, u32); 8] = [
    (0x482878, 0x8c6fc4),
    (0x3e4a8a, 0x7d87d6),
    (0x31688f, 0x62a2d2),
    (0x26828f, 0x45b5c4),
    (0x1f9e8a, 0x3cc7a9),
    (0x35b77a, 0x62d68f),
    (0x6dce5a, 0x9be37c),
    (0xb5de2c, 0xd6ee66),
];

/// Lines in the background; letters; the axes; the grid.
const QUIET: (u32, u32) = (0xc4c8cc, 0x50575e);
const TEXT: (u32, u32) = (0x222222, 0xe4e6e8);
const AXIS: (u32, u32) = (0x888888, 0x8a9099);
const GRID: (u32, u32) = (0xe2e2e2, 0x33393f);

impl Colour {
    fn hex(self) -> u32 {
        match self {
            Colour::Series(index) => SERIES[index % SERIES.len()].0,
            Colour::Ramp(index, of) => {
                let last = RAMP.len() - 1;
                RAMP[(index * last / of.saturating_sub(1).max(1)).min(last)].0
            }
            Colour::Quiet => QUIET.0,
        }
    }

    pub(super) fn rgb(self) -> RGBColor {
        rgb(self.hex())
    }

    /// Whether the series is in its second pass through the palette, which dashes tell from the first.
    pub(super) fn dashed(self) -> bool {
        matches!(self, Colour::Series(index) if index >= SERIES.len())
    }
}

pub(super) fn text() -> RGBColor {
    rgb(TEXT.0)
}

pub(super) fn axis() -> RGBColor {
    rgb(AXIS.0)
}

pub(super) fn grid() -> RGBColor {
    rgb(GRID.0)
}

fn rgb(hex: u32) -> RGBColor {
    let [_, r, g, b] = hex.to_be_bytes();
    RGBColor(r, g, b)
}

/// CSS that gives the colours of figures inside `scope` their dark forms.
pub(in crate::report) fn stylesheet(scope: &str) -> String {
    let all = SERIES
        .iter()
        .chain(&RAMP)
        .chain([&QUIET, &TEXT, &AXIS, &GRID]);
    all.map(|(light, dark)| {
        // In the spelling of the SVG writer.
        format!(
            "{scope} [fill=\"#{light:06X}\"]{{fill:#{dark:06x}}}\
             {scope} [stroke=\"#{light:06X}\"]{{stroke:#{dark:06x}}}\n"
        )
    })
    .collect()
}
