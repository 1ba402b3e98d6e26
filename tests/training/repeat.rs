//! The same seed and adapter give the same bits.

use crate::{bits, cpu, digits, gpu, small, told, train};
use rootlet::engine::Device;
use rootlet::topology::MethodName;
use rootlet::topology::Scope;
use rootlet::train::TrainConfig;

fn config() -> TrainConfig {
    let mut config = small();
    config.topology.method = MethodName::GseGraest;
    config.topology.scope = Scope::Global;
    config.optimiser.nesterov = true;
    config
}

#[test]
fn cpu_repeats_itself_with_any_number_of_threads_and_workers() {
    let data = digits(None);
    let (log, first) = train(Device::cpu(1).unwrap(), &config(), &data);
    assert_eq!(log.rounds.len(), 9);
    for (threads, workers) in [(1, 1), (2, 1), (3, 4)] {
        let mut config = config();
        config.machine.workers = workers;
        let (again, second) = train(Device::cpu(threads).unwrap(), &config, &data);
        assert!(bits(&first) == bits(&second), "{threads} threads");
        assert!(told(&log, 0) == told(&again, 0), "{threads} threads");
    }
    let mut other = config();
    other.run.seed = 2;
    assert!(bits(&train(cpu(), &other, &data).1) != bits(&first));
}

#[test]
fn a_gpu_repeats_itself() {
    let data = digits(Some(300));
    let mut config = config();
    config.topology.round_every = 4;
    let (log, first) = train(gpu(), &config, &data);
    let (again, second) = train(gpu(), &config, &data);
    assert!(log.rounds.len() > 3);
    assert!(bits(&first) == bits(&second));
    assert!(told(&log, 0) == told(&again, 0));
}

/// Images that reside on the device give the same batches as the loader: augmented, in parts, on either executor.
#[test]
fn resident_images_train_to_the_same_bits() {
    let data = digits(Some(200));
    for open in [cpu, gpu] {
        let run = |resident: bool| {
            let mut config = config();
            config.machine.resident = Some(resident);
            config.data.augment = "pad-crop-flip".into();
            config.machine.micro_batch = Some(8);
            train(open(), &config, &data)
        };
        let ((log, loaded), (again, resident)) = (run(false), run(true));
        assert!(bits(&loaded) == bits(&resident));
        assert!(told(&log, 0) == told(&again, 0));
    }
}
