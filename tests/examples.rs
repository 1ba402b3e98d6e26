//! Every example runs to its end; those meant to be read first have at most 50 lines.
#![allow(clippy::unwrap_used)]

#[path = "../examples/custom_loop.rs"]
mod custom_loop;
#[path = "../examples/early_stopping.rs"]
mod early_stopping;
#[path = "../examples/fine_tuning.rs"]
mod fine_tuning;
#[path = "../examples/predict.rs"]
mod predict;

#[test]
fn a_loop_of_ones_own() {
    custom_loop::main().unwrap();
}

#[test]
fn stopping_early() {
    early_stopping::main().unwrap();
}

#[test]
fn fine_tuning() {
    fine_tuning::main().unwrap();
}

#[test]
fn predicting() {
    predict::main().unwrap();
}

#[test]
fn they_are_short() {
    for name in ["custom_loop", "early_stopping", "fine_tuning", "predict"] {
        let text = std::fs::read_to_string(format!("examples/{name}.rs")).unwrap();
        let lines = text.lines().count();
        assert!(lines <= 50, "{name} has {lines} lines");
    }
}
