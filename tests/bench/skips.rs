//! What is not measured, and impossible options.

use std::time::Duration;

use rootlet::bench::{self, BenchOptions, Finding, Part, Table};

use crate::{choices, tiny};

/// A case that does not fit is in the table and in the report with its reason, and the others are measured.
#[test]
fn what_does_not_fit_is_skipped_with_a_reason() {
    for adapter in choices() {
        let mut options = tiny(&adapter);
        // Petabytes fit nowhere.
        options.parts = vec![Part::Spmm, Part::Dense];
        options.sizes = vec![60, 40_000_000];
        options.sparsities = vec![0.9];
        let mut text = Vec::new();
        let mut table = Table::default();
        let report = bench::run(&options, &mut |finding| {
            if let Finding::Skipped(_) = finding {
                text.push(table.lines(finding));
            }
        })
        .unwrap();
        assert_eq!(report.kernels.len(), 1 + 3);
        let skipped: Vec<_> = report
            .skipped
            .iter()
            .filter(|s| s.part != "ceilings")
            .collect();
        let cases: Vec<_> = skipped.iter().map(|s| s.case.as_str()).collect();
        let large = "n = 40000000, sparsity";
        let expected = [
            format!("{large} 0.9"),
            format!("{large} 0"),
            format!("{large} 0"),
            format!("{large} 0"),
        ];
        assert_eq!(cases, expected, "{adapter}");
        for s in &skipped {
            assert!(s.reason.contains("MiB"), "{s:?}");
            let line = format!("skipped: {}, {}: {}", s.part, s.case, s.reason);
            assert!(text.contains(&line), "{text:?}");
        }
    }
}

#[test]
fn what_would_take_too_long_is_skipped() {
    let mut options = tiny("cpu");
    options.parts = vec![Part::Spmm, Part::Model, Part::Scaling];
    options.models = vec!["resnet20".to_owned(), "resnet56".to_owned()];
    options.limit = Duration::from_nanos(1);
    let report = bench::run(&options, &mut |_| ()).unwrap();
    // There is nothing to predict the first of each kind from.
    assert_eq!(
        (
            report.kernels.len(),
            report.models.len(),
            report.scaling.len()
        ),
        (1, 1, 1)
    );
    let late: Vec<_> = report
        .skipped
        .iter()
        .filter(|s| s.reason.contains("`limit`"))
        .collect();
    assert_eq!(late.len(), 3 + 1 + 1, "{:?}", report.skipped);
    assert!(report.exponents.is_none());
}

/// On a machine that is too busy, nothing is reported that could be taken for a measurement: a figure is there, or it
/// is named as withheld with the reason.
#[test]
fn what_other_work_disturbs_is_withheld_by_name() {
    let mut options = tiny("cpu");
    options.parts = vec![Part::Spmm, Part::Scaling];
    options.keep_doubtful = false;
    options.sparsities = vec![0.9];
    let report = bench::run(&options, &mut |_| ()).unwrap();
    let busy: Vec<_> = report.skipped.iter().filter(|s| s.busy).collect();
    let of = |part: &str| busy.iter().filter(|s| s.part == part).count();
    assert_eq!(report.kernels.len() + of("spmm"), 2, "{busy:?}");
    let growth = usize::from(report.exponents.is_some());
    assert!(report.scaling.len() + of("scaling") >= 2, "{busy:?}");
    assert_eq!(
        growth + usize::from(busy.iter().any(|s| s.case == "growth")),
        1
    );
    assert!(report.kernels.iter().all(|k| k.doubt.is_none()));
    let ceilings = report.ceilings.as_ref().unwrap();
    assert_eq!(
        ceilings.copy_gb_s.is_none(),
        ceilings.doubts.contains_key("copy_gb_s")
    );
    for reason in busy
        .iter()
        .map(|s| &s.reason)
        .chain(ceilings.doubts.values())
    {
        assert!(reason.starts_with("the machine was busy"), "{reason}");
    }
    // What was requested was computed and checked, whatever its time was.
    for skipped in busy.iter().filter(|s| s.part == "spmm") {
        assert!(
            skipped.reason.contains("connections, right to"),
            "{skipped:?}"
        );
    }
    assert!(!report.is_withheld() || report.kernels.is_empty());
}

/// A library user's options are checked like those of the command line.
#[test]
fn options_are_checked() {
    let refuse = |change: fn(&mut BenchOptions), expected: &str| {
        let mut options = tiny("cpu");
        change(&mut options);
        let message = bench::run(&options, &mut |_| ()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    refuse(|o| o.parts.clear(), "nothing to measure");
    refuse(|o| o.hidden.push(0), "start at 1");
    refuse(|o| o.batch = 0, "start at 1");
    refuse(|o| o.sizes.push(0), "start at 1");
    refuse(|o| o.sparsities.push(f64::NAN), "outside [0, 1)");
    refuse(|o| o.step_sparsity = 1.0, "outside [0, 1)");
}
