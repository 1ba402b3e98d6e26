//! Trainings on several ranks: rank 0 records the run, and tells the others what to train; they follow.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::checkpoint::{self, Checkpoint};
use crate::data;
use crate::engine::{Device, DeviceOptions};
use crate::error::Fault;
use crate::ranks::Ranks;
use crate::train::{Event, Hooks, TrainConfig, Trainer};
use crate::verify::seen::verify_once;
use crate::{Error, Result};

/// The ranks of a training, and where this process is among them.
#[derive(Clone, Debug)]
pub struct OnRanks {
    /// All of them.
    pub ranks: Ranks,
    /// The number of this process among those on its machine, which chooses its adapter.
    pub local_rank: usize,
    /// How many processes are on its machine.
    pub local_size: usize,
    /// The adapter that was asked for here; `None`: the one that rank 0 asks for.
    pub adapter: Option<String>,
}

impl OnRanks {
    /// How this process opens its device: each rank of a machine takes an adapter of its own, or its part of the cores.
    pub(super) fn device_options(&self, options: DeviceOptions) -> DeviceOptions {
        let (local_rank, local_size) = (self.local_rank, self.local_size);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        DeviceOptions {
            threads: match options.threads {
                0 if local_size > 1 => (cores / local_size).max(1),
                asked => asked,
            },
            local_rank,
            ..options
        }
    }

    /// Tells the other ranks what to train, from where on, and whether to verify their adapters first.
    ///
    /// # Errors
    /// A rank has left or hangs.
    pub(super) fn lead(
        &self,
        config: &TrainConfig,
        from: Option<&Checkpoint>,
        verify: bool,
    ) -> Result<()> {
        self.ranks.share_bytes(vec![u8::from(verify)])?;
        self.ranks.share_bytes(config.to_toml()?.into_bytes())?;
        let [model, manifest] = match from {
            None => [Vec::new(), Vec::new()],
            Some(found) => checkpoint::to_bytes(&found.snapshot, &found.manifest.config)?,
        };
        self.ranks.share_bytes(model)?;
        self.ranks.share_bytes(manifest)?;
        Ok(())
    }

    /// Trains what rank 0 says, to the end or until `stop` is set on any rank. Writes nothing and shows nothing but what
    /// `note` is told of the adapter. Returns whether the training was interrupted.
    ///
    /// # Errors
    /// As those of a training that is recorded; all other ranks are told.
    pub fn follow(&self, stop: &AtomicBool, note: &mut dyn FnMut(&str)) -> Result<bool> {
        let followed = self.train(stop, note);
        if let Err(error) = &followed {
            self.ranks.leave(error);
        }
        followed
    }

    fn train(&self, stop: &AtomicBool, note: &mut dyn FnMut(&str)) -> Result<bool> {
        let verify = self.ranks.share_bytes(Vec::new())? == [1];
        let text = self.ranks.share_bytes(Vec::new())?;
        let text = String::from_utf8(text).map_err(|_| {
            Error::Device(Fault::Written {
                what: "rank 0's options",
                form: "TOML",
                why: "they are no text".to_owned(),
            })
        })?;
        let config = TrainConfig::from_toml(&text, std::path::Path::new("rank 0's options"))?;
        let config = config.resolve()?;
        let model = self.ranks.share_bytes(Vec::new())?;
        let manifest = self.ranks.share_bytes(Vec::new())?;
        let from = match manifest.is_empty() {
            true => None,
            false => Some(checkpoint::from_bytes([&model, &manifest])?),
        };
        let mut source = config.source();
        if let Some(Checkpoint { manifest, .. }) = &from {
            let preprocessing = manifest.data.as_ref().and_then(|d| d.preprocessing.clone());
            source.table.prepared = preprocessing.map(Arc::new);
        }
        let data = data::load_until(&source, stop)?;
        let options = self.device_options(DeviceOptions {
            threads: config.machine.threads,
            tune: config.machine.tune,
            ..DeviceOptions::default()
        });
        let asked = self.adapter.as_ref().unwrap_or(&config.machine.adapter);
        let mut device = Device::open(asked, &options)?;
        if let (true, Some(adapter)) = (verify, device.adapter()) {
            // Ranks may have adapters of their own.
            verify_once(&device, &adapter.index.to_string(), options.threads, note)?;
        }
        device.join(self.ranks.clone());
        let mut trainer = match from {
            None => Trainer::new(device, config, data)?,
            Some(from) => {
                let mut trainer = Trainer::to_go_on(device, config, data)?;
                trainer.restore(from.snapshot)?;
                trainer
            }
        };
        let mut unseen = |_: &Event| Ok(());
        let finished = trainer.run(&mut Hooks {
            stop,
            ..Hooks::observing(&mut unseen)
        })?;
        Ok(finished.interrupted)
    }
}
