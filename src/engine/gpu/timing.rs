//! Timing on the device, with timestamps at the beginning and the end of compute passes, or between their dispatches.

use std::ops::Range;

use wgpu::{BufferDescriptor, BufferUsages, ComputePassDescriptor, ComputePassTimestampWrites};

use super::executor::GpuExecutor;
use super::program::GpuProgram;
use super::submit::encode;
use crate::engine::{PhaseTime, TimedBy};
use crate::error::Result;

/// Number of timestamps in one query set: WebGPU allows no more.
const TIMESTAMPS: usize = 4096;

impl GpuExecutor {
    /// Whether the adapter can time a program itself, which takes one submission.
    pub(crate) fn can_time(&self, program: &GpuProgram) -> bool {
        self.timed_by != TimedBy::ManyDispatches && self.in_one(program)
    }

    /// Runs a program with a separate pass for each of the stretches, and waits for their times.
    pub(crate) fn run_phases(
        &self,
        program: &GpuProgram,
        stretches: &[(&'static str, Range<usize>)],
    ) -> Result<Vec<PhaseTime>> {
        let mut times = Vec::with_capacity(stretches.len());
        for stretches in stretches.chunks(TIMESTAMPS / 2) {
            let ticks = self.around(program, stretches)?;
            let pairs = ticks.as_chunks::<2>().0;
            times.extend(
                stretches
                    .iter()
                    .zip(pairs)
                    .map(|(&(phase, _), &[start, end])| PhaseTime {
                        phase,
                        seconds: self.seconds(start, end),
                    }),
            );
        }
        Ok(times)
    }

    /// Runs a program, and waits for the seconds of each of its dispatches.
    pub(crate) fn run_dispatches(&self, program: &GpuProgram) -> Result<Vec<f64>> {
        let count = program.dispatches();
        if self.timed_by != TimedBy::TimestampsInsidePass {
            let each: Vec<_> = (0..count).map(|i| ("", i..i + 1)).collect();
            let times = self.run_phases(program, &each)?;
            return Ok(times.into_iter().map(|time| time.seconds).collect());
        }
        let mut seconds = Vec::with_capacity(count);
        for first in (0..count).step_by(TIMESTAMPS - 1) {
            let range = first..count.min(first + TIMESTAMPS - 1);
            let ticks = self.between(program, range)?;
            seconds.extend(ticks.windows(2).map(|pair| self.seconds(pair[0], pair[1])));
        }
        Ok(seconds)
    }

    /// The clocks of some drivers step back; nothing takes less than no time.
    fn seconds(&self, start: u64, end: u64) -> f64 {
        let period = f64::from(self.queue.get_timestamp_period()) * 1e-9;
        end.saturating_sub(start) as f64 * period
    }

    /// The ticks at the beginning and the end of each stretch.
    fn around(
        &self,
        program: &GpuProgram,
        stretches: &[(&'static str, Range<usize>)],
    ) -> Result<Vec<u64>> {
        self.ticks(2 * stretches.len(), |encoder, queries| {
            for (i, (_, range)) in stretches.iter().enumerate() {
                let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor {
                    label: None,
                    timestamp_writes: Some(ComputePassTimestampWrites {
                        query_set: queries,
                        beginning_of_pass_write_index: Some(2 * i as u32),
                        end_of_pass_write_index: Some(2 * i as u32 + 1),
                    }),
                });
                encode(&mut pass, &program.pieces[program.pieces_of(range.clone())]);
            }
        })
    }

    /// The ticks before the first of these dispatches and after each, all in one pass: the time that a dispatch waits
    /// for the previous one counts as its own.
    fn between(&self, program: &GpuProgram, dispatches: Range<usize>) -> Result<Vec<u64>> {
        self.ticks(dispatches.len() + 1, |encoder, queries| {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.write_timestamp(queries, 0);
            for (i, dispatch) in dispatches.enumerate() {
                let pieces = program.pieces_of(dispatch..dispatch + 1);
                encode(&mut pass, &program.pieces[pieces]);
                pass.write_timestamp(queries, i as u32 + 1);
            }
        })
    }

    /// Submits what `record` records with a set of this many queries, and reads their timestamps.
    fn ticks(
        &self,
        count: usize,
        record: impl FnOnce(&mut wgpu::CommandEncoder, &wgpu::QuerySet),
    ) -> Result<Vec<u64>> {
        let count = count as u32;
        if count == 0 {
            return Ok(Vec::new());
        }
        let queries = self.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("timestamps"),
            ty: wgpu::QueryType::Timestamp,
            count,
        });
        // Short-lived and only a few words: not resident, so not in the ledger.
        let resolved = self.device.create_buffer(&BufferDescriptor {
            label: Some("timestamps"),
            size: u64::from(count) * 8,
            usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        record(&mut encoder, &queries);
        encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
        self.queue.submit([encoder.finish()]);
        let words = self.read(&resolved, 0, u64::from(count) * 8, "timestamps")?;
        let ticks = words.as_chunks::<2>().0.iter();
        Ok(ticks
            .map(|&[low, high]| u64::from(low) | u64::from(high) << 32)
            .collect())
    }
}
