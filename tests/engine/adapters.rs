//! Which adapter is opened, and the message if none fits.

use rootlet::Error;
use rootlet::engine::{Class, Device, DeviceOptions};

use crate::common::{adapters, says};
use crate::scale::Use;

fn open(choice: &str) -> rootlet::Result<Device> {
    Device::open(choice, &DeviceOptions::default())
}

#[test]
fn unknown_choices_list_the_candidates() {
    let adapters = adapters();
    let candidates: Vec<&str> = adapters.iter().map(|a| a.name.as_str()).collect();
    for (choice, reason) in [
        ("no such adapter", "no adapter's name contains"),
        ("4711", "no adapter number 4711"),
        ("-1", "no adapter's name contains"),
        ("99999999999999999999999", "no adapter's name contains"),
    ] {
        says(open(choice), &[reason, "cpu (built in)"]);
        says(open(choice), &candidates);
        assert!(
            matches!(open(choice), Err(Error::NoAdapter { .. })),
            "{choice}"
        );
    }
}

#[test]
fn adapters_open_by_number_and_by_name_in_any_case() {
    for adapter in adapters() {
        let device = open(&adapter.index.to_string()).unwrap();
        assert_eq!(device.name(), adapter.name);
        assert!(!device.is_cpu());
        assert_eq!(device.is_hardware(), adapter.kind != "software");
    }
    let names: Vec<String> = adapters().iter().map(|a| a.name.to_uppercase()).collect();
    for name in &names {
        if names.iter().filter(|other| other.contains(name)).count() == 1 {
            assert_eq!(open(name).unwrap().name().to_uppercase(), *name);
        }
    }
}

#[test]
fn auto_never_takes_a_software_adapter() {
    for choice in ["auto", "", " auto "] {
        let device = open(choice).unwrap();
        assert!(device.is_cpu() || device.is_hardware(), "{choice:?}");
    }
    assert!(open("cpu").unwrap().is_cpu());
    assert!(Device::cpu(3).unwrap().description().contains("3 threads"));
}

/// Exactly WebGPU's default limits and no features: enough for a kernel, and anything beyond them is refused.
#[test]
fn default_limits_are_enough_and_are_kept() {
    let options = DeviceOptions {
        default_limits: true,
        ..DeviceOptions::default()
    };
    for adapter in adapters() {
        let device = Device::open(&adapter.index.to_string(), &options).unwrap();
        let used = Use::new(&device, 1000);
        used.set_step(&device, 5);
        let program = device.prepare(&used.plan).unwrap();
        device.run(&program).unwrap();
        let expected: Vec<f32> = (0..1000).map(|i| i as f32 - 3.5 + 5.0).collect();
        assert_eq!(used.outputs(&device, 1000), expected, "{}", adapter.name);

        const LIMIT: u64 = 128 << 20;
        let result = device.buffer(
            "far too large",
            Class::Activations,
            (LIMIT / 4 + 1) as usize,
        );
        match result.map(|_| ()).unwrap_err() {
            Error::Limit {
                buffer,
                bytes,
                limit,
                what,
                remedies,
            } => {
                assert_eq!((buffer.as_str(), limit), ("far too large", LIMIT));
                assert_eq!(bytes, LIMIT + 16, "whole vectors");
                assert!(what.contains("binding"), "{what}");
                assert!(!remedies.0.is_empty());
            }
            other => panic!("{other}"),
        }
        device.buffer("fits", Class::Scratch, 1 << 20).unwrap();
    }
}
