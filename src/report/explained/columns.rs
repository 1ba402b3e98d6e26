//! What the columns of a table are worth to a network, as a picture and as rows of CSV.

use crate::explain::{ColumnStrength, Importance, PermutationOptions};
use crate::report::figure::{Axis, Colour, Figure, Part, Plot, Sheet};
use crate::words::{counted, grouped};

/// Most columns that are drawn; the CSV file has all of them.
const MOST: usize = 30;

/// The header, and a row for each column: those that are worth most first, then those with the strongest connections.
pub fn column_rows(columns: &[ColumnStrength], importance: &Importance) -> Vec<Vec<String>> {
    let all: f64 = columns.iter().map(|column| column.all.strength).sum();
    let worse = format!("{} worse by", importance.metric);
    let mut rows = vec![
        [
            "column",
            "inputs",
            "connections",
            "strength",
            "share",
            &worse,
            "deviation",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for number in order(columns, importance) {
        let column = &columns[number];
        let drop = importance.drops.get(number).copied().flatten();
        rows.push(vec![
            column.name.clone(),
            column.inputs.len().to_string(),
            column.all.connections.to_string(),
            column.all.strength.to_string(),
            share(column.all.strength, all).to_string(),
            drop.map_or(String::new(), |drop| drop.mean.to_string()),
            drop.map_or(String::new(), |drop| drop.deviation.to_string()),
        ]);
    }
    rows
}

fn share(part: f64, all: f64) -> f64 {
    match all > 0.0 {
        true => part / all,
        false => 0.0,
    }
}

/// The columns' numbers: those that are worth most first, then those with the strongest connections.
fn order(columns: &[ColumnStrength], importance: &Importance) -> Vec<usize> {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    let worth = |number: usize| {
        let drop = importance.drops.get(number).copied().flatten();
        drop.map_or(f64::NEG_INFINITY, |drop| drop.mean)
    };
    let strength = |number: usize| columns[number].all.strength;
    order.sort_by(|&a, &b| {
        let by_worth = worth(b).total_cmp(&worth(a));
        by_worth
            .then(strength(b).total_cmp(&strength(a)))
            .then(a.cmp(&b))
    });
    order
}

/// Both measures as bars, for the columns that are worth most.
pub fn explained_columns(
    network: &str,
    part: &str,
    columns: &[ColumnStrength],
    importance: &Importance,
    options: PermutationOptions,
) -> Sheet {
    let Importance {
        metric,
        baseline,
        rows,
        drops,
    } = importance;
    let all: f64 = columns.iter().map(|column| column.all.strength).sum();
    let mut shown = order(columns, importance);
    shown.truncate(MOST);
    let names: Vec<String> = shown.iter().map(|&n| columns[n].name.clone()).collect();
    let drop = |n: &usize| drops.get(*n).copied().flatten();
    let worth = Figure {
        id: "worth".to_owned(),
        title: format!("How much worse {metric} is if the column is shuffled"),
        note: String::new(),
        plot: Plot::Bars {
            x: Axis::new(&format!("{metric}, worse by")),
            bars: names.clone(),
            totals: (shown.iter())
                .map(|n| {
                    drop(n).map_or("not measured".to_owned(), |drop| {
                        format!("{} ± {}", digits(drop.mean, 4), digits(drop.deviation, 2))
                    })
                })
                .collect(),
            parts: vec![Part {
                name: String::new(),
                colour: Colour::Series(0),
                values: (shown.iter())
                    .map(|n| drop(n).map_or(0.0, |drop| drop.mean.max(0.0)))
                    .collect(),
            }],
        },
    };
    let strength = Figure {
        id: "strength".to_owned(),
        title: "How strong its connections are (and how many)".to_owned(),
        note: String::new(),
        plot: Plot::Bars {
            x: Axis::new("sum of |w| in the first layer, % of all columns"),
            bars: names,
            totals: (shown.iter())
                .map(|&n| {
                    let own = columns[n].all;
                    format!(
                        "{:.1} % ({})",
                        100.0 * share(own.strength, all),
                        grouped(own.connections)
                    )
                })
                .collect(),
            parts: vec![Part {
                name: String::new(),
                colour: Colour::Series(2),
                values: (shown.iter())
                    .map(|&n| 100.0 * share(columns[n].all.strength, all))
                    .collect(),
            }],
        },
    };
    let mut lines = vec![
        format!(
            "Left: {} of the {part} part as they are have {metric} {}. Each column's values are then shuffled among the \
             rows, {} (seed {}); the bars are the mean, ± the deviation of these. Columns that say the same can stand in \
             for each other, and each then seems to be worth little.",
            counted(*rows as u64, "row"),
            digits(*baseline, 4),
            match options.repeats {
                1 => "once".to_owned(),
                times => format!("{} times", grouped(times as u64)),
            },
            options.seed,
        ),
        "Right: the weights of the connections that the column has, and their number. A column without connections is \
         not used at all."
            .to_owned(),
    ];
    if columns.len() > MOST {
        lines.push(format!(
            "The first {MOST} of {}; the CSV file has all of them.",
            counted(columns.len() as u64, "column")
        ));
    }
    Sheet {
        title: format!("What the columns are worth to {network}"),
        lines,
        figures: vec![worth, strength],
        columns: 2,
        scale: 2,
    }
}

/// A number with about that many digits.
fn digits(x: f64, count: i32) -> String {
    let decimals = match x.abs() {
        x if x == 0.0 || !x.is_finite() || x >= 1000.0 => 0,
        x => (count - 1 - x.log10().floor() as i32).clamp(0, 4) as usize,
    };
    format!("{x:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn numbers_have_about_as_many_digits_as_asked_for() {
        assert_eq!(digits(5.6754, 2), "5.7");
        assert_eq!(digits(0.8730, 2), "0.87");
        for (number, text) in [
            (0.0, "0"),
            (0.91666, "0.9167"),
            (12.3456, "12.35"),
            (123_456.7, "123457"),
            (0.000_012, "0.0000"),
            (-0.25, "-0.2500"),
        ] {
            assert_eq!(digits(number, 4), text);
        }
    }
}
