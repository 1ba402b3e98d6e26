//! The benchmark's own kernels.

use rootlet::bench::{
    self, Copy, CopyParams, Count, CountParams, Exchange, ExchangeParams, Load, LoadParams,
    MultiplyAdd, MultiplyAddParams, Pattern, SumMemory, SumMemoryParams, SumSubgroups,
    SumSubgroupsParams,
};
use rootlet::engine::{Class, Device, DeviceOptions, Grid, Plan};

use crate::choices;

/// The ceilings' kernels on their CPU twins, over outputs full of noise.
#[test]
fn kernels_agree_with_their_twins() {
    for choice in choices() {
        let device = Device::open(&choice, &DeviceOptions::default()).unwrap();
        let noise = |words: usize, key: u32| -> Vec<f32> {
            (0..words as u32)
                .map(|i| {
                    (i.wrapping_mul(2_654_435_761).wrapping_add(key) >> 8) as f32 / 8_388_608.0
                        - 1.0
                })
                .collect()
        };
        let filled = |label: &str, words: usize, key: u32| {
            device
                .buffer_with(label, Class::Scratch, &noise(words, key))
                .unwrap()
        };
        let mut plan = Plan::new("bench kernels");
        for vectors in [1, 63, 257, 5000] {
            let copy = Copy {
                params: CopyParams { vectors },
                input: filled("input", 20_004, 1).all(),
                output: filled("output", 20_004, 2).all(),
            };
            plan.dispatch(copy, Grid::Items(vectors as usize)).unwrap();
            let chains = MultiplyAdd {
                params: MultiplyAddParams {
                    vectors,
                    iterations: 40,
                    factor: 0.97,
                    summand: 0.3,
                },
                output: filled("output", 20_004, 3).all(),
            };
            plan.dispatch(chains, Grid::Items(vectors as usize))
                .unwrap();
        }
        for (rows, vectors, input_rows, terms) in [
            (1, 1, 1, 1),
            (37, 3, 29, 5),
            (70, 32, 300, 0),
            (33, 37, 1000, 64),
            (5, 33, 65_536, 9),
            (9, 1, 200_000, 300),
        ] {
            for pattern in [Pattern::Random, Pattern::Sequential] {
                let load = Load {
                    params: LoadParams::new(rows, vectors, input_rows, terms, pattern),
                    input: filled("input", input_rows * vectors * 4, 4).all(),
                    output: filled("output", rows * vectors * 4, 5).all(),
                };
                plan.dispatch(load, Grid::Rows(rows)).unwrap();
            }
        }
        let counter = device
            .buffer_with("counter", Class::Scratch, &[7u32, 8, 9, 10])
            .unwrap();
        for step in [1, 5] {
            let count = Count {
                params: CountParams { step },
                counter: counter.all(),
            };
            plan.dispatch(count, Grid::Groups(1)).unwrap();
        }
        for (groups, rounds) in [(1, 1), (1, 0), (37, 9), (300, 64), (66_000, 1)] {
            let exchange = Exchange {
                params: ExchangeParams { rounds: 7 * rounds },
                output: filled("output", 256, 6).all(),
            };
            plan.dispatch(exchange, Grid::Groups(1)).unwrap();
            let grid = Grid::Groups(groups as usize);
            let memory = SumMemory {
                params: SumMemoryParams { groups, rounds },
                output: filled("output", groups as usize + 3, 7).all(),
            };
            plan.dispatch(memory, grid).unwrap();
            let subgroups = SumSubgroups {
                params: SumSubgroupsParams { groups, rounds },
                output: filled("output", groups as usize + 3, 8).all(),
            };
            if device.has_subgroups() {
                plan.dispatch(subgroups, grid).unwrap();
            }
        }
        let program = device.prepare(&plan).unwrap();
        let checks = device.run_checked(&program, "").unwrap();
        assert_eq!(checks.len(), plan.dispatches().len());
        for check in checks {
            check.verdict().unwrap();
        }
        assert_eq!(
            device.download::<u32>(&counter.all()).unwrap(),
            [13, 8, 9, 10]
        );
    }
    assert_eq!(bench::kernels().len(), 7);
}
