//! The report in a real browser, headless Chromium: it renders without messages on the console, and every figure has
//! content that is really laid out, on a phone and on a desktop, for light and dark readers.
#![allow(clippy::unwrap_used)]

#[path = "common/browser.rs"]
mod browser;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::AtomicBool;

use rootlet::report::sweep::{self, Sweep};
use rootlet::report::{BenchFile, Page, RecordOptions, RunFolder, RunRecord, Style, Tables};
use rootlet::train::SaveEvery;
use rootlet::train::event::{Event, Observer, Phase};
use serde_json::Value;

/// Two methods with two seeds, really trained, with global scope, so that layers change their number of connections.
const SWEEP: &str = "
methods = [\"set\", \"gse-grabo\"]
sparsities = [0.9, 0.95]
seeds = [1, 2]
[base]
epochs = 2
round_every = 10
hidden = [64]
limit = 640
scope = \"global\"
adapter = \"cpu\"
threads = 2
";

const BENCH: &str = r#"{
  "schema": 2, "code": {"name": "rootlet", "version": "0.1.0"},
  "adapter": {"name": "An adapter", "backend": "Vulkan", "driver": "1"},
  "kernels": [
    {"kernel": "spmm", "n": 1024, "batch": 128, "sparsity": 0.9, "seconds": 1e-3, "gflop_s": 26.8},
    {"kernel": "spmm", "n": 4096, "batch": 128, "sparsity": 0.9, "seconds": 2e-2, "gflop_s": 21.4}
  ],
  "steps": [{"model": "3072-1024-1024-10", "sparsity": 0.98, "batch": 128, "seconds": 3e-3, "round_seconds": 5e-3}],
  "scaling": [{"n": 1024, "step_seconds": 1e-3, "round_seconds": 2e-3, "resident_bytes": 1000000},
              {"n": 4096, "step_seconds": 4e-3, "round_seconds": 9e-3, "resident_bytes": 4000000}]
}"#;

fn browse(folder: &Path, arguments: &[&str]) -> Output {
    let output = browser::command(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// Lines that pages wrote on the console.
fn console(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines()
        .filter(|line| line.contains("CONSOLE"))
        .map(str::to_owned)
        .collect()
}

fn address(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// Measures the page from outside, in a frame of a given width: the page itself has no script.
fn measured(folder: &Path, page: &Path, width: u32, dark: bool) -> Value {
    let text = fs::read_to_string(page).unwrap();
    let text = serde_json::to_string(&text).unwrap().replace("</", "<\\/");
    let frame = format!(
        r#"<!DOCTYPE html><meta charset="utf-8"><iframe style="width:{width}px;height:900px;border:0"></iframe><pre></pre><script>
const frame = document.querySelector('iframe');
frame.onload = () => {{
  const page = frame.contentDocument;
  const style = (e, p) => frame.contentWindow.getComputedStyle(e)[p];
  const marks = 'polyline,polygon,circle,rect,line';
  const figures = [...page.querySelectorAll('figure')].map(f => {{
    const svg = f.querySelector('svg'), box = svg.getBoundingClientRect(), inner = svg.getBBox();
    const coloured = [...svg.querySelectorAll(marks)].filter(m => {{
      const size = m.getBBox(), colour = (style(m, 'stroke') + ' ' + style(m, 'fill')).match(/\d+/g) || [];
      let grey = true;
      for (let i = 0; i + 2 < colour.length; i += 3) grey &&= colour[i] == colour[i + 1] && colour[i] == colour[i + 2];
      return size.width + size.height > 4 && !grey;
    }});
    const texts = [...svg.querySelectorAll('text')];
    return {{
      id: f.dataset.figure, width: box.width, height: box.height, inside: inner.x >= -2 && inner.y >= -2
        && inner.x + inner.width <= svg.viewBox.baseVal.width + 2 && inner.y + inner.height <= svg.viewBox.baseVal.height + 2,
      marks: coloured.length, texts: texts.map(t => t.textContent.trim()),
      letters: Math.min(...texts.map(t => parseFloat(style(t, 'fontSize')) * box.width / svg.viewBox.baseVal.width)),
      ink: style(texts[0], 'fill'),
    }};
  }});
  document.querySelector('pre').textContent = JSON.stringify({{
    figures, page: page.documentElement.scrollWidth, frame: frame.contentWindow.innerWidth,
    paper: style(page.body, 'backgroundColor'), tables: page.querySelectorAll('.scroll table').length,
    phases: page.querySelectorAll('phase').length,
  }});
}};
frame.srcdoc = {text};
</script>"#
    );
    let harness = folder.join("harness.html");
    fs::write(&harness, frame).unwrap();
    // Blink's PreferredColorScheme: 0 is dark, 1 is light.
    let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(!dark));
    let arguments = [
        &scheme,
        "--virtual-time-budget=5000",
        "--dump-dom",
        &address(&harness),
    ];
    let output = browse(folder, &arguments);
    assert_eq!(console(&output), Vec::<String>::new());
    let dom = String::from_utf8(output.stdout).unwrap();
    let start = dom.find("<pre>").unwrap() + 5;
    let end = dom[start..].find("</pre>").unwrap() + start;
    let json = dom[start..end]
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e}: {json}"))
}

/// The real runs of the sweep. Whatever this machine's trainer may not report is made up, so that every figure is
/// drawn.
fn records(folder: &Path) -> Vec<RunRecord> {
    let file = folder.join("sweep.toml");
    fs::write(&file, SWEEP).unwrap();
    let sweep = Sweep::load(&file, None).unwrap();
    let runs = folder.join("runs");
    let options = RecordOptions {
        style: Style::Quiet,
        save_every: SaveEvery::Epochs(1),
        verify: false,
        tensorboard: false,
        command: "rootlet sweep 'a <b> & c.toml'".to_owned(),
        ranks: None,
    };
    let never = AtomicBool::new(false);
    let outcome = sweep::run(&sweep, &runs, &options, &never, &mut |_| {}).unwrap();
    assert!(outcome.failed.is_empty() && !outcome.interrupted);
    for run in &sweep.runs {
        let run = RunFolder::open(&run.folder(&runs)).unwrap();
        let mut summary = run.summary().unwrap().unwrap();
        let finished = summary.finished.as_mut().unwrap();
        if finished.phases.is_empty() {
            finished.phases = ["forward", "backward", "optimiser", "round", "data"]
                .iter()
                .zip(1..)
                .map(|(name, n)| Phase {
                    name: (*name).to_owned(),
                    seconds: 0.1 * f64::from(n),
                    flops: 1e9 * f64::from(n),
                    ..Phase::default()
                })
                .collect();
            run.write_summary(&summary).unwrap();
        }
        let mut rounds = run.rounds().unwrap();
        assert!(rounds.len() >= 2, "{}", run.path().display());
        let epochs = run.epochs().unwrap();
        let mut tables = Tables::create(&run).unwrap();
        for (round, n) in rounds.iter_mut().zip(1..) {
            for layer in &mut round.layers {
                layer.ever_active.get_or_insert(0.1 + 0.01 * f64::from(n));
                layer.rank_correlation.get_or_insert(0.5 / f64::from(n));
                layer.dead_inputs.get_or_insert(n as u64);
            }
            tables.event(&Event::Round(round.clone())).unwrap();
        }
        for epoch in epochs {
            tables.event(&Event::Epoch(epoch)).unwrap();
        }
    }
    sweep::records(&sweep, &runs, &mut |_| {}).unwrap()
}

/// The page of real runs and of a benchmark.
fn page(folder: &Path) -> (PathBuf, usize) {
    let bench = folder.join("bench.json");
    fs::write(&bench, BENCH).unwrap();
    let page = Page::new(&records(folder), &[BenchFile::read(&bench).unwrap()], &[]).unwrap();
    let path = folder.join("report.html");
    fs::write(&path, page.html().unwrap()).unwrap();
    (path, page.figures().count())
}

#[test]
fn the_report_renders_for_every_reader() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (page, count) = page(folder);
    for (width, dark) in [(1280, false), (1280, true), (390, false), (390, true)] {
        let found = measured(folder, &page, width, dark);
        let what = format!("{width} pixels, dark: {dark}");
        assert_eq!(found["frame"], width, "{what}");
        assert_eq!(
            found["page"], width,
            "{what}: the page is wider than the screen"
        );
        let paper = if dark {
            "rgb(20, 23, 26)"
        } else {
            "rgb(255, 255, 255)"
        };
        assert_eq!(found["paper"], paper, "{what}");
        let figures = found["figures"].as_array().unwrap();
        assert_eq!(figures.len(), count, "{what}");
        let mut ids: Vec<&str> = figures.iter().map(|f| f["id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{what}: two figures of one name");
        for figure in figures {
            let what = format!("{what}: {figure}");
            assert!(figure["width"].as_f64().unwrap() > 300.0, "{what}");
            assert!(figure["height"].as_f64().unwrap() > 80.0, "{what}");
            assert!(
                figure["marks"].as_u64().unwrap() >= 1,
                "nothing is drawn: {what}"
            );
            assert_eq!(figure["inside"], true, "drawn over the edge: {what}");
            assert!(
                figure["letters"].as_f64().unwrap() > 7.5,
                "too small to read: {what}"
            );
            let ink = if dark {
                "rgb(228, 230, 232)"
            } else {
                "rgb(34, 34, 34)"
            };
            assert_eq!(figure["ink"], ink, "{what}");
            // A title, labels of two axes, and at least two ticks.
            assert!(figure["texts"].as_array().unwrap().len() >= 5, "{what}");
        }
    }
    let ids = fs::read_to_string(&page).unwrap();
    for part in [
        "test-accuracy",
        "train-loss",
        "turnover",
        "ever-active",
        "rank-correlation",
        "dead-units",
        "compression-by-layer",
        "sparsity-over-time",
        "-time\"",
        "-flops\"",
        "-bytes\"",
        "accuracy-by-density",
        "bench-spmm",
        "bench-steps",
        "bench-scaling-step_seconds",
    ] {
        assert!(ids.contains(part), "no figure {part}");
    }
}

/// Alone in its own window: the page's own console, and pictures for viewing in `ROOTLET_PICTURES` if that is set.
#[test]
fn the_report_is_silent_on_the_console() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (page, count) = page(folder);
    let output = browse(folder, &["--dump-dom", &address(&page)]);
    assert_eq!(console(&output), Vec::<String>::new());
    let dom = String::from_utf8(output.stdout).unwrap();
    assert_eq!(dom.matches("<figure").count(), count);
    let Some(pictures) = std::env::var_os("ROOTLET_PICTURES") else {
        return;
    };
    let pictures = PathBuf::from(pictures);
    fs::create_dir_all(&pictures).unwrap();
    fs::copy(&page, pictures.join("report.html")).unwrap();
    for (name, size, dark) in [
        ("desk", "1280,3000", false),
        ("desk-dark", "1280,3000", true),
        ("phone", "500,3000", false),
    ] {
        let picture = format!(
            "--screenshot={}",
            pictures.join(format!("{name}.png")).display()
        );
        let size = format!("--window-size={size}");
        let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(!dark));
        browse(folder, &[&picture, &size, &scheme, &address(&page)]);
    }
}
