//! The WGSL text of a kernel whose bindings partly hold 16-bit numbers: its text for f32, with every load from these
//! bindings widened and every store rounded.
//!
//! `input[i]` becomes `load_bf16(input[i])`, and `output[i] = x;` becomes `output[i] = store_bf16(x);`. So a kernel is
//! written once, and its text for f32 stays as it is. Only arrays of vec4 can be packed, because an invocation then
//! stores whole words, which it shares with no other.

use super::wgsl::fault;
use crate::engine::{KernelInfo, Precision};
use crate::error::Result;

/// An array of vec4 in WGSL.
const VECTORS: &str = "array<vec4<f32>>";
/// The same numbers, two per word.
const PAIRS: &str = "array<vec2<u32>>";

/// The compound assignments that kernels use.
const COMPOUND: [&str; 4] = ["+=", "-=", "*=", "/="];

/// `text`, a kernel's text with its imports filled in, for bindings whose numbers are stored like this.
///
/// # Errors
/// A binding of 16-bit numbers is not an array of vec4.
pub(in crate::engine) fn packed(
    kernel: &KernelInfo,
    text: String,
    precisions: &[Precision],
) -> Result<String> {
    let bindings = kernel.bindings.iter().zip(precisions);
    let halves: Vec<(&str, Precision)> = bindings
        .filter(|(_, precision)| precision.is_half())
        .map(|(binding, precision)| (binding.name, *precision))
        .collect();
    if halves.is_empty() {
        return Ok(text);
    }
    let mut text = text;
    for (name, precision) in &halves {
        let declared = format!("> {name}: {VECTORS}");
        if text.matches(&declared).count() != 1 {
            return Err(fault(
                kernel,
                format!(
                    "binding `{name}` is no array of vec4, by which alone {precision} numbers can be stored: \
                     activations of this model must be f32"
                ),
            ));
        }
        text = text.replace(&declared, &format!("> {name}: {PAIRS}"));
    }
    let mut packed = rewrite(&text, &halves);
    for precision in [Precision::Bf16, Precision::F16] {
        if halves.iter().any(|(_, one)| *one == precision) {
            packed.push('\n');
            packed.push_str(library(precision));
        }
    }
    Ok(packed)
}

fn library(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "",
        Precision::Bf16 => shader!("lib/bf16"),
        Precision::F16 => shader!("lib/f16"),
    }
}

/// Widens loads and rounds stores of the elements of these arrays.
fn rewrite(text: &str, halves: &[(&str, Precision)]) -> String {
    let mut out = String::with_capacity(text.len() + 1024);
    let mut rest = text;
    let mut previous = ' ';
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            let (comment, after) = rest.split_at(rest.find('\n').unwrap_or(rest.len()));
            out.push_str(comment);
            rest = after;
            continue;
        }
        if !is_word(first) {
            out.push(first);
            previous = first;
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (word, after) = rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len()));
        let half = halves.iter().find(|(name, _)| *name == word);
        // A member of a struct may have a binding's name.
        match (
            half,
            after
                .strip_prefix('[')
                .and_then(|inside| until(inside, ']')),
        ) {
            (Some((_, precision)), Some((index, after))) if previous != '.' => {
                let element = format!("{word}[{}]", rewrite(index, halves));
                rest = access(&mut out, &element, *precision, after, halves);
            }
            _ => {
                out.push_str(word);
                rest = after;
            }
        }
        previous = 'x';
    }
    out
}

/// Writes a load from or a store to `element`, followed by `after`; returns the rest.
fn access<'a>(
    out: &mut String,
    element: &str,
    precision: Precision,
    after: &'a str,
    halves: &[(&str, Precision)],
) -> &'a str {
    let load = format!("load_{precision}({element})");
    let next = after.trim_start();
    let compound = COMPOUND.into_iter().find(|op| next.starts_with(op));
    let assigned = match compound {
        Some(op) => next.strip_prefix(op),
        None => next
            .strip_prefix('=')
            .filter(|value| !value.starts_with('=')),
    };
    let Some((value, after)) = assigned.and_then(|value| until(value, ';')) else {
        out.push_str(&load);
        return after;
    };
    let value = rewrite(value.trim(), halves);
    let stored = match compound {
        Some(op) => format!("{load} {} ({value})", &op[..1]),
        None => value,
    };
    out.push_str(&format!("{element} = store_{precision}({stored});"));
    after
}

/// The text before the next `end` outside of brackets, and the text after it.
fn until(text: &str, end: char) -> Option<(&str, &str)> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            c if c == end && depth == 0 => return Some((&text[..at], &text[at + 1..])),
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_widened_and_stores_rounded() {
        let halves = [("x", Precision::Bf16), ("y", Precision::F16)];
        for (text, expected) in [
            ("let a = x[i];", "let a = load_bf16(x[i]);"),
            (
                "y[i] = x[i] + z[i];",
                "y[i] = store_f16(load_bf16(x[i]) + z[i]);",
            ),
            ("y[i] += d;", "y[i] = store_f16(load_f16(y[i]) + (d));"),
            (
                "y[at(k[j], 2u)] = f(y[0], d);",
                "y[at(k[j], 2u)] = store_f16(f(load_f16(y[0]), d));",
            ),
            (
                "if x[i].x == y[j].w {",
                "if load_bf16(x[i]).x == load_f16(y[j]).w {",
            ),
            (
                "x [i]; p.x[i]; xx[i]; x_[i]; // x[i]",
                "x [i]; p.x[i]; xx[i]; x_[i]; // x[i]",
            ),
            ("x[u32(x[0].x)]", "load_bf16(x[u32(load_bf16(x[0]).x)])"),
        ] {
            assert_eq!(rewrite(text, &halves), expected);
        }
    }
}
