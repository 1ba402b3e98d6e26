//! Checks what ARCHITECTURE.md says about the rooms against the sources: no circles, and a drawing that is up to date.
#![allow(clippy::unwrap_used)]

mod imports;
mod options;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use imports::Graph;

/// Shortest way of imports from a file back to itself.
fn circle(graph: &Graph, start: &str) -> Option<Vec<String>> {
    let mut from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for next in graph.get(at).into_iter().flatten() {
            if next == start {
                let mut way = vec![start.to_owned(), at.to_owned()];
                while way[way.len() - 1] != start {
                    way.push(from[way[way.len() - 1].as_str()].to_owned());
                }
                way.reverse();
                return Some(way);
            }
            if !from.contains_key(next.as_str()) {
                from.insert(next, at);
                queue.push_back(next);
            }
        }
    }
    None
}

/// The shortest circles, each once.
fn circles(graph: &Graph) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for file in graph.keys() {
        if let Some(way) = circle(graph, file)
            && seen.insert(way.iter().cloned().collect::<BTreeSet<_>>())
        {
            found.push(way.join(" → "));
        }
    }
    found
}

#[test]
fn no_files_import_each_other_in_circles() {
    let graph = imports::of_files();
    assert!(graph.len() > 200, "{} files", graph.len());
    let found = circles(&graph);
    assert!(found.is_empty(), "circles:\n{}", found.join("\n"));
}

/// If a parent defines what its children use, and also uses them, that part needs a file of its own, with a name for
/// its content.
#[test]
fn mod_files_hold_documentation_and_names_alone() {
    let found = imports::defining_mods();
    assert!(found.is_empty(), "{found:?} define something");
}

/// A layer without a sample would not be verified.
#[test]
fn every_file_of_a_layer_gives_a_sample() {
    let found = imports::layers_without_samples();
    assert!(found.is_empty(), "{found:?} have no `samples`");
}

#[test]
fn no_rooms_import_each_other_in_circles() {
    let found = circles(&imports::of_rooms());
    assert!(found.is_empty(), "circles:\n{}", found.join("\n"));
}

/// The test above would also pass if it never found a circle.
#[test]
fn a_circle_is_found() {
    let graph = |edges: &[(&str, &str)]| -> Graph {
        let mut graph = Graph::new();
        for (from, to) in edges {
            (graph.entry((*from).into()).or_default()).insert((*to).into());
        }
        graph
    };
    assert_eq!(
        circles(&graph(&[("a", "b"), ("b", "c"), ("a", "c")])),
        [""; 0]
    );
    let round = graph(&[("a", "b"), ("b", "c"), ("c", "b")]);
    assert_eq!(circles(&round), ["b → c → b"]);
}

const BEGIN: &str = "<!-- rooms: written by tests/architecture -->\n";
const END: &str = "<!-- end -->\n";

/// The rooms' imports, without those that follow from others.
fn drawing() -> String {
    let rooms = imports::of_rooms();
    let mut text = String::from("```mermaid\nflowchart TD\n");
    for (room, imported) in &rooms {
        for other in imported {
            let further = imported.iter().filter(|third| *third != other);
            if !further
                .into_iter()
                .any(|third| reaches(&rooms, third, other))
            {
                text += &format!("    {room} --> {other}\n");
            }
        }
    }
    text + "```\n"
}

fn reaches(graph: &Graph, from: &str, to: &str) -> bool {
    (graph.get(from).into_iter().flatten()).any(|next| next == to || reaches(graph, next, to))
}

/// `REDRAW=1 cargo test --test architecture` writes it anew.
#[test]
fn the_drawing_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (drawn, after) = rest.split_once(END).unwrap();
    let drawing = drawing();
    if std::env::var_os("REDRAW").is_some() {
        std::fs::write(&path, [before, BEGIN, &drawing, END, after].concat()).unwrap();
    } else {
        assert_eq!(drawn, drawing, "REDRAW=1 cargo test --test architecture");
    }
}

/// Every room is described, and nothing else.
#[test]
fn the_page_tells_of_every_room() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let page = std::fs::read_to_string(path).unwrap();
    let told: BTreeSet<&str> = (page.lines())
        .filter_map(|line| line.strip_prefix("| `src/")?.split(['/', '.', '`']).next())
        .collect();
    let rooms = imports::of_rooms();
    let rooms: BTreeSet<&str> = rooms.keys().map(String::as_str).collect();
    assert_eq!(told, rooms);
}
