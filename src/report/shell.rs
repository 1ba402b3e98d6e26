//! Command lines as a shell takes them.

use std::path::Path;

/// This process's command line, as a shell takes it, with its own name reduced to the file's.
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

/// A word quoted for a shell.
pub(in crate::report) fn quoted(word: &str) -> String {
    // A word with a NUL cannot be typed, and the operating system cannot pass one either.
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), |word| word.into_owned())
}
