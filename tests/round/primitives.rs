//! Scan, sort, select and search against the standard library: any input on the CPU executor, odd sizes on wgpu.

use proptest::prelude::*;
use rootlet::engine::{Device, Grid, Plan};
use rootlet::primitive::{
    Gather, GatherParams, LowerBound, LowerBoundParams, Pairs, RadixSelect, RadixSort, Scan,
    Selection, bits_for,
};

use super::world::{Random, cpu, gpu, upload_f32, upload_u32};

/// Lengths around the blocks of 256, 2048 and 4096.
const LENGTHS: [usize; 9] = [1, 2, 255, 257, 2047, 2048, 2049, 4097, 9001];

fn run(device: &Device, plan: &Plan) {
    let program = device.prepare(plan).unwrap();
    device.run(&program).unwrap();
}

fn noise(device: &Device, n: usize) -> rootlet::engine::Buffer {
    upload_u32(device, &Random(n as u64).words(n))
}

fn check_scan(device: &Device, values: &[u32]) {
    let buffer = upload_u32(device, values);
    let mut plan = Plan::new("scan");
    let scan = Scan::new(device, "sums", values.len()).unwrap();
    scan.record(&mut plan, &buffer.all(), values.len()).unwrap();
    run(device, &plan);
    let found: Vec<u32> = device.download(&buffer.range(0..values.len())).unwrap();
    let mut sum = 0;
    for (i, value) in values.iter().enumerate() {
        assert_eq!(found[i], sum, "at {i} of {}", values.len());
        sum += value;
    }
}

fn check_sort(device: &Device, keys: &[u32], bits: u32) {
    let n = keys.len();
    let values: Vec<u32> = (0..n as u32).map(|i| i ^ 0x5555).collect();
    let pairs = |keys: &[u32], values: &[u32]| Pairs {
        keys: upload_u32(device, keys).all(),
        values: upload_u32(device, values).all(),
    };
    let spare = || Pairs {
        keys: noise(device, n).all(),
        values: noise(device, n).all(),
    };
    let mask = |key: u32| u64::from(key) & ((1 << bits) - 1);
    let mut expected: Vec<u32> = (0..n as u32).collect();
    expected.sort_by_key(|&i| mask(keys[i as usize]));

    let sort = RadixSort::new(device, "digits", n).unwrap();
    let mut plan = Plan::new("sort");
    let (sorted, _) = sort
        .sort(&mut plan, n, bits, pairs(keys, &values), spare())
        .unwrap();
    let order = noise(device, n);
    let source = upload_u32(device, keys);
    let sorted_keys = sort
        .argsort(
            &mut plan,
            n,
            bits,
            source.all(),
            [spare(), spare()],
            order.all(),
        )
        .unwrap();
    run(device, &plan);

    let get = |view: &rootlet::engine::View| -> Vec<u32> {
        let mut words: Vec<u32> = device.download(view).unwrap();
        words.truncate(n);
        words
    };
    let by = |f: &dyn Fn(usize) -> u32| -> Vec<u32> {
        expected.iter().map(|&i| f(i as usize)).collect()
    };
    assert_eq!(get(&sorted.keys), by(&|i| keys[i]));
    assert_eq!(get(&sorted.values), by(&|i| values[i]));
    assert_eq!(get(&order.all()), expected);
    assert_eq!(get(&sorted_keys), by(&|i| keys[i]));
}

/// `segments`: length and number to take of each; items after the last segment are ignored. The first segment starts at
/// `first`.
fn check_select_from(
    device: &Device,
    values: &[f32],
    first: usize,
    segments: &[(usize, usize)],
    largest: bool,
) {
    let mut starts = vec![first as u32];
    let mut state = Vec::new();
    let mut expected = vec![false; values.len()];
    for &(length, take) in segments {
        let start = *starts.last().unwrap() as usize;
        let mut order: Vec<usize> = (start..start + length).collect();
        let magnitude = |i: &usize| values[*i].abs();
        if largest {
            order.sort_by(|i, j| magnitude(j).total_cmp(&magnitude(i)));
        } else {
            order.sort_by(|i, j| magnitude(i).total_cmp(&magnitude(j)));
        }
        order[..take].iter().for_each(|&i| expected[i] = true);
        starts.push((start + length) as u32);
        state.extend([0, take as u32]);
    }
    let n = values.len();
    let scan = Scan::new(device, "sums", n + 1).unwrap();
    let select = RadixSelect::new(device, "histogram", segments.len()).unwrap();
    let (ties, ranks) = (noise(device, n + 1), noise(device, n + 1));
    let selection = Selection {
        values: upload_f32(device, values).all(),
        length: n,
        starts: upload_u32(device, &starts).all(),
        segments: segments.len(),
        state: upload_u32(device, &state).all(),
        largest,
    };
    let mut plan = Plan::new("select");
    select
        .record(&mut plan, &scan, &selection, &ties.all(), &ranks.all())
        .unwrap();
    run(device, &plan);
    let ranks: Vec<u32> = device.download(&ranks.range(0..n + 1)).unwrap();
    assert_eq!(ranks[0], 0);
    // Counted from the first segment's start.
    let mut found: Vec<bool> = ranks.windows(2).map(|r| r[1] - r[0] == 1).collect();
    found.rotate_right(first);
    assert!(found == expected, "{segments:?} of {n}, largest: {largest}");
    let histogram: Vec<u32> = device.download(&select.histogram.all()).unwrap();
    assert!(
        histogram.iter().all(|&bin| bin == 0),
        "left for the next selection"
    );
}

fn check_select(device: &Device, values: &[f32], segments: &[(usize, usize)], largest: bool) {
    check_select_from(device, values, 0, segments, largest);
}

fn check_search(device: &Device, mut keys: Vec<u32>, targets: u32) {
    keys.sort();
    let n = keys.len();
    let offsets = noise(device, targets as usize);
    let indices: Vec<u32> = (0..n as u32).rev().collect();
    let reversed = noise(device, n);
    let mut plan = Plan::new("search");
    let source = upload_u32(device, &keys);
    plan.dispatch(
        LowerBound {
            params: LowerBoundParams {
                length: n as u32,
                targets,
            },
            keys: source.all(),
            offsets: offsets.all(),
        },
        Grid::Items(targets as usize),
    )
    .unwrap();
    plan.dispatch(
        Gather {
            params: GatherParams { length: n as u32 },
            indices: upload_u32(device, &indices).all(),
            source: source.all(),
            output: reversed.all(),
        },
        Grid::Items(n),
    )
    .unwrap();
    run(device, &plan);
    let found: Vec<u32> = device
        .download(&offsets.range(0..targets as usize))
        .unwrap();
    let expected: Vec<u32> = (0..targets)
        .map(|t| keys.iter().filter(|&&k| k < t).count() as u32)
        .collect();
    assert_eq!(found, expected);
    let found: Vec<u32> = device.download(&reversed.range(0..n)).unwrap();
    keys.reverse();
    assert_eq!(found, keys);
}

/// Magnitudes with many ties, including zeros of both signs, subnormals and infinities.
fn magnitude() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => (-3i8..4).prop_map(f32::from),
        1 => Just(-0.0),
        1 => Just(f32::INFINITY),
        1 => Just(1e-42),
        4 => -1e3f32..1e3,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn scan_on_cpu(values in prop::collection::vec(0u32..1000, 1..6000)) {
        check_scan(&cpu(), &values);
    }

    #[test]
    fn sort_on_cpu(keys in prop::collection::vec(any::<u32>(), 1..6000), bits in 1u32..33) {
        check_sort(&cpu(), &keys, bits.next_multiple_of(4));
    }

    #[test]
    fn select_on_cpu(
        values in prop::collection::vec(magnitude(), 1..6000),
        cuts in prop::collection::vec((0f64..1.0, 0f64..=1.0), 0..6),
        before in prop_oneof![Just(0.0), 0f64..1.0],
        largest: bool,
    ) {
        let first = (before * values.len() as f64) as usize;
        let mut left = values.len() - first;
        let segments: Vec<(usize, usize)> = cuts
            .iter()
            .chain([&(1.0, 0.3)])
            .map(|&(length, take)| {
                let length = (length * left as f64) as usize;
                left -= length;
                (length, (take * length as f64).round() as usize)
            })
            .collect();
        check_select_from(&cpu(), &values, first, &segments, largest);
    }

    #[test]
    fn search_on_cpu(keys in prop::collection::vec(0u32..300, 1..2000), targets in 1u32..400) {
        check_search(&cpu(), keys, targets);
    }
}

#[test]
fn primitives_on_wgpu() {
    let device = gpu();
    for n in LENGTHS {
        let mut random = Random(n as u64);
        check_scan(
            &device,
            &random.words(n).iter().map(|w| w % 1000).collect::<Vec<_>>(),
        );
        let words = random.words(n);
        check_sort(&device, &words, 32);
        check_sort(&device, &words, 4);
        check_sort(&device, &vec![7; n], 12);
        check_search(&device, words.iter().map(|w| w % 77).collect(), 80);
    }
}

#[test]
fn selection_on_wgpu() {
    let device = gpu();
    for n in LENGTHS {
        let mut random = Random(n as u64);
        let ties = random.integers(n, 4);
        let spread: Vec<f32> = (0..n).map(|_| random.next() as f32 / 1e19 - 1.0).collect();
        for largest in [false, true] {
            for values in [&ties, &spread, &vec![0.0; n], &vec![-2.5; n]] {
                for take in [0, 1, n / 3, n - 1, n] {
                    check_select(&device, values, &[(n, take)], largest);
                }
                // Empty segments, segments of one, and a rest that is ignored.
                let a = n / 3;
                let b = n / 5;
                let segments = [
                    (0, 0),
                    (a, a / 2),
                    (0, 0),
                    (b.min(1), b.min(1)),
                    (b, 1.min(b)),
                    (0, 0),
                ];
                check_select(&device, values, &segments, largest);
                check_select_from(
                    &device,
                    values,
                    n - a - b,
                    &[(a, a / 2), (b, b / 3)],
                    largest,
                );
            }
        }
    }
}

#[test]
fn bits() {
    let expected = [
        (1, 1),
        (2, 1),
        (3, 2),
        (4, 2),
        (5, 3),
        (16, 4),
        (17, 5),
        (1 << 20, 20),
    ];
    for (bound, bits) in expected {
        assert_eq!(bits_for(bound), bits, "{bound}");
    }
}
