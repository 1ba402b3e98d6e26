//! Faults that the driver reports out of band, kept until the next call that can return them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Fault, Result};

#[derive(Default)]
pub(super) struct Faults {
    first: Mutex<Option<String>>,
    lost: Mutex<Option<String>>,
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
                on_lost.lose(format!("{reason:?}: {message}"));
            }
        });
        faults
    }

    fn set(&self, message: String) {
        held(&self.first).get_or_insert(message);
    }

    /// Records that the device is gone, for this reason: a driver reset, sleep, or an unplugged GPU.
    pub(super) fn lose(&self, reason: String) {
        held(&self.lost).get_or_insert(reason);
    }

    /// Why the device is gone, if it is.
    pub(super) fn lost(&self) -> Option<String> {
        held(&self.lost).clone()
    }

    /// The first fault since the device was opened. It is kept, because later results cannot be trusted.
    pub(super) fn check(&self) -> Result<()> {
        if let Some(reason) = self.lost() {
            return Err(Error::Lost(reason));
        }
        match &*held(&self.first) {
            Some(message) => Err(Error::Device(Fault::DriverReport(message.clone()))),
            None => Ok(()),
        }
    }
}

fn held(fault: &Mutex<Option<String>>) -> MutexGuard<'_, Option<String>> {
    fault.lock().unwrap_or_else(PoisonError::into_inner)
}
