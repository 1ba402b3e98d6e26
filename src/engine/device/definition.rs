//! The device: one interface to the wgpu executor and the CPU executor.

use std::str::FromStr;
use std::sync::Arc;

use super::adapter::{AdapterChoice, choose};
use super::adapter_summary::AdapterSummary;
use super::fuse::Fuse;
use super::options::DeviceOptions;
use crate::engine::cpu::{CpuExecutor, Delays};
use crate::engine::gpu::{GpuExecutor, GpuProgram};
use crate::engine::plan::{Dispatch, Plan};
use crate::engine::tuning::choices::Chosen;
use crate::engine::{Kernel, Ledger, WorkgroupShape};
use crate::error::Result;
use crate::ranks::Ranks;
use crate::words::counted;

pub(in crate::engine) enum Executor {
    Cpu(CpuExecutor),
    Gpu(Box<GpuExecutor>),
}

/// An opened adapter, or the CPU executor: allocates buffers and runs plans.
pub struct Device {
    pub(in crate::engine) executor: Executor,
    pub(in crate::engine) ledger: Arc<Ledger>,
    /// `None` for the CPU executor.
    adapter: Option<AdapterSummary>,
    pub(in crate::engine) description: String,
    pub(in crate::engine) fuse: Fuse,
    /// The workgroup shapes chosen by measurement.
    pub(in crate::engine) chosen: Chosen,
    /// Whether it measures them.
    pub(in crate::engine) tunes: bool,
    /// Whether disturbed measurements count too.
    pub(in crate::engine) keeps_doubtful: bool,
    pub(in crate::engine) variant: Option<usize>,
    /// Whether it only counts what it would hold.
    pub(in crate::engine) counts: bool,
    /// The processes that train together with this one.
    ranks: Option<Ranks>,
}

/// A plan prepared for one device: pipelines compiled, bind groups built.
pub struct Program {
    /// Identifies the device that it was prepared for.
    pub(in crate::engine) ledger: Arc<Ledger>,
    pub(in crate::engine) dispatches: Vec<Dispatch>,
    pub(in crate::engine) gpu: Option<GpuProgram>,
    pub(in crate::engine) delays: Delays,
}

impl Program {
    /// Number of dispatches.
    pub fn len(&self) -> usize {
        self.dispatches.len()
    }

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.dispatches.is_empty()
    }

    /// Number of dispatches on an adapter of this workgroup shape: more if [`loops`](crate::engine::loops) would be too
    /// long.
    pub fn pieces(&self, shape: WorkgroupShape) -> usize {
        let pieces = self.dispatches.iter().map(|d| d.pieces(shape).len());
        pieces.sum()
    }

    /// The kernel of each dispatch, by name.
    pub fn kernels(&self) -> impl Iterator<Item = &'static str> {
        self.dispatches.iter().map(|dispatch| dispatch.kernel.name)
    }

    /// For each kernel, the maximum number of iterations of all loops of one invocation: see
    /// [`loops`](crate::engine::loops).
    pub fn iterations(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.dispatches
            .iter()
            .map(|dispatch| (dispatch.kernel.name, dispatch.iterations()))
    }

    pub(in crate::engine) fn dispatches(&self) -> &[Dispatch] {
        &self.dispatches
    }
}

impl Device {
    /// Opens an adapter named as after `--adapter`.
    ///
    /// # Errors
    /// An unknown or ambiguous choice (the message lists the candidates) or a device that cannot be opened.
    pub fn open(choice: &str, options: &DeviceOptions) -> Result<Self> {
        let Ok(choice) = AdapterChoice::from_str(choice);
        match choose(&choice, options.local_rank)? {
            None => {
                let cpu = CpuExecutor::new(options.threads)?;
                let description = format!("cpu, {}", counted(cpu.threads() as u64, "thread"));
                Ok(Device {
                    executor: Executor::Cpu(cpu),
                    ledger: Arc::default(),
                    adapter: None,
                    fuse: Fuse::default(),
                    chosen: Chosen::default(),
                    tunes: false,
                    keeps_doubtful: false,
                    variant: None,
                    counts: false,
                    ranks: None,
                    description,
                })
            }
            Some((adapter, summary)) => {
                let gpu = GpuExecutor::open(adapter, options)?;
                Ok(Device {
                    variant: options.variant,
                    counts: false,
                    ranks: None,
                    keeps_doubtful: options.keep_doubtful,
                    tunes: options.tune.includes(gpu.is_hardware()) && !options.checked,
                    executor: Executor::Gpu(Box::new(gpu)),
                    ledger: Arc::default(),
                    description: format!(
                        "{} ({}, {})",
                        summary.name, summary.backend, summary.kind
                    ),
                    adapter: Some(summary),
                    fuse: Fuse::default(),
                    chosen: Chosen::default(),
                })
            }
        }
    }

    /// Trains together with other processes from now on: see [`ranks`](crate::ranks).
    pub fn join(&mut self, ranks: Ranks) {
        self.ranks = Some(ranks);
    }

    /// The processes that train together with this one; `None` if it is alone.
    pub fn ranks(&self) -> Option<&Ranks> {
        self.ranks.as_ref().filter(|ranks| ranks.size() > 1)
    }

    /// The CPU executor with `threads` threads (0: all cores).
    ///
    /// # Errors
    /// The system refuses threads.
    pub fn cpu(threads: usize) -> Result<Self> {
        Self::open(
            "cpu",
            &DeviceOptions {
                threads,
                ..DeviceOptions::default()
            },
        )
    }

    /// A device that only counts: its [ledger](Device::ledger) says what the CPU executor would hold, but it holds
    /// nothing. Uploads are discarded, programs do nothing, and downloads are zero.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub(crate) fn counting() -> Result<Self> {
        Ok(Device {
            counts: true,
            description: "counting".to_owned(),
            ..Self::cpu(1)?
        })
    }

    /// The adapter's name, or "cpu".
    pub fn name(&self) -> &str {
        self.adapter().map_or("cpu", |adapter| &adapter.name)
    }

    /// The adapter; `None` for the CPU executor.
    pub fn adapter(&self) -> Option<&AdapterSummary> {
        self.adapter.as_ref()
    }

    /// The workgroup shape that its kernels run in; the CPU executor has none.
    pub fn shape(&self) -> Option<WorkgroupShape> {
        match &self.executor {
            Executor::Cpu(_) => None,
            Executor::Gpu(gpu) => Some(gpu.shape()),
        }
    }

    /// Whether the crate's own kernels have WebGPU's run-time checks on it: see [`DeviceOptions::checked`].
    pub fn is_checked(&self) -> bool {
        match &self.executor {
            Executor::Cpu(_) => false,
            Executor::Gpu(gpu) => gpu.is_checked(),
        }
    }

    /// The adapter in a few words, for people.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What a user should know of this adapter before relying on it.
    pub fn warning(&self) -> Option<&'static str> {
        let compiler = self.adapter.as_ref()?.shader_compiler?;
        compiler.warning()
    }

    /// Whether plans run on the built-in CPU executor.
    pub fn is_cpu(&self) -> bool {
        matches!(self.executor, Executor::Cpu(_))
    }

    /// Threads of the CPU executor; `None` for other devices.
    pub(crate) fn threads(&self) -> Option<usize> {
        match &self.executor {
            Executor::Cpu(cpu) => Some(cpu.threads()),
            Executor::Gpu(_) => None,
        }
    }

    /// Whether it is a hardware GPU, neither the CPU executor nor a software adapter.
    pub fn is_hardware(&self) -> bool {
        matches!(&self.executor, Executor::Gpu(gpu) if gpu.is_hardware())
    }

    /// Whether kernels may use subgroups, which no kernel of a training does.
    pub fn has_subgroups(&self) -> bool {
        matches!(&self.executor, Executor::Gpu(gpu) if gpu.has_subgroups())
    }

    /// Whether a kernel can bind as many buffers here as this one does.
    pub fn binds<K: Kernel>(&self) -> bool {
        match &self.executor {
            Executor::Cpu(_) => true,
            Executor::Gpu(gpu) => K::INFO.storage_buffers() <= gpu.storage_buffers() as usize,
        }
    }

    /// Number of submissions of its programs so far; 0 for the CPU executor.
    #[doc(hidden)]
    pub fn submissions(&self) -> u64 {
        match &self.executor {
            Executor::Cpu(_) => 0,
            Executor::Gpu(gpu) => gpu.submissions(),
        }
    }

    /// Bytes of the largest buffer that a kernel can be given.
    pub fn largest_binding(&self) -> u64 {
        match &self.executor {
            Executor::Cpu(_) => u64::MAX,
            Executor::Gpu(gpu) => gpu.largest_binding(),
        }
    }

    /// The byte ledger of this device.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Compiles the pipelines and builds the bind groups of a plan.
    ///
    /// # Errors
    /// A shader differs from its host half, or the driver refuses it.
    pub fn prepare(&self, plan: &Plan) -> Result<Program> {
        let shapes: Vec<WorkgroupShape> = match self.shape() {
            None => Vec::new(),
            Some(base) => (plan.dispatches().iter())
                .map(|dispatch| self.shape_of(dispatch, base))
                .collect(),
        };
        self.prepare_in(plan, &shapes)
    }

    /// As [`Device::prepare`], with the workgroup shape of each dispatch given; for the CPU executor there are none.
    pub(in crate::engine) fn prepare_in(
        &self,
        plan: &Plan,
        shapes: &[WorkgroupShape],
    ) -> Result<Program> {
        // Since they were recorded, placement has let transient buffers share memory.
        plan.recheck()?;
        for dispatch in plan.dispatches() {
            for view in &dispatch.views {
                self.owns(view)?;
            }
        }
        let gpu = match &self.executor {
            Executor::Cpu(_) => None,
            Executor::Gpu(gpu) => Some(gpu.prepare(plan, shapes, &self.ledger)?),
        };
        Ok(Program {
            delays: Delays::default(),
            ledger: self.ledger.clone(),
            dispatches: plan.dispatches().to_vec(),
            gpu,
        })
    }

    /// Submits pending work, such as uploads, and waits until it is done.
    ///
    /// # Errors
    /// A lost device.
    pub fn flush(&self) -> Result<()> {
        match &self.executor {
            Executor::Cpu(_) => Ok(()),
            Executor::Gpu(gpu) => gpu.flush(),
        }
    }

    /// Waits until all submitted work is done.
    ///
    /// # Errors
    /// A lost device.
    pub fn wait(&self) -> Result<()> {
        match &self.executor {
            Executor::Cpu(_) => Ok(()),
            Executor::Gpu(gpu) => gpu.wait(),
        }
    }
}
