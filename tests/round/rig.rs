//! A small model on a device, with a round to run on it.

use rootlet::engine::{
    Buffer, Class, Device, DispatchTime, KernelCheck, Plan, Program, STEP_WORDS, StepState,
};
use rootlet::sparse::{Arena, LayerState};
use rootlet::topology::{
    Method, Observed, Observes, Round, RoundOptions, RoundReport, Scope, StepPass,
};

use super::world::{World, arena, upload_f32};

/// A world on a device, with a round to run on it.
pub struct Rig {
    pub device: Device,
    pub arena: Arena,
    pub round: Round,
    step: Buffer,
    activations: Vec<Buffer>,
    deltas: Vec<Buffer>,
    statistics: Program,
    scores: Program,
}

impl Rig {
    pub fn new(
        device: Device,
        world: &World,
        method: &dyn Method,
        scope: Scope,
        gamma: f64,
    ) -> Self {
        Self::with_tile(device, world, method, scope, gamma, None)
    }

    pub fn with_tile(
        device: Device,
        world: &World,
        method: &dyn Method,
        scope: Scope,
        gamma: f64,
        tile: Option<usize>,
    ) -> Self {
        Self::with(device, world, method, scope, gamma, |options| {
            options.tile = tile
        })
    }

    /// With other options than the default ones.
    pub fn with(
        device: Device,
        world: &World,
        method: &dyn Method,
        scope: Scope,
        gamma: f64,
        change: impl FnOnce(&mut RoundOptions),
    ) -> Self {
        let arena = arena(&device, &world.layers);
        let put = |values: &[Vec<f32>]| -> Vec<Buffer> {
            values.iter().map(|v| upload_f32(&device, v)).collect()
        };
        let activations = put(&world.activations);
        let deltas = put(&world.deltas);
        let step = device.buffer("step", Class::Scratch, STEP_WORDS).unwrap();
        let mut options = RoundOptions {
            scope,
            gamma,
            distinct: false,
            lanes: world.lanes,
            step: step.all(),
            windows: world.windows.clone(),
            tile: None,
        };
        change(&mut options);
        let round = Round::new(&device, &arena, method, options).unwrap();
        let mut statistics = Plan::new("statistics");
        let mut scores = Plan::new("scores");
        for (plan, observes) in [
            (&mut statistics, Observes::Statistics),
            (&mut scores, Observes::Scores),
        ] {
            round.begin_pass(plan, observes).unwrap();
            // As in a backward pass, from the last layer to the first.
            for layer in (0..world.layers.len()).rev() {
                let observed = Observed {
                    arena: &arena,
                    layer,
                    activation: activations[layer].all(),
                    delta: deltas[layer].all(),
                    accumulate: false,
                };
                round.observe(plan, observes, observed).unwrap();
            }
        }
        Rig {
            statistics: device.prepare(&statistics).unwrap(),
            scores: device.prepare(&scores).unwrap(),
            device,
            arena,
            round,
            step,
            activations,
            deltas,
        }
    }

    /// A round that observes the world: `observe` runs the program of a pass.
    fn run_by(
        &mut self,
        alpha_t: f64,
        filter: Option<&str>,
        mut observe: impl FnMut(&Device, &Program, StepPass),
    ) -> (RoundReport, Vec<KernelCheck>) {
        let mut running = self.round.begin(&self.device, alpha_t, filter).unwrap();
        while let Some(pass) = running.next_pass().unwrap() {
            let program = match pass.observes {
                Observes::Statistics => &self.statistics,
                _ => &self.scores,
            };
            observe(&self.device, program, pass);
        }
        running.finish().unwrap()
    }

    /// A round that observes the world.
    pub fn run(&mut self, alpha_t: f64) -> RoundReport {
        let observe = |device: &Device, program: &Program, _| device.run(program).unwrap();
        self.run_by(alpha_t, None, observe).0
    }

    /// The same; gives the time of each dispatch in the pass that scores.
    pub fn run_timed(&mut self, alpha_t: f64) -> Vec<DispatchTime> {
        let mut times = Vec::new();
        self.run_by(alpha_t, None, |device, program, pass| {
            let found = device.run_timed(program).unwrap();
            if pass.observes == Observes::Scores {
                times = found;
            }
        });
        times
    }

    /// The same, with every kernel also on its twin.
    pub fn run_checked(&mut self, alpha_t: f64) -> Vec<KernelCheck> {
        let mut within = Vec::new();
        let (_, mut checks) = self.run_by(alpha_t, Some(""), |device, program, _| {
            within.extend(device.run_checked(program, "").unwrap());
        });
        checks.extend(within);
        checks
    }

    /// Uploads a step's number and the world's activations and deltas.
    pub fn set(&self, world: &World, step: u32) {
        let words: [u32; STEP_WORDS] =
            bytemuck::cast(StepState::whole(world.seed, step, world.count, 0.0));
        let state = self.step.range(0..STEP_WORDS);
        self.device.upload(&state, &words).unwrap();
        for (buffers, values) in [
            (&self.activations, &world.activations),
            (&self.deltas, &world.deltas),
        ] {
            for (buffer, values) in buffers.iter().zip(values) {
                let view = buffer.range(0..values.len());
                self.device.upload(&view, values).unwrap();
            }
        }
    }

    pub fn export(&self) -> Vec<LayerState> {
        self.arena.export(&self.device).unwrap()
    }

    /// The arena's invariants, including the transposed order.
    pub fn check_arena(&self) {
        let a = &self.arena;
        let get =
            |b: &Buffer, n: usize| -> Vec<u32> { self.device.download(&b.range(0..n)).unwrap() };
        let n = a.connections();
        let (rows, cols) = (get(a.rows(), n), get(a.cols(), n));
        let pairs: Vec<(u32, u32)> = rows.iter().copied().zip(cols.iter().copied()).collect();
        assert!(pairs.windows(2).all(|p| p[0] < p[1]), "sorted and distinct");
        for (&(row, col), l) in pairs.iter().zip(layer_of(a, &rows)) {
            let span = a.spans()[l];
            assert!((row as usize) < span.first_row + span.n_out);
            let own = span.first_col..span.first_col + span.n_in;
            assert!(
                own.contains(&(col as usize)),
                "columns of the row's own layer"
            );
        }
        let expected = |keys: &[u32], units: usize| -> Vec<u32> {
            (0..=units as u32)
                .map(|u| keys.iter().filter(|&&k| k < u).count() as u32)
                .collect()
        };
        assert_eq!(
            get(a.row_offsets(), a.n_rows() + 1),
            expected(&rows, a.n_rows())
        );
        assert_eq!(
            get(a.col_offsets(), a.n_cols() + 1),
            expected(&cols, a.n_cols())
        );
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_by_key(|&j| (cols[j as usize], rows[j as usize]));
        assert_eq!(get(a.order(), n), order);
        let order_rows: Vec<u32> = order.iter().map(|&j| rows[j as usize]).collect();
        assert_eq!(get(a.order_rows(), n), order_rows);
    }
}

fn layer_of(arena: &Arena, rows: &[u32]) -> Vec<usize> {
    rows.iter()
        .map(|&r| {
            let spans = arena.spans().iter();
            spans.filter(|s| s.first_row <= r as usize).count() - 1
        })
        .collect()
}
