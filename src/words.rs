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
pub fn grouped(number: u64) -> String {
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

/// A number's text, or the short form if it has more digits than anybody reads, such as 1e300 written out.
pub(crate) fn short(number: &str) -> String {
    // 17 digits, and room for zeros before or after them.
    const MOST: usize = 25;
    match number.parse::<f64>() {
        Ok(x) if number.len() > MOST => format!("{x:e}"),
        _ => number.to_owned(),
    }
}

/// A value as it was given, or a list of values; an empty one becomes `nothing`.
pub(crate) fn given(value: &str) -> String {
    if value.trim().is_empty() {
        return "nothing".to_owned();
    }
    value.split(',').map(short).collect::<Vec<_>>().join(",")
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
    use super::{counted, given, grouped, listed, short};

    #[test]
    fn nobody_has_to_read_three_hundred_digits() {
        for x in [
            0.1,
            1.0 / 3.0,
            1e-5 / 3.0,
            1e15 / 3.0,
            12345.678,
            f64::INFINITY,
        ] {
            assert_eq!(short(&x.to_string()), x.to_string());
        }
        assert_eq!(short(&1e300.to_string()), "1e300");
        assert_eq!(short(&1e-300.to_string()), "1e-300");
        assert_eq!(short(&"a".repeat(300)), "a".repeat(300));
        let list = format!("8,{},12", 1e200);
        assert_eq!(given(&list), "8,1e200,12");
        assert_eq!(
            (given(""), given(" ")),
            ("nothing".into(), "nothing".into())
        );
    }

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
