use super::together::*;
use rootlet::prelude::*;
#[test]
fn debug() {
    let data = digits();
    let mut config = TrainConfig::default();
    config.model.hidden = vec![64];
    config.run.batch = 48;
    config.run.steps = Some(6);
    config.topology.round_every = 1000;
    config.machine.micro_batch = Some(12);
    let run = |ranks: Option<rootlet::low_level::ranks::Ranks>, config: TrainConfig, data| {
        let mut device = Device::cpu(1).unwrap();
        if let Some(r) = ranks {
            device.join(r);
        }
        let mut t = Trainer::new(device, config, data).unwrap();
        t.run(&mut Hooks::observing(&mut |_: &Event| Ok(())))
            .unwrap();
        println!("{:?}", t.network().train_results(t.device(), 0..6).unwrap());
    };
    run(None, config.clone(), data.clone());
    let whole = {
        let mut c = config.clone();
        c.machine.micro_batch = None;
        c
    };
    run(None, whole, data.clone());
    on_ranks(2, &options(), move |r| {
        run(Some(r), config.clone(), data.clone())
    });
}
