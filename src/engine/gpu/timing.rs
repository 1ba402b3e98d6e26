//! Timing on the device: timestamps at the beginning and the end of compute passes.

use std::ops::Range;

use wgpu::{BufferDescriptor, BufferUsages, ComputePassDescriptor, ComputePassTimestampWrites};

use super::super::phase::PhaseTime;
use super::executor::GpuExecutor;
use super::program::GpuProgram;
use super::submit::encode;
use crate::error::Result;

/// Stretches that one set of queries times: WebGPU's sets hold at most 4096 timestamps.
const STRETCHES: usize = 2048;

impl GpuExecutor {
    /// Whether the adapter can time a program's phases itself: in one submission.
    pub(crate) fn can_time(&self, program: &GpuProgram) -> bool {
        self.timestamps && self.in_one(program)
    }

    /// Runs a program with a pass of its own for each of the stretches, and waits for their times.
    pub(crate) fn run_phases(
        &self,
        program: &GpuProgram,
        stretches: &[(&'static str, Range<usize>)],
    ) -> Result<Vec<PhaseTime>> {
        let mut times = Vec::with_capacity(stretches.len());
        for stretches in stretches.chunks(STRETCHES) {
            let ticks = self.time(program, stretches)?;
            let period = f64::from(self.queue.get_timestamp_period()) * 1e-9;
            let pairs = ticks.as_chunks::<2>().0;
            times.extend(
                stretches
                    .iter()
                    .zip(pairs)
                    .map(|(&(phase, _), &[start, end])| PhaseTime {
                        phase,
                        // Clocks of some drivers step back; no stretch takes less than nothing.
                        seconds: end.saturating_sub(start) as f64 * period,
                    }),
            );
        }
        Ok(times)
    }

    /// The ticks at the beginning and the end of each stretch.
    fn time(
        &self,
        program: &GpuProgram,
        stretches: &[(&'static str, Range<usize>)],
    ) -> Result<Vec<u64>> {
        let count = 2 * stretches.len() as u32;
        if count == 0 {
            return Ok(Vec::new());
        }
        let queries = self.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("timestamps"),
            ty: wgpu::QueryType::Timestamp,
            count,
        });
        // Short-lived and a few words: not resident, so not in the ledger.
        let resolved = self.device.create_buffer(&BufferDescriptor {
            label: Some("timestamps"),
            size: u64::from(count) * 8,
            usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        for (i, (_, range)) in stretches.iter().enumerate() {
            let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor {
                label: None,
                timestamp_writes: Some(ComputePassTimestampWrites {
                    query_set: &queries,
                    beginning_of_pass_write_index: Some(2 * i as u32),
                    end_of_pass_write_index: Some(2 * i as u32 + 1),
                }),
            });
            encode(&mut pass, &program.pieces[program.pieces_of(range.clone())]);
        }
        encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
        self.queue.submit([encoder.finish()]);
        let words = self.read(&resolved, 0, u64::from(count) * 8, "timestamps")?;
        let ticks = words.as_chunks::<2>().0.iter();
        Ok(ticks
            .map(|&[low, high]| u64::from(low) | u64::from(high) << 32)
            .collect())
    }
}
