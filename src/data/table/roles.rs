//! Which columns of a table are inputs, and which are targets.

use super::cells::Table;
use super::options::TableOptions;
use crate::error::option::{IGNORE, TARGET, WEIGHT};
use crate::words::listed;

/// The roles of a table's columns, by their numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Roles {
    pub inputs: Vec<usize>,
    /// Empty if a file for prediction has none.
    pub targets: Vec<usize>,
    /// The column with the weights of the rows.
    pub weight: Option<usize>,
    /// A note about the choice, if nobody made it.
    pub note: Option<String>,
}

/// Names separated by commas.
pub(super) fn names(list: Option<&str>) -> Vec<String> {
    let names = list.unwrap_or("").split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

impl Roles {
    /// The roles that `options` ask for.
    ///
    /// # Errors
    /// A name that no column has, or a table without inputs: a reason that fits after the file's name.
    pub fn choose(table: &Table, options: &TableOptions) -> Result<Self, String> {
        let all: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        let unknown = |option, name: &str| {
            format!(
                "{option} {name}: there is no such column; there are {}",
                listed(all.len() as u64, &all)
            )
        };
        let mut ignored = Vec::new();
        for name in names(options.ignore.as_deref()) {
            match table.find(&name) {
                Some(column) => ignored.push(column),
                None if table.left_out.contains(&name) => {}
                None => return Err(unknown(IGNORE, &name)),
            }
        }
        let weight = match options.weight.as_deref() {
            Some(name) => Some(table.find(name).ok_or_else(|| unknown(WEIGHT, name))?),
            None => None,
        };
        let of_array = |name: &str| {
            // An array's columns can be named by the array.
            let of_it = |&column: &usize| {
                let own = table.columns[column].name.as_str();
                own == name || own.rsplit_once(' ').is_some_and(|(array, _)| array == name)
            };
            let columns: Vec<usize> = table.targets.iter().copied().filter(of_it).collect();
            (!columns.is_empty()).then_some(columns)
        };
        let (targets, note) = match options.target.as_deref() {
            Some(name) if table.find(name).is_some() => {
                (table.find(name).into_iter().collect(), None)
            }
            Some(name) if of_array(name).is_some() => (of_array(name).unwrap_or_default(), None),
            Some(list) => {
                let columns = names(Some(list))
                    .into_iter()
                    .map(|name| table.find(&name).ok_or_else(|| unknown(TARGET, &name)));
                (columns.collect::<Result<Vec<_>, _>>()?, None)
            }
            None if !table.targets.is_empty() => (table.targets.clone(), None),
            None => {
                let last = (0..all.len())
                    .rev()
                    .find(|column| !ignored.contains(column) && weight != Some(*column));
                let note = last.map(|last| {
                    format!(
                        "the target is the last column, `{}`; {TARGET} names another one",
                        all[last]
                    )
                });
                (last.into_iter().collect(), note)
            }
        };
        if let Some(both) = targets.iter().find(|target| ignored.contains(target)) {
            return Err(format!(
                "the target `{}` is to be left out ({IGNORE})",
                all[*both]
            ));
        }
        if let Some(weight) = weight {
            let is_target = targets.contains(&weight);
            if is_target || ignored.contains(&weight) || table.columns[weight].categories.is_some()
            {
                return Err(format!(
                    "{WEIGHT} {}: {}",
                    all[weight],
                    match (is_target, &table.columns[weight].categories) {
                        (true, _) => "this column is the target",
                        (false, Some(_)) => "this column has texts, and weights are numbers",
                        (false, None) => "this column is to be left out",
                    }
                ));
            }
        }
        let is_input = |column: &usize| {
            !targets.contains(column) && !ignored.contains(column) && weight != Some(*column)
        };
        let inputs: Vec<usize> = (0..all.len())
            .filter(is_input)
            // What a format declares as a target is not an input if another target was chosen.
            .filter(|column| !table.targets.contains(column))
            .collect();
        if let Some(nameless) = (inputs.iter()).find(|&&column| is_nameless(table, column)) {
            let name = all[*nameless];
            return Err(format!(
                "its {name} has no name, as numbers of rows have none; {IGNORE} \"{name}\" leaves it out, or give it a \
                 name"
            ));
        }
        match inputs.is_empty() || targets.is_empty() {
            true => Err(format!(
                "it has no column besides the target: there are {}",
                listed(all.len() as u64, &all)
            )),
            false => Ok(Self {
                inputs,
                targets,
                weight,
                note,
            }),
        }
    }
}

/// Whether the header of a CSV file has no name for the column.
fn is_nameless(table: &Table, column: usize) -> bool {
    let name = &table.columns[column].name;
    table.format == "CSV"
        && (name.strip_prefix("column ")).is_some_and(|n| n.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::cells::{Cells, Column};
    use super::*;

    fn table(names: &[&str], targets: &[usize]) -> Table {
        Table {
            columns: names.iter().map(|&name| Column::numbers(name)).collect(),
            cells: Cells::Dense(Vec::new()),
            targets: targets.to_vec(),
            format: "CSV",
            ..Table::default()
        }
    }

    fn options(target: Option<&str>, ignore: Option<&str>) -> TableOptions {
        TableOptions {
            target: target.map(str::to_owned),
            ignore: ignore.map(str::to_owned),
            ..TableOptions::default()
        }
    }

    #[test]
    fn the_target_is_the_one_that_was_named_or_the_last() {
        let wine = table(&["id", "a", "b", "c, d"], &[]);
        let roles = |target, ignore| Roles::choose(&wine, &options(target, ignore));
        let last = roles(None, Some("id")).unwrap();
        assert_eq!(
            (&last.inputs[..], &last.targets[..]),
            (&[1, 2][..], &[3][..])
        );
        assert!(last.note.unwrap().contains("`c, d`"));
        let named = roles(Some("a"), Some("id, b")).unwrap();
        assert_eq!(
            (&named.inputs[..], &named.targets[..]),
            (&[3][..], &[1][..])
        );
        assert_eq!(roles(Some("c, d"), None).unwrap().targets, [3]);
        assert_eq!(roles(Some("b,a"), None).unwrap().targets, [2, 1]);
        for (target, ignore, part) in [
            (
                Some("x"),
                None,
                "x: there is no such column; there are id, a, b, c, d",
            ),
            (None, Some("x"), "x: there is no such column"),
            (Some("a"), Some("a"), "the target `a` is to be left out"),
            (Some("a"), Some("id,b,c, d"), "no such column"),
        ] {
            let error = roles(target, ignore).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        let error = Roles::choose(&table(&["column 1", "a", "b"], &[]), &options(None, None));
        assert!(error.unwrap_err().contains("its column 1 has no name"));
        let arrays = table(&["0", "1", "y 0", "y 1"], &[2, 3]);
        let roles = Roles::choose(&arrays, &options(Some("y"), None)).unwrap();
        assert_eq!(
            (&roles.inputs[..], &roles.targets[..]),
            (&[0, 1][..], &[2, 3][..])
        );
    }
}
