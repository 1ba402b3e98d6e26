//! Adapters: listing them, and choosing one by `auto`, `cpu`, index or name.

use super::adapter_summary::AdapterSummary;
use crate::engine::gpu::{Adapter, NONE_FOUND, enumerate};
use crate::error::{Error, NoAdapter, Result};

/// Which adapter a user asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdapterChoice {
    /// The best hardware GPU, or else the CPU executor.
    #[default]
    Auto,
    /// The built-in CPU executor.
    Cpu,
    /// The adapter with this index in the list.
    Index(usize),
    /// The only adapter whose name contains this, ignoring case.
    Name(String),
}

impl std::str::FromStr for AdapterChoice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.trim() {
            text if text.is_empty() || text.eq_ignore_ascii_case("auto") => AdapterChoice::Auto,
            text if text.eq_ignore_ascii_case("cpu") => AdapterChoice::Cpu,
            other => match other.parse() {
                Ok(index) => AdapterChoice::Index(index),
                Err(_) => AdapterChoice::Name(other.to_owned()),
            },
        })
    }
}

/// Every adapter of this machine, best first, as the drivers list them; the built-in `cpu` is not included.
pub fn list() -> Vec<AdapterSummary> {
    enumerate().into_iter().map(|(_, s)| s).collect()
}

/// Whether a number of threads affects what such a choice opens, that is, whether it opens the CPU executor instead of
/// an adapter.
pub fn takes_threads(choice: &str) -> bool {
    let Ok(choice) = choice.parse::<AdapterChoice>();
    // An adapter that does not exist is reported when it is opened.
    choice == AdapterChoice::Cpu || !matches!(resolve(&choice, &list()), Ok(Some(_)))
}

/// Checks that the adapter exists, in the form that a user gives to `--adapter`.
///
/// # Errors
/// The choice is unknown or ambiguous; the message lists the candidates.
pub fn check_choice(choice: &str) -> Result<()> {
    let Ok(choice) = choice.parse();
    match choice {
        AdapterChoice::Auto | AdapterChoice::Cpu => Ok(()),
        choice => resolve(&choice, &list()).map(drop),
    }
}

/// Resolves a choice: `None` is the CPU executor. `local_rank`: see
/// [`DeviceOptions`](super::device_options::DeviceOptions).
pub(crate) fn choose(
    choice: &AdapterChoice,
    local_rank: usize,
) -> Result<Option<(Adapter, AdapterSummary)>> {
    if *choice == AdapterChoice::Cpu {
        return Ok(None);
    }
    let mut list = enumerate();
    let summaries: Vec<AdapterSummary> = list.iter().map(|(_, s)| s.clone()).collect();
    let Some(index) = resolve(choice, &summaries)? else {
        return Ok(None);
    };
    let index = match choice {
        AdapterChoice::Auto => one_of_its_kind(index, &summaries, local_rank),
        _ => index,
    };
    Ok(Some(list.swap_remove(index)))
}

/// Of the adapters that are of one kind with the one at `index`, the one for this process.
fn one_of_its_kind(index: usize, list: &[AdapterSummary], local_rank: usize) -> usize {
    let best = &list[index];
    let alike = |s: &AdapterSummary| s.usable && s.kind == best.kind && s.backend == best.backend;
    let alike: Vec<usize> = (0..list.len()).filter(|&i| alike(&list[i])).collect();
    alike
        .get(local_rank % alike.len().max(1))
        .copied()
        .unwrap_or(index)
}

/// The index of the adapter that `choice` names in `list`; `None` is the CPU executor.
fn resolve(choice: &AdapterChoice, list: &[AdapterSummary]) -> Result<Option<usize>> {
    let candidates = || {
        let mut text = String::from("choose one of: ");
        text.push_str(match cfg!(feature = "cpu") {
            true => "cpu (built in)",
            false => "auto",
        });
        for s in list {
            text.push_str(&format!(
                "; {} = {} ({}, {})",
                s.index, s.name, s.kind, s.backend
            ));
        }
        if list.is_empty() {
            text.push_str(NONE_FOUND);
        }
        text
    };
    let index = match choice {
        AdapterChoice::Cpu => return Ok(None),
        AdapterChoice::Auto => return Ok(list.iter().position(|s| s.chosen)),
        AdapterChoice::Index(index) if *index < list.len() => *index,
        AdapterChoice::Index(index) => {
            return Err(Error::NoAdapter {
                why: NoAdapter::Number(*index),
                candidates: candidates(),
            });
        }
        AdapterChoice::Name(name) => {
            let requested = name.to_lowercase();
            let matches: Vec<usize> = (0..list.len())
                .filter(|&i| list[i].name.to_lowercase().contains(&requested))
                .collect();
            match matches[..] {
                [one] => one,
                [] => {
                    return Err(Error::NoAdapter {
                        why: NoAdapter::Name(name.clone()),
                        candidates: candidates(),
                    });
                }
                _ => {
                    return Err(Error::NoAdapter {
                        why: NoAdapter::Ambiguous {
                            name: name.clone(),
                            adapters: matches.len(),
                        },
                        candidates: candidates(),
                    });
                }
            }
        }
    };
    if !list[index].usable {
        return Err(Error::NoAdapter {
            why: NoAdapter::Limits {
                index,
                name: list[index].name.clone(),
            },
            candidates: candidates(),
        });
    }
    Ok(Some(index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::WorkgroupShape;

    fn summary(index: usize, name: &str, chosen: bool) -> AdapterSummary {
        AdapterSummary {
            index,
            name: name.into(),
            kind: "discrete GPU",
            backend: "Vulkan".into(),
            driver: String::new(),
            max_binding: 0,
            max_buffer: 0,
            workgroup_memory: 0,
            workgroup_invocations: 0,
            subgroups: None,
            timestamps: false,
            usable: index != 2,
            chosen,
            shader_compiler: None,
            shapes: &WorkgroupShape::ALL,
        }
    }

    #[test]
    fn choices_resolve_by_number_and_name_or_list_the_candidates() {
        let list = [
            summary(0, "Apple M3", false),
            summary(1, "Radeon 780M", true),
            summary(2, "Radeon Old", false),
        ];
        let resolve = |text: &str| {
            let Ok(choice) = text.parse::<AdapterChoice>();
            super::resolve(&choice, &list)
        };
        assert_eq!(resolve("auto").unwrap(), Some(1));
        assert_eq!(resolve("cpu").unwrap(), None);
        assert_eq!(resolve("CPU").unwrap(), None);
        assert_eq!(resolve("Auto").unwrap(), Some(1));
        assert_eq!(resolve("0").unwrap(), Some(0));
        assert_eq!(resolve("780m").unwrap(), Some(1));
        for (text, expected) in [
            ("7", "no adapter number 7"),
            ("geforce", "no adapter's name contains"),
            ("radeon", "fits 2 adapters"),
            ("2", "default limits"),
        ] {
            let message = resolve(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("Apple M3"), "{message}");
        }
    }
}
