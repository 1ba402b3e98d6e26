//! Matrix Market's exchange format, coordinate matrices of real numbers:
//! <https://math.nist.gov/MatrixMarket/formats.html>.

use super::entries::Entries;
use super::parsing::{Fault, admit, shown, whole};

/// The kind of values that the entries have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Real,
    Integer,
    /// No values: all are ones.
    Pattern,
}

/// Which entries also stand for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symmetry {
    General,
    /// An entry off the diagonal also stands for its mirror image. The format only wants those below the diagonal. If a
    /// file has both, they are summed, as in SciPy.
    Symmetric,
    /// The mirror image has the other sign.
    Skew,
}

/// What to do with a matrix of complex numbers.
const REAL_PART: &str =
    "of complex numbers write the real part, with scipy.io.mmwrite(FILE, MATRIX.real)";

/// Reads the text of a file.
pub(super) fn parse(text: &str) -> Result<Entries, Fault> {
    let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    let (field, symmetry) = header(first_line(text))?;
    lines.next();
    // Comments are only allowed before the sizes, and blank lines anywhere.
    let mut lines =
        lines.filter(|(_, line)| !line.trim_start().starts_with('%') && !line.trim().is_empty());
    let (at, sizes) = lines
        .next()
        .ok_or_else(|| Fault::new(text.lines().count().max(1), "ends before the line of sizes"))?;
    let mut words = sizes.split_ascii_whitespace();
    let rows: usize = whole(words.next(), at, "the number of rows")?;
    let cols: usize = whole(words.next(), at, "the number of columns")?;
    let count: usize = whole(words.next(), at, "the number of entries")?;
    nothing_more(words, at)?;
    admit(rows, cols, at)?;
    if symmetry != Symmetry::General && rows != cols {
        let reason = format!("a symmetric matrix is square, and this one is {rows} × {cols}");
        return Err(Fault::new(at, reason));
    }
    // Not as many as the file announces, since it could announce anything. An entry has at least four bytes.
    let mut entries = Vec::with_capacity(count.min(text.len() / 4));
    let (mut found, mut last) = (0, at);
    for (at, line) in lines {
        if found == count {
            let reason = format!("more than the {count} entries that the file promises");
            return Err(Fault::new(at, reason));
        }
        let (row, col, value) = entry(line, at, (rows, cols), field)?;
        entries.push((row, col, value));
        match symmetry {
            Symmetry::General => {}
            Symmetry::Skew if row == col && value != 0.0 => {
                let reason =
                    "an entry on the diagonal, which is zero in a skew-symmetric matrix; remove it";
                return Err(Fault::new(at, reason));
            }
            _ if row == col => {}
            Symmetry::Symmetric => entries.push((col, row, value)),
            Symmetry::Skew => entries.push((col, row, -value)),
        }
        (found, last) = (found + 1, at);
    }
    if found < count {
        let reason = format!("the file ends after {found} of {count} entries");
        return Err(Fault::new(last, reason));
    }
    Ok(Entries {
        rows,
        cols,
        entries,
    })
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

/// The last line that has an entry for this pair, in a file that [`parse`] accepted.
pub(super) fn line_of(text: &str, (row, col): (u32, u32)) -> usize {
    let mirrored = header(first_line(text)).is_ok_and(|h| h.1 != Symmetry::General);
    let names_it = |line: &str| {
        let mut words = line.split_ascii_whitespace().map(str::parse::<u32>);
        let (Some(Ok(a)), Some(Ok(b))) = (words.next(), words.next()) else {
            return false;
        };
        (a, b) == (row + 1, col + 1) || mirrored && (b, a) == (row + 1, col + 1)
    };
    let lines = text.lines().enumerate();
    let named = lines.filter(|(_, line)| names_it(line));
    named.last().map_or(1, |(i, _)| i + 1)
}

fn header(line: &str) -> Result<(Field, Symmetry), Fault> {
    let fault = |reason: &str| Fault::new(1, reason);
    let lower = line.to_ascii_lowercase();
    let words: Vec<&str> = lower.split_ascii_whitespace().collect();
    // Whatever follows has no meaning, and some programs write only one %: SciPy reads both.
    let [
        "%%matrixmarket" | "%matrixmarket",
        object,
        format,
        field,
        symmetry,
        ..,
    ] = words[..]
    else {
        return Err(fault(
            "is not \"%%MatrixMarket matrix coordinate FIELD SYMMETRY\", with which such a file begins",
        ));
    };
    if (object, format) != ("matrix", "coordinate") {
        return Err(fault(
            "only sparse matrices can be measured (\"matrix coordinate\"), not dense arrays or vectors; write it as \
             one, with scipy.io.mmwrite(FILE, scipy.sparse.coo_array(MATRIX))",
        ));
    }
    let field = match field {
        "real" | "double" => Field::Real,
        "integer" | "unsigned-integer" => Field::Integer,
        "pattern" => Field::Pattern,
        _ => {
            let reason = format!(
                "entries are real, integer or pattern, not {}; {REAL_PART}",
                shown(field)
            );
            return Err(fault(&reason));
        }
    };
    let symmetry = match symmetry {
        "general" => Symmetry::General,
        "symmetric" => Symmetry::Symmetric,
        "skew-symmetric" if field == Field::Pattern => {
            return Err(fault("a pattern has no signs and cannot be skew-symmetric"));
        }
        "skew-symmetric" => Symmetry::Skew,
        _ => {
            let reason = format!(
                "a matrix is general, symmetric or skew-symmetric, not {}; {REAL_PART}",
                shown(symmetry)
            );
            return Err(fault(&reason));
        }
    };
    Ok((field, symmetry))
}

/// Row and column, counted from 0, and value.
fn entry(
    line: &str,
    at: usize,
    (rows, cols): (usize, usize),
    field: Field,
) -> Result<(u32, u32, f64), Fault> {
    let mut words = line.split_ascii_whitespace();
    let mut index = |what: &str, size: usize| -> Result<u32, Fault> {
        let index: usize = whole(words.next(), at, what)?;
        match index {
            1.. if index <= size => Ok((index - 1) as u32),
            _ => Err(Fault::new(
                at,
                format!("{what} is {index}, outside 1 to {size}"),
            )),
        }
    };
    let (row, col) = (index("the row", rows)?, index("the column", cols)?);
    let value = match field {
        Field::Pattern => 1.0,
        Field::Integer => whole::<i64>(words.next(), at, "the value")? as f64,
        Field::Real => whole::<f64>(words.next(), at, "the value")?,
    };
    nothing_more(words, at)?;
    if !(value as f32).is_finite() {
        let reason = format!("the value {value} is no finite 32-bit number");
        return Err(Fault::new(at, reason));
    }
    Ok((row, col, value))
}

fn nothing_more<'a>(mut words: impl Iterator<Item = &'a str>, at: usize) -> Result<(), Fault> {
    match words.next() {
        None => Ok(()),
        Some(word) => Err(Fault::new(
            at,
            format!("\"{}\" is one word too many", shown(word)),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(u32, u32, f64)> {
        parse(text).unwrap().entries
    }

    #[test]
    fn all_kinds_are_read() {
        let general = "%%MatrixMarket matrix coordinate real general\n% a comment\n\n\
                       2 3 3\n1 3 -.5\n\n2 1 2e1\n1 3 0.25\n";
        assert_eq!(entries(general), [(0, 2, -0.5), (1, 0, 20.0), (0, 2, 0.25)]);
        let pattern =
            "%%matrixmarket MATRIX Coordinate Pattern Symmetric\r\n3 3 2\r\n2 1\r\n3 3\r\n";
        assert_eq!(entries(pattern), [(1, 0, 1.0), (0, 1, 1.0), (2, 2, 1.0)]);
        let skew = "%%MatrixMarket matrix coordinate integer skew-symmetric\n2 2 1\n2 1 -7";
        assert_eq!(entries(skew), [(1, 0, -7.0), (0, 1, 7.0)]);
        let none = "%%MatrixMarket matrix coordinate real general\n2 3 0\n";
        assert_eq!(entries(none), []);
    }

    /// What the format does not allow, but SciPy reads.
    #[test]
    fn variants_are_read_as_scipy_reads_them() {
        let one_percent = "%MatrixMarket matrix coordinate pattern symmetric\n4 4 2\n2 1\n4 3\n";
        let expected = [(1, 0, 1.0), (0, 1, 1.0), (3, 2, 1.0), (2, 3, 1.0)];
        assert_eq!(entries(one_percent), expected);
        let upper =
            "%%MatrixMarket matrix coordinate real symmetric\n3 3 3\n1 2 1.5\n1 1 2.5\n3 1 -2\n";
        let expected = [
            (0, 1, 1.5),
            (1, 0, 1.5),
            (0, 0, 2.5),
            (2, 0, -2.0),
            (0, 2, -2.0),
        ];
        assert_eq!(entries(upper), expected);
        let both = "%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 2 1.5\n2 1 1.5\n";
        let expected = [(0, 1, 1.5), (1, 0, 1.5), (1, 0, 1.5), (0, 1, 1.5)];
        assert_eq!(entries(both), expected);
        let zero = "%%MatrixMarket matrix coordinate real skew-symmetric\n3 3 2\n1 1 0\n2 1 1.5\n";
        assert_eq!(entries(zero), [(0, 0, 0.0), (1, 0, 1.5), (0, 1, -1.5)]);
        let words = "%%MatrixMarket matrix coordinate unsigned-integer general rows columns\n3 3 1\n1 2 1\n";
        assert_eq!(entries(words), [(0, 1, 1.0)]);
    }

    #[test]
    fn the_line_of_a_pair_is_found_again() {
        let general =
            "%%MatrixMarket matrix coordinate real general\n% 1 2 x\n3 3 3\n1 2 1\n1 2 1\n2 1 1\n";
        assert_eq!(line_of(general, (0, 1)), 5);
        assert_eq!(line_of(&general.replace("general", "symmetric"), (0, 1)), 6);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let says = |text: &str, line: usize, reason: &str| {
            let fault = parse(text).err().unwrap();
            assert_eq!(fault.line, line, "{fault:?}");
            assert!(fault.reason.contains(reason), "{fault:?}");
        };
        says("", 1, "is not \"%%MatrixMarket");
        says("3 3 1\n1 1 1\n", 1, "is not \"%%MatrixMarket");
        let header = |rest: &str| format!("%%MatrixMarket matrix {rest}\n");
        says(&header("array real general"), 1, "not dense arrays");
        says(
            &header("coordinate complex general"),
            1,
            "not complex; of complex numbers write",
        );
        says(
            &header("coordinate real hermitian"),
            1,
            "not hermitian; of complex",
        );
        says(&header("coordinate pattern skew-symmetric"), 1, "no signs");
        says(
            &header("coordinate real general"),
            1,
            "before the line of sizes",
        );
        let real = |rest: &str| format!("{}% c\n{rest}", header("coordinate real general"));
        says(&real("3 3\n"), 3, "the number of entries is missing");
        says(&real("3 x 1\n"), 3, "the number of columns is \"x\"");
        says(&real("3 3 1 1\n"), 3, "one word too many");
        says(&real("0 3 1\n"), 3, "has no entries");
        says(&real("4294967295 3 1\n"), 3, "too large");
        says(
            &real("3 3 99999999999999999999\n"),
            3,
            "no number that fits",
        );
        says(&real("3 3 1\n0 1 1.0\n"), 4, "the row is 0, outside 1 to 3");
        says(
            &real("3 3 1\n1 4 1.0\n"),
            4,
            "the column is 4, outside 1 to 3",
        );
        says(&real("3 3 1\n1 -1 1.0\n"), 4, "the column is \"-1\"");
        says(&real("3 3 1\n1 1\n"), 4, "the value is missing");
        says(&real("3 3 1\n1 1 1.0 2.0\n"), 4, "one word too many");
        says(&real("3 3 1\n1 1 nan\n"), 4, "no finite");
        says(&real("3 3 1\n1 1 1e39\n"), 4, "no finite");
        says(&real("3 3 2\n\n1 1 1.0\n"), 5, "after 1 of 2 entries");
        says(
            &real("3 3 1\n1 1 1.0\n2 2 1.0\n"),
            5,
            "more than the 1 entries",
        );
        let symmetric = header("coordinate real symmetric");
        says(&format!("{symmetric}2 3 0\n"), 2, "is square");
        let skew = header("coordinate real skew-symmetric");
        says(&format!("{skew}2 2 1\n2 2 1.0\n"), 3, "on the diagonal");
        let integer = header("coordinate integer general");
        says(
            &format!("{integer}2 2 1\n2 2 1.5\n"),
            3,
            "the value is \"1.5\"",
        );
    }
}
