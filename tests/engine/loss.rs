//! A lost device says so at the next call and at all later ones, without a panic.

use rootlet::engine::{Class, Device};

use crate::common::devices;
use crate::scale::Use;

/// Everything that a training does with a device.
fn work(device: &Device, used: &Use) -> rootlet::Result<()> {
    let program = device.prepare(&used.plan)?;
    device.run(&program)?;
    device.run_phases(&program)?;
    device.run_checked(&program, "")?;
    let buffer = device.buffer_with("x", Class::Scratch, &[1.0f32; 8])?;
    device.download::<f32>(&buffer.all())?;
    device.flush()?;
    device.wait()
}

#[test]
fn a_lost_device_is_told_of_wherever_it_is_lost() {
    for calls in [1, 2, 3, 5, 8, 13] {
        for (name, device) in devices() {
            let used = Use::new(&device, 8);
            used.set_step(&device, 1);
            work(&device, &used).unwrap();
            assert_eq!(device.lost(), None, "{name}");
            device.lose_after(calls);
            let error = (0..calls).find_map(|_| work(&device, &used).err());
            let message = error.unwrap().to_string();
            assert!(message.contains("lost"), "{name}, {calls}: {message}");
            assert!(device.lost().is_some(), "{name}, {calls}");
            work(&device, &used).unwrap_err();
        }
    }
}
