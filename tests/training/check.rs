//! `--check`: every kernel of the first step and of the first round against its twin, within a run.

use crate::{SCOPES, digits, gpu, methods, run, small};
use rootlet::train::Trainer;

#[test]
fn every_kernel_of_a_run_agrees_with_its_twin() {
    for (i, method) in methods().enumerate() {
        let mut config = small();
        config.topology.method = method;
        config.topology.scope = SCOPES[i % 2];
        config.run.steps = Some(12);
        let mut trainer = Trainer::new(gpu(), config, digits(Some(333))).unwrap();
        trainer.check("");
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
