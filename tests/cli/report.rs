//! `rootlet report`: the page and the figures that it writes, and what it refuses.

use crate::{Desk, names, text};
use std::fs;

const BENCH: &str = r#"{
  "schema": 2, "code": {"name": "rootlet", "version": "0.1.0"}, "date": "2026-01-31T17:45:02Z",
  "adapter": {"name": "Some <GPU>", "backend": "Vulkan", "device_type": "discrete GPU", "driver": "x 1"},
  "kernels": [
    {"kernel": "spmm", "n": 1024, "batch": 128, "sparsity": 0.9, "seconds": 1e-3, "gflop_s": 26.8, "share_of_ceiling": 0.5,
     "bound": "loads", "seconds_spread": {"min": 9e-4, "q1": 9.5e-4, "q3": 1.1e-3, "max": 2e-3, "samples": 9}},
    {"kernel": "spmm", "n": 4096, "batch": 128, "sparsity": 0.9, "seconds": 2e-2, "gflop_s": 21.4}
  ],
  "steps": [{"model": "3072-1024-1024-10", "sparsity": 0.98, "batch": 128, "seconds": 3e-3, "round_seconds": 5e-3,
             "connections": 83886, "bytes": {"connections": 1000, "activations": 2000}}],
  "skipped": [{"part": "spmm", "case": "n = 16384", "reason": "does not fit"}]
}"#;

#[test]
fn runs_and_benchmarks_become_one_page_without_network() {
    let desk = Desk::new();
    let run = desk.small(&[]);
    fs::write(desk.path("bench.json"), BENCH).unwrap();
    let done = desk.good(&[
        "report",
        text(&run),
        "bench.json",
        "-o",
        "page.html",
        "--png",
        "png",
    ]);
    assert!(
        done.out.starts_with("page.html: 1 run, 1 benchmark, "),
        "{done:?}"
    );
    let page = fs::read_to_string(desk.path("page.html")).unwrap();
    for part in [
        "<!DOCTYPE html>",
        "name=\"viewport\"",
        "prefers-color-scheme: dark",
        "Some &lt;GPU&gt;",
        "rootlet train '--hidden=48,32'",
        "Not measured: spmm, n = 16384: does not fit",
        "0.95 to 1.10",
    ] {
        assert!(page.contains(part), "no `{part}`");
    }
    for part in ["<script", "src=", "url(", "@import", "Some <GPU>"] {
        assert!(!page.contains(part), "`{part}` in the page");
    }
    let addresses = page.matches("http").count();
    assert_eq!(
        addresses,
        page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count()
    );
    // A PNG for each figure, none of them blank.
    let pictures = names(&desk.path("png"));
    assert_eq!(pictures.len(), page.matches("data-figure=").count());
    assert!(pictures.len() >= 8, "{pictures:?}");
    for name in pictures {
        let file = std::io::BufReader::new(fs::File::open(desk.path("png").join(&name)).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.width, 1440);
        let coloured = pixels
            .chunks(3)
            .filter(|p| p.iter().max() != p.iter().min());
        assert!(coloured.count() > 500, "{name} has no colour");
        assert!(
            pixels.iter().filter(|p| **p < 60).count() > 500,
            "{name} has no letters"
        );
    }
}

#[test]
fn an_older_run_without_a_summary_is_shown_as_far_as_it_tells() {
    let desk = Desk::new();
    let run = desk.small(&[]);
    for name in ["summary.json", "progress.json"] {
        fs::remove_file(run.join(name)).unwrap();
    }
    desk.good(&["report", text(&run)]);
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    for part in [
        "has no summary.json",
        "-test-accuracy\"",
        "No figure “Where the bytes go”",
    ] {
        assert!(page.contains(part), "no `{part}`");
    }
}

/// Number and prefix, as in `38.5 G`.
fn number(text: &str) -> f64 {
    let (digits, prefix) = text.split_once(' ').unwrap_or((text, ""));
    let power = ["", "k", "M", "G", "T"].iter().position(|p| *p == prefix);
    digits.parse::<f64>().unwrap() * 1e3f64.powi(power.unwrap() as i32)
}

/// The texts between `before` and `after`.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Vec<&'t str> {
    let parts = text.split(before).skip(1);
    parts
        .map(|part| part.split(after).next().unwrap())
        .collect()
}

fn attribute(element: &str, name: &str) -> i64 {
    let value = between(element, &format!(" {name}=\""), "\"")[0];
    value.parse().unwrap()
}

/// Name, number and length of each bar of a figure, whose name is one of `names`.
fn bars(figure: &str, names: &[&str]) -> Vec<(String, String, i64)> {
    let texts: Vec<(i64, &str)> = between(figure, "<text", "</text>")
        .into_iter()
        .map(|text| (attribute(text, "y"), text.split('>').nth(1).unwrap().trim()))
        .collect();
    let parts = between(figure, "<rect", ">");
    let mut bars = Vec::new();
    for (at, name) in texts.iter().filter(|(_, name)| names.contains(name)) {
        let of_row = |part: &&&str| {
            let (top, height) = (attribute(part, "y"), attribute(part, "height"));
            (top..top + height).contains(at)
        };
        let length = parts
            .iter()
            .filter(of_row)
            .map(|part| attribute(part, "width"))
            .sum();
        let total = texts
            .iter()
            .find(|(y, text)| y == at && text != name)
            .unwrap();
        bars.push(((*name).to_owned(), total.1.to_owned(), length));
    }
    bars
}

/// The mean time of a method's runs, to the last digit.
fn mean_seconds(desk: &Desk, method: &str) -> f64 {
    let runs = desk.runs().into_iter();
    let seconds: Vec<f64> = runs
        .map(|run| fs::read_to_string(run.join("summary.json")).unwrap())
        .map(|summary| serde_json::from_str::<serde_json::Value>(&summary).unwrap())
        .filter(|summary| summary["started"]["method"] == method)
        .map(|summary| summary["finished"]["seconds"].as_f64().unwrap())
        .collect();
    seconds.iter().sum::<f64>() / seconds.len() as f64
}

/// The page's figures against its table: for networks that shrink, work before the first step, and a resumed run.
#[test]
fn the_bars_of_a_page_are_the_numbers_of_its_table() {
    let desk = Desk::new();
    let names = ["gse-uniform", "snip", "gradual", "lottery"];
    // In a file, since each method ignores some of it.
    let config = "hidden = [48, 32]\nepochs = 6\nround_every = 20\nlimit = 600\nthreads = 2";
    fs::write(desk.path("small.toml"), config).unwrap();
    let train = ["train", "--config=small.toml", "--quiet"];
    for method in names {
        desk.good(&[&train[..], &[&format!("--method={method}")]].concat());
    }
    desk.good(&[&train[..], &["--name=broken", "--steps=50", "--seed=2"]].concat());
    let broken = desk
        .runs()
        .into_iter()
        .find(|run| text(run).ends_with("broken"));
    let broken = broken.unwrap();
    desk.good(&["train", "--resume", text(&broken), "--steps=0", "--quiet"]);
    desk.good(&["report", "runs"]);
    let page = fs::read_to_string(desk.path("report.html")).unwrap();
    let cells = |row: &str| -> Vec<String> {
        let cells = between(row, "<t", "</t")
            .into_iter()
            .filter(|cell| cell.contains("scope=") || cell.starts_with("d "));
        cells
            .map(|cell| cell.split('>').nth(1).unwrap().to_owned())
            .collect()
    };
    let rows: Vec<Vec<String>> = between(&page, "<tr>", "</tr>")
        .into_iter()
        .map(cells)
        .collect();
    let column = |name: &str| rows[0].iter().position(|title| title == name).unwrap();
    for (kind, title) in [
        ("time", "seconds"),
        ("flops", "training FLOPs"),
        ("bytes", "most bytes"),
    ] {
        let figure = between(&page, &format!("-{kind}\" role"), "</figure>")[0];
        let bars = bars(figure, &names);
        assert_eq!(bars.len(), names.len(), "{kind}: {bars:?}");
        // Short runs show too few digits of their seconds to determine a bar's length.
        let value = |(method, shown, _): &(String, String, i64)| match kind {
            "time" => mean_seconds(&desk, method),
            _ => number(shown),
        };
        let longest = bars.iter().max_by_key(|bar| bar.2).unwrap();
        let unit = longest.2 as f64 / value(longest);
        for bar in &bars {
            let (method, shown, length) = bar;
            let row = rows.iter().find(|row| row.contains(method)).unwrap();
            let cell = row[column(title)].split(" ± ").next().unwrap();
            assert_eq!(shown, cell, "{kind} of {method}");
            // Parts are drawn from pixel to pixel.
            let off = (*length as f64 - unit * value(bar)).abs();
            assert!(
                off < 8.0,
                "{kind} of {method}: {length} pixels for {cell}, {unit} a unit"
            );
        }
    }
}

#[test]
fn what_cannot_be_reported() {
    let desk = Desk::new();
    desk.bad(&["report"], 2, &["FILE.json"]);
    desk.bad(&["report", "nowhere"], 1, &["cannot open the run nowhere"]);
    fs::create_dir(desk.path("empty")).unwrap();
    desk.bad(
        &["report", "empty"],
        1,
        &["neither a run folder nor a folder of them"],
    );
    let write = |text: &str| fs::write(desk.path("bench.json"), text).unwrap();
    for (content, part) in [
        ("{", "no JSON"),
        ("{}", "not a benchmark"),
        ("[1]", "not a benchmark"),
        (
            "{\"adapter\": {}, \"schema\": 9}",
            "has schema 9, and this rootlet",
        ),
        ("{\"adapter\": {}, \"schema\": \"x\"}", "has schema \"x\""),
    ] {
        write(content);
        desk.bad(&["report", "bench.json"], 1, &["bench.json", part]);
    }
    let run = desk.small(&[]);
    desk.bad(
        &["report", text(&run), "-o", "none/page.html"],
        1,
        &["cannot write none/page.html"],
    );
    desk.bad(
        &["report", text(&run), "--png-scale=0"],
        2,
        &["--png-scale"],
    );
    fs::write(run.join("summary.json"), "{\"schema\": 7}").unwrap();
    // A damaged run does not hide the others: it is named and left out.
    let done = desk.good(&["report", text(&run)]);
    for part in ["note: ", "summary.json", "has schema 7", "left out"] {
        assert!(done.err.contains(part), "no {part} in {done:?}");
    }
}
