//! Command lines as a shell takes them.

use std::path::Path;

/// This process's command line, as a shell takes it; its own name without the folder.
pub fn command_line() -> String {
    let words: Vec<String> = std::env::args_os()
        .enumerate()
        .map(|(index, word)| {
            let word = match index {
                0 => Path::new(&word)
                    .file_name()
                    .map_or(word.clone(), Into::into),
                _ => word,
            };
            quoted(&word.to_string_lossy())
        })
        .collect();
    words.join(" ")
}

/// A word as a shell takes it.
pub(in crate::report) fn quoted(word: &str) -> String {
    // A word with a NUL cannot be typed, nor can the operating system hand one over.
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), |word| word.into_owned())
}
