//! Checks what README and the pages in `docs` say about the command against its own help.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::Desk;

/// Flags in a text, such as `--data-dir`.
fn flags(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("--") {
        let before = text[..at].chars().next_back();
        let rest = &text[at + 2..];
        let name: String = (rest.chars())
            .take_while(|c| c.is_ascii_lowercase() || *c == '-' || c.is_ascii_digit())
            .collect();
        let begins = before.is_none_or(|c| !c.is_alphanumeric() && c != '-');
        if begins && name.starts_with(|c: char| c.is_ascii_lowercase()) {
            found.insert(name.trim_end_matches('-').to_owned());
        }
    }
    found
}

/// The names under "Commands:" in a help.
fn subcommands(help: &str) -> Vec<String> {
    let list = help.split("Commands:\n").nth(1).unwrap_or_default();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Subcommands with the flags in their help, including those of their own subcommands.
fn commands(desk: &Desk) -> BTreeMap<String, BTreeSet<String>> {
    let names = subcommands(&desk.good(&["-h"]).out);
    let of = |name: String| {
        let help = desk.good(&[&name, "-h"]).out;
        let inner = subcommands(&help);
        let inner = inner
            .iter()
            .map(|inner| desk.good(&[&name, inner, "-h"]).out);
        let found = inner
            .chain([help.clone()])
            .flat_map(|help| flags(&help))
            .collect();
        (name, found)
    };
    names.into_iter().map(of).collect()
}

/// The command lines in a page's blocks of code, without their comments.
fn typed(page: &str) -> Vec<String> {
    let blocks = page.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(|block| {
        let joined = block.replace("\\\n", " ");
        let lines = joined
            .lines()
            .map(|line| line.split(" # ").next().unwrap().to_owned());
        lines.collect::<Vec<_>>()
    });
    lines.filter(|line| line.starts_with("rootlet ")).collect()
}

#[test]
fn the_pages_name_flags_and_commands_that_exist() {
    let desk = Desk::new();
    let commands = commands(&desk);
    assert!(commands["train"].contains("print-config"), "{commands:?}");
    let all: BTreeSet<&String> = commands.values().flatten().collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = root.join("README.md");
    for line in fs::read_to_string(&readme).unwrap().lines() {
        let unknown = flags(line).into_iter().find(|flag| !all.contains(flag));
        // Cargo's flags do not count.
        assert!(
            unknown.is_none() || line.contains("cargo "),
            "--{unknown:?}: {line}"
        );
    }
    let mut pages = vec![readme];
    let folders = ["docs", "docs/guide"].map(|folder| fs::read_dir(root.join(folder)).unwrap());
    for entry in folders.into_iter().flatten() {
        let path = entry.unwrap().path();
        pages.extend(path.extension().is_some_and(|e| e == "md").then_some(path));
    }
    let mut count = 0;
    for page in pages {
        for line in typed(&fs::read_to_string(&page).unwrap()) {
            let name = line.split_whitespace().nth(1).unwrap();
            let known = commands.get(name);
            let known = known.unwrap_or_else(|| panic!("{}: no command {name}", page.display()));
            let unknown = flags(&line).into_iter().find(|flag| !known.contains(flag));
            assert_eq!(unknown, None, "{}: {line}", page.display());
            count += 1;
        }
    }
    assert!(count >= 10, "{count} command lines were found");
}

/// README's table of options includes all flags of the training.
#[test]
fn the_table_of_options_is_complete() {
    let desk = Desk::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let named = flags(&readme);
    let missing: Vec<String> = flags(&desk.good(&["train", "--help"]).out)
        .into_iter()
        .filter(|flag| !named.contains(flag) && flag != "help")
        .collect();
    assert_eq!(missing, [""; 0], "README does not name them");
}
