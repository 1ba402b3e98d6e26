//! Numbers as people write them.

/// A number of things: `1 step`, `1,442 steps`, `2 classes`.
pub fn counted(number: u64, noun: &str) -> String {
    let ending = match number {
        1 => "",
        _ if noun.ends_with('s') || noun.ends_with('x') => "es",
        _ => "s",
    };
    format!("{} {noun}{ending}", grouped(number))
}

/// An integer with commas between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The first few of `all` texts in a sentence: `a, b, c and 7 more`.
pub(crate) fn listed<T: ToString>(all: u64, texts: impl IntoIterator<Item = T>) -> String {
    const MOST: u64 = 10;
    let shown: Vec<String> = (texts.into_iter().take(MOST as usize))
        .map(|text| text.to_string())
        .collect();
    let shown = shown.join(", ");
    match all {
        0..=MOST => shown,
        _ => format!("{shown} and {} more", grouped(all - MOST)),
    }
}

#[cfg(test)]
mod tests {
    use super::{counted, grouped, listed};

    #[test]
    fn the_first_ten_are_named_and_the_others_counted() {
        assert_eq!(listed(2, ["a", "b"]), "a, b");
        assert_eq!(listed(10, 1..=10), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10");
        let most = listed(u64::MAX, 1..=u64::MAX);
        assert!(
            most.ends_with("9, 10 and 18,446,744,073,709,551,605 more"),
            "{most}"
        );
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let texts = [0, 999, 1000, 123_456, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "123,456", "1,234,567"]);
    }

    #[test]
    fn one_thing_is_no_plural() {
        let texts = [
            (0, "run"),
            (1, "run"),
            (1442, "step"),
            (1, "class"),
            (2, "class"),
        ];
        let texts = texts.map(|(number, noun)| counted(number, noun));
        assert_eq!(
            texts,
            ["0 runs", "1 run", "1,442 steps", "1 class", "2 classes"]
        );
    }
}
