//! `rootlet flops`: the comparison as text, JSON and figure.

use crate::Desk;

#[test]
fn resnet50_against_rigl_as_text_and_figure() {
    let desk = Desk::new();
    let done = desk.good(&["flops", "-o", "flops.svg"]);
    let is_99 = |line: &&str| line.trim().starts_with("99 %");
    let line = done.out.lines().find(is_99).unwrap();
    assert!(line.contains("-11.5 %"), "{line}");
    assert!(done.out.contains("24.54 GFLOP a dense step"), "{done:?}");
    let svg = std::fs::read_to_string(desk.path("flops.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    for part in ["polyline", "99.99 %", "sparsity", "gse", "rigl"] {
        assert!(svg.contains(part), "no {part}");
    }
}

#[test]
fn what_is_counted_can_be_chosen() {
    let arguments = [
        "flops",
        "mlp",
        "--image=1x2x2",
        "--classes=2",
        "--hidden=4",
        "--sparsities=0.5,0.999",
        "--methods=rigl,dense",
        "--round-every=10",
        "--until=0.5",
        "--batch=8",
        "--json",
    ];
    let done = Desk::new().good(&arguments);
    let found: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    // 4-4-2: 24 pairs, of which 12 are active.
    assert_eq!(found["dense_connections"], 24);
    assert_eq!(found["dense_step"], 8.0 * 144.0);
    let row = &found["rows"][0];
    assert_eq!(row["connections"], 12);
    let step = row["methods"][0]["step"].as_f64().unwrap();
    assert!((step - 8.0 * (72.0 + 0.05 * 48.0)).abs() < 1e-9, "{step}");
    assert_eq!(row["methods"][1]["of_dense"], 1.0);
    let skipped = found["rows"][1]["skipped"].as_str().unwrap();
    assert!(skipped.contains("without a connection"), "{skipped}");
}

#[test]
fn what_cannot_be_counted_is_refused() {
    let desk = Desk::new();
    for (arguments, code, expected) in [
        (vec!["resnet51"], 2, "NAME must be one of"),
        (vec!["mlp", "--until=1.5"], 2, "--until must be a share"),
        (
            vec!["mlp", "--sparsities=0.9,1"],
            2,
            "--sparsities must be at least 0 and below 1, not 1",
        ),
        (vec!["mlp", "--methods=gse,rigel"], 2, "rigl"),
        (vec!["mlp", "--gamma=nan"], 2, "gamma"),
        (
            vec!["mlp", "--round-every=0"],
            2,
            "it must be a whole number from 1",
        ),
        (vec!["mlp", "--output=none/at.svg"], 1, "none/at.svg"),
    ] {
        let all: Vec<&str> = ["flops"].into_iter().chain(arguments).collect();
        desk.bad(&all, code, &[expected]);
    }
}
