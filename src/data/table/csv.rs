//! CSV files: a line of names, then rows of numbers and texts.
//!
//! Cells are parsed as they are read, into 32 bits each. A column holds numbers until a text is met in it; then the
//! file is read once more, with that column holding texts, whose cells are the numbers of its categories.

mod blocks;
mod pass;

use std::collections::BTreeSet;

use ::csv::{ReaderBuilder, Trim};

use self::blocks::Blocks;
use self::pass::{Form, Pass, Passed};
use super::Watch;
use super::bytes::Bytes;
use super::cells::Table;
use super::how::How;

/// Number of pieces in a block, for each thread.
const PIECES: usize = 4;

/// Reads a table. The text of an error is a reason that fits after the file's name.
pub(super) fn read(bytes: &Bytes, how: How<'_>, watch: Watch<'_>) -> Result<Table, String> {
    const MOST: u64 = 1 << 20;
    let delimiter = delimiter(&bytes.start(MOST)?);
    let pieces = PIECES * rayon::current_num_threads();
    let start = || -> Result<(Blocks, Vec<u8>), String> {
        let mut blocks = Blocks::new(
            bytes.reader(0, u64::MAX),
            delimiter,
            pieces,
            how.keeps_faults,
        );
        let first = blocks.first_row()?;
        Ok((blocks, first))
    };
    let first = start()?.1;
    let names = names(&first, delimiter)?;
    let kept: Vec<usize> = (0..names.len())
        .filter(|&column| !how.ignore.contains(&names[column]))
        .collect();
    let form = Form {
        delimiter,
        names: &names,
        kept: &kept,
        breaks: first.iter().filter(|&&byte| byte == b'\n').count() as u64,
        stream: how.stream,
        keeps_faults: how.keeps_faults,
    };
    let of_text = |&column: &usize| how.texts.contains(&names[column]);
    let mut of_text: BTreeSet<usize> = kept.iter().copied().filter(of_text).collect();
    // Each round adds a column of texts.
    loop {
        let (blocks, first) = start()?;
        let pass = Pass::new(&form, &of_text)?;
        match pass.run(blocks, first.len() as u64, bytes.length(), watch)? {
            Passed::Whole(mut table) => {
                let left_out = names.iter().filter(|name| how.ignore.contains(name));
                table.left_out = left_out.cloned().collect();
                return Ok(*table);
            }
            Passed::Texts(more) => of_text.extend(more),
        }
    }
}

/// The separator of cells: whichever of comma, semicolon, tab and bar occurs most often in the first line.
fn delimiter(head: &[u8]) -> u8 {
    let (mut quoted, mut counts) = (false, [0usize; 4]);
    const KNOWN: [u8; 4] = [b',', b';', b'\t', b'|'];
    for &byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if !quoted => {
                if let Some(at) = KNOWN.iter().position(|&known| known == byte) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
    }
    let most = (0..KNOWN.len()).rev().max_by_key(|&at| counts[at]);
    KNOWN[most.unwrap_or(0)]
}

/// The names of the columns.
fn names(first: &[u8], delimiter: u8) -> Result<Vec<String>, String> {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(delimiter).trim(Trim::Headers);
    let mut reader = builder.from_reader(first);
    if first.contains(&0) {
        return Err("its header has a byte 0, which no text has; is it the right file?".to_owned());
    }
    let header = reader
        .byte_headers()
        .map_err(|error| format!("its header cannot be read ({error})"))?;
    let mut names = Vec::with_capacity(header.len());
    for (column, name) in header.iter().enumerate() {
        let name = std::str::from_utf8(name)
            .map_err(|_| "its first line is no text in UTF-8; is it the right file?".to_owned())?;
        names.push(match name.is_empty() {
            true => format!("column {}", column + 1),
            false => name.to_owned(),
        });
    }
    let numbers = names.iter().filter(|name| name.parse::<f64>().is_ok());
    if names.is_empty() || 2 * numbers.count() > names.len() {
        return Err(
            "its first line is no header: put a line with the names of the columns before the rows"
                .to_owned(),
        );
    }
    let mut known = BTreeSet::new();
    match names.iter().find(|name| !known.insert(*name)) {
        Some(twice) => Err(format!("it has two columns `{twice}`; rename one")),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use ::csv::ByteRecord;

    use super::super::cell::MOST_CATEGORIES;
    use super::super::cells::{MISSING, Row};
    use super::super::stored::Stream;
    use super::*;

    /// The table of a text, which is the same in memory and in a file.
    fn table(text: &str) -> Result<Table, String> {
        let ignore = ["id".to_owned()];
        let how = How {
            ignore: &ignore,
            ..How::default()
        };
        let bytes = Bytes::memory(text.as_bytes().to_vec());
        let in_memory = read(&bytes, how, &|_, _| ())?;
        let stored = read(
            &bytes,
            How {
                stream: Stream::Always,
                ..how
            },
            &|_, _| (),
        )?;
        assert!(stored.is_stored() && !in_memory.is_stored());
        assert_eq!(
            (words(&in_memory), &in_memory.columns),
            (words(&stored), &stored.columns)
        );
        Ok(in_memory)
    }

    fn words(table: &Table) -> Vec<u32> {
        let mut words = Vec::new();
        let width = table.columns.len();
        let see = |_: u32, row: Row<'_>| words.extend((0..width).map(|column| row.word(column)));
        table.each(0..table.rows as u32, see).unwrap();
        words
    }

    #[test]
    fn numbers_and_texts_are_found_out() {
        let text = "a;id;city;b\n1.5;x;Rome;1\n-2e3;y;\"A; b\";?\n;z;Rome;3,5\n";
        let table = table(text).unwrap();
        let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["a", "city", "b"]);
        assert_eq!(table.left_out, ["id"]);
        assert_eq!(table.columns[0].categories, None);
        let cities = table.columns[1].categories.as_deref().unwrap();
        assert_eq!(cities, ["A; b", "Rome"]);
        // A text in the last row makes the whole column one of texts, including its numbers.
        assert_eq!(
            table.columns[2].categories.as_deref().unwrap(),
            ["1", "3,5"]
        );
        let [a, b] = [1.5f32, -2e3].map(f32::to_bits);
        assert_eq!(words(&table), [a, 1, 0, b, 0, MISSING, MISSING, 1, 1]);
    }

    /// The table whose rows that cannot be used are kept, with the texts of `city`.
    fn kept(text: &str) -> Result<Table, String> {
        let texts = ["city".to_owned()];
        let bytes = Bytes::memory(text.as_bytes().to_vec());
        let [in_memory, stored] = [Stream::Auto, Stream::Always].map(|stream| {
            let how = How {
                texts: &texts,
                stream,
                keeps_faults: true,
                ..How::default()
            };
            read(&bytes, how, &|_, _| ())
        });
        let (in_memory, stored) = (in_memory?, stored?);
        assert!(stored.is_stored() && !in_memory.is_stored());
        assert_eq!(words(&in_memory), words(&stored));
        assert_eq!(in_memory.faults, stored.faults);
        Ok(in_memory)
    }

    #[test]
    fn rows_that_cannot_be_used_are_kept_without_values() {
        let text = "a,city,b\n1,Rome,2\n3,Rome\n4,Oslo,1e99\n5,Oslo,high\n6,\"Ro,7\n8,\"a \"\"b\"\", c\",9\n10,Bern,11,12\n\
                    13,\"Rome\",14\n15,\"x\ny\"\n16,\"Bern,17\r\n18,Oslo,19\n20,\"\",?\n";
        let table = kept(text).unwrap();
        let expected = [
            (1, "line 3: it has 2 cells, and the header 3 names"),
            (2, "column `b`: 1e99 is no finite number of 32 bits"),
            (
                3,
                "column `b`: `high` is no number, and training had numbers there",
            ),
            (4, "line 6: the quote that begins a cell is not closed"),
            (6, "line 8: it has 4 cells, and the header 3 names"),
            (
                8,
                "line 10: it has 2 cells, and the header 3 names; a quote in it is not closed, perhaps",
            ),
            (9, "line 12: the quote that begins a cell is not closed"),
        ];
        assert_eq!(table.rows, 12);
        let cities = table.columns[1].categories.clone().unwrap();
        let city = |name: &str| cities.iter().position(|city| city == name).unwrap() as u32;
        let number = |x: f32| x.to_bits();
        let words = words(&table);
        let faults = table.faults.into_map();
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (row, part) in expected {
            assert!(faults[&row].starts_with(part), "{faults:?}");
        }
        for (row, cells) in words.chunks(3).enumerate() {
            let sound = match row {
                0 => [number(1.0), city("Rome"), number(2.0)],
                5 => [number(8.0), city("a \"b\", c"), number(9.0)],
                7 => [number(13.0), city("Rome"), number(14.0)],
                10 => [number(18.0), city("Oslo"), number(19.0)],
                11 => [number(20.0), MISSING, MISSING],
                _ => [MISSING; 3],
            };
            assert_eq!(cells, sound, "row {row}");
        }
        // What is wrong with the file as a whole is an error all the same.
        assert!(
            kept("a,\"b\n1,2\n")
                .unwrap_err()
                .contains("in line 1 is not closed")
        );
        // Most rows are damaged: each costs itself alone, up to a bound.
        let torn = kept(&("a,b\n".to_owned() + &"\"\"\"x,1\n".repeat(2000))).unwrap();
        assert_eq!((torn.rows, torn.faults.len()), (2000, 2000));
        // More texts than categories may have.
        let many: String = (0..=MOST_CATEGORIES)
            .map(|row| format!("t{row},1\n"))
            .collect();
        let table = kept(&("city,b\n".to_owned() + &many)).unwrap();
        assert_eq!((table.rows, table.faults.len()), (MOST_CATEGORIES + 1, 1));
        assert!(table.faults.has(MOST_CATEGORIES));
    }

    #[test]
    fn a_byte_0_costs_its_row_unless_its_column_is_left_out() {
        let faulty = kept("city,b\nR\0me,1\nRome,2\n\"a\nb\",\0\nBern,3\n").unwrap();
        let faults = faulty.faults.into_map();
        let told: Vec<(usize, &str)> = faults
            .iter()
            .map(|(row, why)| (*row, why.as_str()))
            .collect();
        const WHY: &str = "it has a byte 0, which no text has";
        let expected = [(0, format!("line 2: {WHY}")), (2, format!("line 4: {WHY}"))];
        assert_eq!(
            told,
            expected.each_ref().map(|(row, why)| (*row, why.as_str()))
        );
        let unused = table("a,id\n1,\0\n").unwrap();
        assert_eq!((unused.rows, words(&unused)), (1, vec![1f32.to_bits()]));
    }

    #[test]
    fn a_text_behind_many_numbers_is_one_of_a_category() {
        let mut text = "x,y\n".to_owned();
        for row in 0..2000 {
            text += &format!("{},{}\n", row % 7, row % 2);
        }
        text += "n,1\n";
        let table = table(&text).unwrap();
        assert_eq!(
            (
                table.rows,
                table.columns[0].categories.as_ref().unwrap().len()
            ),
            (2001, 8)
        );
        let word = |row, column| table.row(row, |row| row.word(column)).unwrap();
        assert_eq!(table.text(0, word(2000, 0)), "n");
        assert_eq!(table.text(1, word(1999, 1)), "1");
    }

    #[test]
    fn what_is_no_table_is_refused_by_its_place() {
        for (text, part) in [
            ("", "no header"),
            ("1,2,3\n4,5,6\n", "no header"),
            ("a,b,a\n1,2,3\n", "two columns `a`"),
            (
                "a,b\n1,2\n3\n",
                "line 3 has 1 cells, and the header 2 names",
            ),
            (
                "a,b\n1,2\n3,1e99\n",
                "row 2, column `b`: 1e99 is no finite number",
            ),
            ("a,b\n1,inf\n", "row 1, column `b`"),
            ("a,b\nx,1\ny\0,2\n", "line 3: it has a byte 0"),
            ("a\0,b\n1,2\n", "its header has a byte 0"),
            ("a,b\n1,2\n\"3,4\n", "a cell in line 3 is not closed"),
            ("a,\"b\n1,2\n", "a cell in line 1 is not closed"),
            (
                "a,b\n1,2\n\"x,4\n5,6\n\"y\",8\n",
                "a cell in line 3 is not closed",
            ),
            (
                "a,b\n1,2\n\"x,4\n5,6\"\n7,8\n",
                "line 3 has 1 cells, and the header 2 names; a quote in it is not closed, perhaps",
            ),
        ] {
            let error = table(text).unwrap_err();
            assert!(error.contains(part), "{text:?}: {error}");
        }
        let many: String = (0..=MOST_CATEGORIES)
            .map(|row| format!("t{row},1\n"))
            .collect();
        let error = table(&("a,b\n".to_owned() + &many)).unwrap_err();
        assert!(
            error.contains("row 10,001, column `a`: `t10000` is one text more"),
            "{error}"
        );
        let error = table("a,b\nx,1\n\u{e9},2\n").map(|_| ());
        assert_eq!(error, Ok(()));
    }

    /// Prints how fast a million rows are read, beside the speed of the bare parser that yields bytes:
    /// `cargo test --release --lib a_million_rows -- --ignored --nocapture`.
    #[test]
    #[ignore = "80 MB, for its time"]
    fn a_million_rows_are_read_at_the_parsers_speed() {
        use std::fmt::Write;
        let mut text = "a,b,c,d,e,f,g,h,i,city\n".to_owned();
        for row in 0..1_000_000u64 {
            let x = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            for column in 0..9 {
                let x = (x + column * 7919) % 1_000_003;
                write!(text, "{}.{:03},", x / 1000, x % 1000).unwrap();
            }
            writeln!(text, "{}", ["Rome", "Oslo", "Bern"][x as usize % 3]).unwrap();
        }
        let bytes: &'static [u8] = Vec::leak(text.into_bytes());
        let shared = Bytes::memory(bytes.to_vec());
        let speed =
            |began: std::time::Instant| bytes.len() as f64 / 1e6 / began.elapsed().as_secs_f64();
        for _ in 0..3 {
            let began = std::time::Instant::now();
            let mut reader = ReaderBuilder::new().from_reader(bytes);
            let (mut record, mut rows) = (ByteRecord::new(), 0);
            while reader.read_byte_record(&mut record).unwrap() {
                rows += 1;
            }
            let alone = speed(began);
            let began = std::time::Instant::now();
            let table = read(&shared, How::default(), &|_, _| ()).unwrap();
            println!(
                "the parser alone {alone:.0} MB/s, into cells {:.0} MB/s",
                speed(began)
            );
            assert_eq!((table.rows, rows), (1_000_000, 1_000_000));
        }
    }
}
