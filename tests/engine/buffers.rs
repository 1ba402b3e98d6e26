//! Buffers: the ledger, transfers, and impossible sizes.

use rootlet::Error;
use rootlet::engine::{Class, Device, Ledger};

use crate::common::{Random, devices, says};
use crate::scale::Use;

#[test]
fn buffers_start_zeroed_and_give_back_what_was_put_in() {
    let mut random = Random(1);
    for (name, device) in devices() {
        for length in [1, 2, 3, 4, 5, 64, 1001] {
            let fresh = device.buffer("fresh", Class::Scratch, length).unwrap();
            assert_eq!(fresh.words(), length.next_multiple_of(4), "{name}");
            let zeros: Vec<u32> = device.download(&fresh.all()).unwrap();
            assert!(zeros.iter().all(|w| *w == 0), "{name}");

            let noise = random.noise(length);
            let buffer = device.buffer_with("noise", Class::Scratch, &noise).unwrap();
            let back: Vec<u32> = device.download(&buffer.range(0..length)).unwrap();
            assert_eq!(back, noise, "{name}: bits, NaN among them");
        }
        let buffer = device.buffer("parts", Class::Scratch, 100).unwrap();
        device
            .upload(&buffer.range(3..6), &[1.0f32, 2.0, 3.0])
            .unwrap();
        device.upload(&buffer.range(5..7), &[4.0f32, 5.0]).unwrap();
        let back: Vec<f32> = device.download(&buffer.range(2..8)).unwrap();
        assert_eq!(back, [0.0, 1.0, 2.0, 4.0, 5.0, 0.0], "{name}");
    }
}

#[test]
fn nothing_can_be_moved_as_well() {
    for (name, device) in devices() {
        let buffer = device
            .buffer_with::<f32>("empty", Class::Data, &[])
            .unwrap();
        assert_eq!(buffer.words(), 4, "{name}");
        device.upload::<u32>(&buffer.range(2..2), &[]).unwrap();
        let back: Vec<u32> = device.download(&buffer.range(4..4)).unwrap();
        assert!(back.is_empty(), "{name}");
    }
}

#[test]
fn transfers_of_a_wrong_length_or_place_are_refused() {
    for (_, device) in devices() {
        let buffer = device.buffer("small", Class::Data, 8).unwrap();
        says(
            device.upload(&buffer.range(0..4), &[1u32; 5]),
            &["5 words", "4 words", "`small`"],
        );
        says(
            device.upload(&buffer.range(6..10), &[1u32; 4]),
            &["6..10", "`small` (8 words)", "out of bounds"],
        );
        says(
            device.download::<f32>(&buffer.range(8..9)),
            &["8..9", "`small`", "out of bounds"],
        );
        #[allow(clippy::reversed_empty_ranges)]
        let reversed = buffer.range(6..2);
        says(device.download::<f32>(&reversed), &["out of bounds"]);
        device.upload(&buffer.all(), &[2u32; 8]).unwrap();
    }
}

#[test]
fn buffers_of_another_device_are_refused() {
    let devices = [Device::cpu(1).unwrap(), Device::cpu(1).unwrap()]
        .into_iter()
        .chain(crate::common::gpus().into_iter().map(|(_, device)| device));
    let devices: Vec<Device> = devices.collect();
    for (i, owner) in devices.iter().enumerate() {
        let buffer = owner.buffer("theirs", Class::Data, 4).unwrap();
        for (j, other) in devices.iter().enumerate() {
            if i != j {
                let parts = ["`theirs`", "another device"];
                says(other.download::<u32>(&buffer.all()), &parts);
                says(other.upload(&buffer.all(), &[0u32; 4]), &parts);
            }
        }
        owner.download::<u32>(&buffer.all()).unwrap();
    }
}

#[test]
fn sizes_that_no_machine_has_are_errors() {
    for (_, device) in devices() {
        for length in [1usize << 45, 1 << 60, usize::MAX / 4, usize::MAX] {
            let result = device.buffer("absurd", Class::Data, length);
            says(result, &["`absurd`", "bytes"]);
        }
        device.buffer("fits", Class::Data, 8).unwrap();
    }
    let cpu = Device::cpu(1).unwrap();
    let result = cpu.buffer("absurd", Class::Data, usize::MAX);
    assert!(matches!(result, Err(Error::Limit { .. })));
}

fn current(ledger: &Ledger) -> [u64; 5] {
    Class::ALL.map(|class| ledger.current(class))
}

#[test]
fn the_ledger_counts_what_lives_and_keeps_the_peaks() {
    for (name, device) in devices() {
        let ledger = device.ledger();
        assert_eq!(current(ledger), [0; 5], "{name}");
        let first = device.buffer("first", Class::Connections, 5).unwrap();
        let data = device.buffer("data", Class::Data, 64).unwrap();
        assert_eq!(current(ledger), [32, 0, 0, 256, 0], "{name}");
        let entries = ledger.entries();
        assert_eq!(entries.len(), 2);
        assert_eq!(
            (entries[0].label.as_str(), entries[0].bytes),
            ("first", 32),
            "oldest first"
        );
        // A handle and a view keep the buffer; the last of them frees it.
        let (handle, view) = (data.clone(), data.all());
        drop(data);
        drop(handle);
        assert_eq!(ledger.current(Class::Data), 256);
        drop(view);
        assert_eq!(current(ledger), [32, 0, 0, 0, 0], "{name}");
        assert_eq!(ledger.peak(Class::Data), 256);
        let second = device.buffer("second", Class::Connections, 25).unwrap();
        drop(first);
        assert_eq!(current(ledger), [112, 0, 0, 0, 0], "{name}");
        assert_eq!(ledger.peak(Class::Connections), 144);
        assert_eq!(ledger.peak(Class::Activations), 0);
        // Peaks of the classes need not coincide.
        assert_eq!(ledger.peak_total(), 288, "{name}");
        // At the peak of all together, they add up.
        let at_peak = Class::ALL.map(|class| ledger.at_peak(class));
        assert_eq!(at_peak.iter().sum::<u64>(), 288, "{name}: {at_peak:?}");
        assert_eq!(ledger.at_peak(Class::Data), 256, "{name}");
        drop(second);
        assert!(ledger.entries().is_empty());
    }
}

#[test]
fn a_refused_buffer_leaves_no_trace_in_the_ledger() {
    for (_, device) in devices() {
        assert!(device.buffer("absurd", Class::Data, 1 << 60).is_err());
        assert!(device.ledger().entries().is_empty());
        assert_eq!(device.ledger().peak_total(), 0);
    }
}

#[test]
fn a_programs_parameters_are_in_the_ledger_while_it_lives() {
    for (name, device) in devices() {
        let used = Use::new(&device, 10);
        let before = device.ledger().current(Class::Scratch);
        let program = device.prepare(&used.plan).unwrap();
        let with = device.ledger().current(Class::Scratch);
        assert_eq!(with > before, !device.is_cpu(), "{name}");
        drop(program);
        assert_eq!(device.ledger().current(Class::Scratch), before, "{name}");
    }
}
