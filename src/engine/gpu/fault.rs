//! Faults that the driver reports out of band: kept until the next call that can return them.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};

#[derive(Default)]
pub(super) struct Faults {
    first: Mutex<Option<String>>,
}

impl Faults {
    /// Listens to the device's lost and error callbacks.
    pub(super) fn watch(device: &wgpu::Device) -> Arc<Self> {
        let faults = Arc::new(Faults::default());
        let on_error = faults.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            on_error.set(format!("the GPU reported an error: {error}"));
        }));
        let on_lost = faults.clone();
        device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                on_lost.set(format!(
                    "the GPU was lost ({reason:?}: {message}); resume from the last checkpoint with --resume"
                ));
            }
        });
        faults
    }

    fn set(&self, message: String) {
        self.first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(message);
    }

    /// The first fault since the device was opened. It stays: results after it cannot be trusted.
    pub(super) fn check(&self) -> Result<()> {
        match &*self.first.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(message) => Err(Error::Device(message.clone())),
            None => Ok(()),
        }
    }
}
