//! How the library speaks of options: it names them as in its structs, and leaves it to the program to call them flags.

use std::path::Path;

use crate::imports;

/// The places of a file's text, without comments and tests, where an option is written as a flag. A whole command of
/// the program, such as `rootlet train --resume`, is allowed: it belongs to a shell.
fn flags(text: &str) -> Vec<&str> {
    let code = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let found = |line: &&str| {
        let mut rest = *line;
        while let Some(at) = rest.find("--") {
            let before = &line[..line.len() - rest.len() + at];
            rest = &rest[at + 2..];
            let is_word = rest.starts_with(|c: char| c.is_ascii_lowercase());
            let within = before.ends_with(|c: char| c.is_alphanumeric() || c == '-');
            if is_word && !within && !before.contains("rootlet ") {
                return true;
            }
        }
        false
    };
    lines.filter(found).collect()
}

#[test]
fn the_library_calls_no_option_a_flag() {
    // The custom properties of a style sheet look the same.
    const STYLES: &str = "src/report/page/html.rs";
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    imports::collect(&src, &mut files);
    files.retain(|file| !file.starts_with(src.join("cli")) && !file.ends_with(STYLES));
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = flags(&text).into_iter().map(str::trim);
        found.extend(lines.map(|line| format!("{}: {line}", file.display())));
    }
    assert!(
        found.is_empty(),
        "write options by src/error/option.rs:\n{}",
        found.join("\n")
    );
}

#[test]
fn a_flag_is_found() {
    let text = "\
        // --batch\n\
        a(\"more than --batch\")\n\
        b(\"go on with rootlet train --resume {}\")\n\
        c(\"(--lr)\")\n\
        d(\"a--b --- c\")\n\
        #[cfg(test)]\nmod tests { \"--x\" }";
    assert_eq!(flags(text), ["a(\"more than --batch\")", "c(\"(--lr)\")"]);
}
