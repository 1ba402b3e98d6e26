//! Texts that are longer than their place.

use super::plot::{LETTERS, Pen, TITLE};
use super::{Figure, Plot, WIDTH};

impl Pen {
    /// The text, or its two ends with dots between if it is wider than `room`.
    pub(super) fn fitted(self, text: &str, room: u32) -> String {
        let letters: Vec<char> = text.chars().collect();
        let mut kept = letters.len();
        let mut fitted = text.to_owned();
        while self.width(&fitted, LETTERS) > room && kept > 2 {
            kept -= 1;
            let (head, tail) = (kept.div_ceil(2), kept / 2);
            let ends = letters[..head].iter().chain(&['…']);
            fitted = ends.chain(&letters[letters.len() - tail..]).collect();
        }
        fitted
    }

    /// The texts as [`fitted`](Self::fitted), but different ones stay different: those that would not are shown from
    /// where they differ.
    pub(super) fn fitted_apart(self, texts: &[String], room: u32) -> Vec<String> {
        /// Letters of the beginning that stay in any case.
        const HEAD: usize = 4;
        let mut fitted: Vec<String> = texts.iter().map(|text| self.fitted(text, room)).collect();
        // Each round tells texts apart whose first difference the last one did not show.
        let mut from = 0;
        for _ in 0..texts.len() {
            let alike = |at: usize| {
                let same = (0..texts.len())
                    .find(|&other| fitted[other] == fitted[at] && texts[other] != texts[at]);
                same.map(|other| (at, common(&texts[at], &texts[other])))
            };
            let again: Vec<(usize, usize)> = (0..texts.len()).filter_map(alike).collect();
            let Some(least) = again
                .iter()
                .map(|(_, common)| *common)
                .min()
                .filter(|&least| least >= from)
            else {
                break;
            };
            from = least + 1;
            for (at, common) in again {
                let head: String = texts[at].chars().take(HEAD.min(common)).collect();
                let rest: String = texts[at].chars().skip(common).collect();
                fitted[at] = self.fitted(&format!("{head}…{rest}"), room);
            }
        }
        fitted
    }

    /// The title and the size of its letters: a long one is set smaller rather than cut, except for the name of a file,
    /// which may have any length.
    pub(super) fn title(self, figure: &Figure) -> (String, f64) {
        let room = WIDTH - 24;
        let width = self.width(&figure.title, TITLE).max(1);
        let size = TITLE * (f64::from(room) / f64::from(width)).min(1.0);
        match &figure.plot {
            Plot::Pictures { .. } if size < LETTERS => (self.fitted(&figure.title, room), LETTERS),
            _ => (figure.title.clone(), size),
        }
    }
}

/// Number of letters with which both texts begin.
fn common(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_long_name_of_a_file_is_no_smaller_than_other_letters() {
        let pen = Pen::new(1).unwrap();
        let titled = |title: String| Figure {
            id: String::new(),
            title,
            note: String::new(),
            plot: Plot::Pictures {
                pictures: Vec::new(),
                scale: None,
                lines: Vec::new(),
            },
        };
        let (title, size) = pen.title(&titled("cat.png".to_owned()));
        assert_eq!((title.as_str(), size), ("cat.png", TITLE));
        let (title, size) = pen.title(&titled(format!("photos/{}cat.png", "summer/".repeat(20))));
        assert!(
            size >= LETTERS && pen.width(&title, size) <= WIDTH - 24,
            "{title}"
        );
        assert!(
            title.starts_with("photos/") && title.ends_with("cat.png"),
            "{title}"
        );
    }

    #[test]
    fn long_names_show_both_ends_and_stay_different() {
        let pen = Pen::new(1).unwrap();
        let room = 200;
        let long = |middle: &str| {
            format!(
                "{}{middle}{}",
                "a long beginning ".repeat(4),
                " and a long end".repeat(4)
            )
        };
        let names: Vec<String> = ["", "one", "two", "two and a bit", "three"]
            .map(long)
            .to_vec();
        let shown = pen.fitted_apart(&names, room);
        let different: BTreeSet<&String> = shown.iter().collect();
        assert_eq!(different.len(), names.len(), "{shown:?}");
        for name in &shown {
            assert!(pen.width(name, LETTERS) <= room, "{name}");
            assert!(
                name.starts_with("a lo") && name.ends_with("end") && name.contains('…'),
                "{name}"
            );
        }
        let short = ["a", "b", "a"].map(str::to_owned);
        assert_eq!(pen.fitted_apart(&short, room), short);
    }
}
