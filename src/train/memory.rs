//! The memory that a training holds on its device, computed before there is one.

use super::{Event, Hooks, TrainConfig, Trainer};
use crate::data::{DataSource, Dataset, Draws, ImageShape, TargetKind};
use crate::engine::{Class, Device};
use crate::error::Result;

/// Bytes of each class.
pub(super) fn by_class(bytes: impl Fn(Class) -> u64) -> Vec<(String, u64)> {
    Class::ALL.map(|c| (c.name().to_owned(), bytes(c))).into()
}

impl TrainConfig {
    /// Bytes that a training with this configuration holds on the CPU executor, by class, for images of this shape and
    /// this many classes. It makes the whole network, but on a device that only counts: the connections are drawn, and
    /// nothing is allocated.
    ///
    /// Methods that prune during training (`gradual`, `lottery`) hold more later: lists of connections, which are long
    /// at first, take more than dense weights. Adapters hold a little more, for parameters of kernels, and also the
    /// training images if those are kept there.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn memory(&self, shape: ImageShape, classes: usize) -> Result<Vec<(String, u64)>> {
        let images = |count| Counted {
            count,
            features: shape.features(),
            classes,
        };
        let data = Dataset::new(
            "counted",
            shape,
            images(self.run.batch.max(classes)),
            images(1),
        )?;
        let device = Device::counting()?;
        let mut trainer = Trainer::new(device, self.clone(), data)?;
        // Which connections are chosen does not matter, only how many, and what is held beside them.
        trainer.prune_before_the_first_step(&mut Hooks::observing(&mut |_: &Event| Ok(())))?;
        let ledger = trainer.device().ledger();
        Ok(by_class(|class| ledger.at_peak(class)))
    }
}

/// This many images, none of which is read.
#[derive(Debug)]
struct Counted {
    count: usize,
    features: usize,
    classes: usize,
}

impl DataSource for Counted {
    fn len(&self) -> usize {
        self.count
    }

    fn features(&self) -> usize {
        self.features
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Labels
    }

    fn label(&self, number: usize) -> u32 {
        (number % self.classes) as u32
    }

    fn read(&self, _: usize, _: Draws, inputs: &mut [f32], _: &mut [f32]) -> Result<()> {
        inputs.fill(0.0);
        Ok(())
    }

    fn fingerprint(&self) -> Result<String> {
        Ok(String::new())
    }
}
