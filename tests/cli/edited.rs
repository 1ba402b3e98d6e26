//! Results that someone edited: a report says so, and accuses no other run.

use std::fs;

use crate::changes::report;
use crate::{Desk, text};

#[test]
fn results_that_were_edited_are_told() {
    let desk = Desk::new();
    let run = desk.small(&[]);
    let whole = fs::read_to_string(run.join("summary.json")).unwrap();
    let (page, notes) = report(&desk, &[&run]);
    assert_eq!(notes, "");
    let cells = |page: &str| {
        page.split("<tbody>")
            .nth(1)
            .unwrap()
            .split("</tbody>")
            .next()
            .unwrap()
            .to_owned()
    };
    let right = cells(&page);
    for (name, value, says) in [
        ("test_accuracy", 0.999.into(), "test loss "),
        ("test_loss", 0.001.into(), "test loss 0.0010 and accuracy "),
        ("seconds", 0.001.into(), "seconds 0.001 there and "),
        ("train_flops", 1e3.into(), "training FLOPs 1e3 there and "),
        ("epochs", 9.into(), "epochs 9 there and 6 here"),
        ("rounds", 9.into(), "rounds 9 there and 4 here"),
        (
            "step",
            999.into(),
            "reports an end at step 999, but the newest checkpoint is of step 114",
        ),
    ] as [(&str, serde_json::Value, &str); 7]
    {
        let mut edited: serde_json::Value = serde_json::from_str(&whole).unwrap();
        edited["finished"][name] = value;
        fs::write(run.join("summary.json"), edited.to_string()).unwrap();
        let (page, notes) = report(&desk, &[&run]);
        assert!(
            notes.contains("summary.json ") && notes.contains(says),
            "{name}: {notes}"
        );
        if name.starts_with("test") || name == "train_flops" {
            assert_eq!(cells(&page), right, "{name}");
        }
    }
    fs::write(run.join("summary.json"), whole).unwrap();
    let path = run.join("metrics.csv");
    let table = fs::read_to_string(&path).unwrap();
    let (rest, last) = table.trim_end().rsplit_once('\n').unwrap();
    let mut last: Vec<&str> = last.split(',').collect();
    last[6] = "0.999";
    fs::write(&path, format!("{rest}\n{}\n", last.join(","))).unwrap();
    let (_, notes) = report(&desk, &[&run]);
    assert!(
        notes.contains("the row of epoch 6 has another test result"),
        "{notes}"
    );
}

/// No run of any method is accused.
#[test]
fn what_was_not_edited_is_not_told() {
    let desk = Desk::new();
    let methods = [
        "static",
        "set",
        "rigl",
        "gse-grabo",
        "snip",
        "synflow",
        "gradual",
        "lottery",
        "topkast",
        "dense",
    ];
    for method in methods {
        let run = desk.small(&[&format!("--method={method}"), "--epochs=3", "--quiet"]);
        let (_, notes) = report(&desk, &[&run]);
        assert_eq!(notes, "", "{method}");
        let stopped = desk.small(&[
            &format!("--method={method}"),
            "--epochs=3",
            "--steps=38",
            "--quiet",
        ]);
        desk.good(&["train", "--resume", text(&stopped), "--steps=45", "--quiet"]);
        let (_, notes) = report(&desk, &[&stopped]);
        assert_eq!(notes, "", "{method}");
    }
}
