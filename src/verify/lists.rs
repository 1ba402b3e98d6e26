//! Kernels for long lists: sorting, selecting, scanning; and the batches that a device makes from resident images.

use super::problem::{Numbers, Problem};
use crate::data::{Augmentation, Draws, ImageShape, Normalisation, ResidentImages, Split};
use crate::engine::{Class, Device, KernelCheck, Plan, View};
use crate::error::Result;
use crate::primitive::{Pairs, RadixSelect, RadixSort, Scan, Selection};

/// Tiny, around a block of 2048, and long.
const LENGTHS: [usize; 15] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 33, 257, 513, 2048, 2049, 100_003];

pub(super) fn problems() -> Vec<Problem> {
    let mut problems = Vec::new();
    for length in LENGTHS {
        let name = format!("sort and selection of {length}");
        problems.push(Problem::new(name, move |d| lists(d, length)).quick(length == 100_003));
    }
    for (shape, count, pad, quick) in [
        ([1, 1, 1], 1, 0, false),
        ([3, 9, 7], 3, 2, true),
        ([1, 28, 28], 128, 4, false),
        ([3, 32, 32], 33, 4, false),
    ] {
        let [channels, height, width] = shape;
        let shape = ImageShape {
            channels,
            height,
            width,
        };
        let name = format!("{count} resident images of {channels}×{height}×{width}");
        problems.push(Problem::new(name, move |d| batch(d, shape, count, pad)).quick(quick));
    }
    problems
}

fn lists(device: &Device, length: usize) -> Result<Vec<KernelCheck>> {
    let numbers = &mut Numbers::new(length as u32);
    let given = |label: &str, words: &[u32]| -> Result<View> {
        let buffer = device.buffer_with(label, Class::Scratch, words)?;
        Ok(buffer.range(0..words.len()))
    };
    let room = |label: &str, words: usize| -> Result<View> {
        Ok(device.buffer(label, Class::Scratch, words)?.range(0..words))
    };
    let mut plan = Plan::new("lists");
    let sort = RadixSort::new(device, "histogram of the sort", length)?;
    let pairs = Pairs {
        keys: given("keys", &numbers.words(length))?,
        values: given("values", &numbers.words(length))?,
    };
    let spare = Pairs {
        keys: room("other keys", length)?,
        values: room("other values", length)?,
    };
    let scratch = [
        Pairs {
            keys: room("keys 0", length)?,
            values: room("values 0", length)?,
        },
        Pairs {
            keys: room("keys 1", length)?,
            values: room("values 1", length)?,
        },
    ];
    sort.sort(&mut plan, length, 32, pairs.clone(), spare)?;
    let order = room("order", length)?;
    sort.argsort(&mut plan, length, 32, pairs.keys.clone(), scratch, order)?;

    // Three segments, with an empty one in the middle. Many magnitudes in a third of them are equal.
    let starts = [0, length / 2, length / 2, length].map(|n| n as u32);
    let values: Vec<u32> = (0..length)
        .map(|i| match i % 3 {
            0 => 0.5f32.to_bits(),
            _ => numbers.real().to_bits(),
        })
        .collect();
    let take = |n: usize| n.div_ceil(3) as u32;
    let state = [0, take(length / 2), 0, 0, 0, take(length.div_ceil(2))];
    let select = RadixSelect::new(device, "histogram of the selection", 3)?;
    let scan = Scan::new(device, "sums of blocks", length + 1)?;
    for largest in [true, false] {
        let selection = Selection {
            values: given("magnitudes", &values)?,
            length,
            starts: given("starts", &starts)?,
            segments: 3,
            state: given("state", &state)?,
            largest,
        };
        let ties = room("ties", length + 1)?;
        let ranks = room("ranks", length + 1)?;
        select.record(&mut plan, &scan, &selection, &ties, &ranks)?;
    }
    device.run_checked(&device.prepare(&plan)?, "")
}

fn batch(device: &Device, shape: ImageShape, count: usize, pad: u32) -> Result<Vec<KernelCheck>> {
    let numbers = &mut Numbers::new(7);
    let images = 2 * count;
    let bytes = (0..images * shape.features())
        .map(|_| numbers.word() as u8)
        .collect();
    let labels = (0..images as u32).collect();
    let split = Split::new(shape.features(), bytes, labels)?;
    let normalisation = Normalisation {
        mean: [0.5, 0.25, 0.4465][..shape.channels].to_vec(),
        std: [0.5, 0.125, 0.2616][..shape.channels].to_vec(),
    };
    let lanes = count.next_multiple_of(4);
    let resident = ResidentImages::new(device, &split, shape, &normalisation, lanes)?;
    let inputs = device.buffer("inputs", Class::Data, shape.features() * lanes)?;
    let labels = device.buffer("labels", Class::Data, lanes)?;
    let augmentation = Augmentation::PadCropFlip { pad, flip: true };
    let mut plan = Plan::new("batch of resident images");
    resident.record(&mut plan, augmentation, inputs.all(), labels.all())?;
    let chosen: Vec<u32> = (0..count as u32).map(|i| 2 * i + 1).collect();
    resident.load(device, &chosen, Draws { seed: 3, epoch: 5 })?;
    device.run_checked(&device.prepare(&plan)?, "")
}
