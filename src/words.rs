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

#[cfg(test)]
mod tests {
    use super::{counted, grouped};

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
