//! The fuzzers' entry to the files of a run.

use super::page::Page;
use super::watch::RunView;

/// For the fuzzer: the files of a run folder in order, separated by lines of five equals signs.
pub(crate) fn run_folder(bytes: &[u8]) {
    const NAMES: [&str; 5] = [
        "config.toml",
        "summary.json",
        "progress.json",
        "metrics.csv",
        "topology.csv",
    ];
    const BETWEEN: &[u8] = b"\n=====\n";
    let folder = std::env::temp_dir().join(format!("rootlet-fuzz-{}", std::process::id()));
    if std::fs::create_dir_all(&folder).is_err() {
        return;
    }
    let mut rest = bytes;
    for name in NAMES {
        let end = rest
            .windows(BETWEEN.len())
            .position(|window| window == BETWEEN);
        let content = &rest[..end.unwrap_or(rest.len())];
        rest = end.map_or(&[], |end| &rest[end + BETWEEN.len()..]);
        let path = folder.join(name);
        let _ = match content {
            // Some files need not exist.
            [] => std::fs::remove_file(path),
            _ => std::fs::write(path, content),
        };
    }
    if let Ok(view) = RunView::read(&folder) {
        let _ = view.text(&[]);
        // An error, such as that of a model that cannot take these images, is a valid answer.
        let _ = Page::new(&[view.record], &[], &[]).and_then(|page| page.html());
    }
}
