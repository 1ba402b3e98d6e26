//! `--check`: every kernel of the first step and of the first round against its twin, within a run.

use crate::{SCOPES, cpu, digits, gpu, methods, run, small};
use rootlet::topology::MethodName;
use rootlet::train::{TrainConfig, Trainer};

#[test]
fn every_kernel_of_a_run_agrees_with_its_twin() {
    for (i, method) in methods().enumerate() {
        let mut config = small();
        config.topology.method = method;
        config.topology.scope = SCOPES[i % 2];
        config.run.steps = Some(12);
        let mut trainer = Trainer::new(gpu(), config, digits(Some(333))).unwrap();
        trainer.check("").unwrap();
        let (log, result) = run(&mut trainer);
        result.unwrap();
        let said = |kernel: &str| {
            (log.notes.iter())
                .filter(|n| n.contains(&format!("kernel {kernel} ")))
                .count()
        };
        for kernel in ["sparse/spmm", "sparse/sddmm", "optim/sgd"] {
            assert!(said(kernel) > 0, "{method}: {kernel} was not checked");
        }
        let rounds = usize::from(i > 0);
        assert_eq!(log.rounds.len(), rounds);
        assert_eq!(said("topology/report_layers"), rounds);
    }
}

/// A check that compares nothing is an error: at once if that is known, otherwise at the end.
#[test]
fn a_check_of_nothing_is_refused() {
    let trainer = |change: fn(&mut TrainConfig)| {
        let mut config = small();
        config.topology.method = MethodName::GseUniform;
        change(&mut config);
        Trainer::new(cpu(), config, digits(Some(333))).unwrap()
    };
    let refused = |change: fn(&mut TrainConfig), kernel: &str, why: &str| {
        let told = trainer(change).check(kernel).unwrap_err().to_string();
        let says = format!("whose names contain `{kernel}` compares nothing: {why}");
        assert!(told.contains(&says), "{told}");
    };
    refused(|_| {}, "attention", "neither a step nor a round");
    let round = "topology/merge_state";
    trainer(|_| {}).check(round).unwrap();
    refused(|c| c.topology.method = MethodName::Static, round, "neither");
    let none = "only rounds have such a kernel, and none takes place";
    refused(|c| c.topology.round_every = 1_000_000, round, none);
    refused(|c| c.topology.round_until = Some(0.0), round, none);
    refused(
        |c| c.run.steps = Some(c.topology.round_every - 1),
        round,
        none,
    );
    trainer(|c| c.run.steps = Some(c.topology.round_every))
        .check(round)
        .unwrap();
    // The first step of a dense network is not known before its connections are chosen.
    let mut snip = trainer(|c| {
        c.topology.method = MethodName::Snip;
        c.run.steps = Some(2);
    });
    snip.check("attention").unwrap();
    run(&mut snip).1.unwrap();
    snip.has_checked().unwrap_err();
    snip.check("").unwrap_err();
}
