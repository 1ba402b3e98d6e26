//! Who imports whom, according to the `use` lines and the paths within expressions (`super::name(…)`,
//! `child::name(…)`). Re-exports are followed to the file that defines a name, and are not imports themselves; tests
//! within files do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Maps each node to those that it imports.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// A module's path from the crate's root.
type Name = Vec<String>;

/// A module: a file.
struct Module {
    file: String,
    imports: Vec<Import>,
}

/// An import of a module: by `use`, or by a path within it.
#[derive(Clone)]
struct Import {
    /// Its name there; empty for a path.
    alias: String,
    /// Where it comes from.
    path: Name,
    reexport: bool,
}

/// Maps each file below `src` to those that it imports.
pub fn of_files() -> Graph {
    let modules = modules();
    let mut graph = Graph::new();
    for module in modules.values() {
        let imported = module.imports.iter().filter(|import| !import.reexport);
        let files = imported.filter_map(|import| resolve(&modules, &import.path, 0));
        let others = files.filter(|file| *file != module.file);
        graph.insert(module.file.clone(), others.collect());
    }
    graph
}

/// Maps each room, a folder or file right below `src`, to those that it imports.
pub fn of_rooms() -> Graph {
    let room = |file: &str| file.split(['/', '.']).next().unwrap().to_owned();
    let mut graph = Graph::new();
    for (file, imported) in of_files() {
        let from = room(&file);
        if from == "lib" || from == "main" {
            continue;
        }
        let rooms = imported.iter().map(|file| room(file));
        let others: Vec<_> = rooms
            .filter(|other| *other != from && other != "lib")
            .collect();
        graph.entry(from).or_default().extend(others);
    }
    graph
}

fn modules() -> BTreeMap<Name, Module> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let name = |file: &Path| -> Name {
        let path = file.strip_prefix(&root).unwrap().with_extension("");
        let mut name: Name = (path.iter())
            .map(|part| part.to_str().unwrap().to_owned())
            .collect();
        if matches!(name[name.len() - 1].as_str(), "mod" | "lib") {
            name.pop();
        }
        name
    };
    let names: BTreeSet<Name> = files.iter().map(|file| name(file)).collect();
    let module = |file: &PathBuf| {
        let own = name(file);
        let text = std::fs::read_to_string(file).unwrap();
        let words = words(&text);
        let file = file.strip_prefix(&root).unwrap().to_str().unwrap();
        let module = Module {
            file: file.replace('\\', "/"),
            imports: [imports(&words, &own, &names), paths(&words, &own, &names)].concat(),
        };
        (own, module)
    };
    (files.iter())
        .filter(|file| !file.ends_with("src/main.rs"))
        .map(module)
        .collect()
}

/// The Rust files of a folder and those below.
pub fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// Identifiers, `::` and other characters, without comments, up to the tests.
fn words(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let mut words: Vec<String> = Vec::new();
    for line in code.lines() {
        let line = line.split("//").next().unwrap();
        let mut word = String::new();
        for c in line.chars().chain([' ']) {
            if c.is_alphanumeric() || c == '_' {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            match words.last_mut() {
                Some(last) if c == ':' && last == ":" => last.push(c),
                _ if !c.is_whitespace() => words.push(c.into()),
                _ => {}
            }
        }
    }
    words
}

/// What the `use` lines import from the crate, which the command calls `rootlet`.
fn imports(words: &[String], own: &Name, names: &BTreeSet<Name>) -> Vec<Import> {
    let mut imports = Vec::new();
    for at in (0..words.len()).filter(|&at| words[at] == "use") {
        let reexport = at > 0 && (words[at - 1] == "pub" || words[at - 1] == ")");
        let first = words[at + 1].as_str();
        let child = names.contains(&[own.as_slice(), &[first.into()]].concat());
        if !child && !matches!(first, "crate" | "rootlet" | "super" | "self") {
            continue;
        }
        let mut found = Vec::new();
        tree(words, at + 1, Vec::new(), &mut found);
        imports.extend(found.into_iter().map(|(path, alias)| Import {
            alias,
            path: absolute(&path, own),
            reexport,
        }));
    }
    imports
}

/// What is named by a path outside the `use` lines: from the crate's root, from a parent, or of a child.
fn paths(words: &[String], own: &Name, names: &BTreeSet<Name>) -> Vec<Import> {
    let begins = |at: usize| {
        let child = names.contains(&[own.as_slice(), &words[at..=at]].concat());
        let follows = at > 0 && matches!(words[at - 1].as_str(), "::" | "$" | ".");
        (child || matches!(words[at].as_str(), "crate" | "super" | "self"))
            && !follows
            && words.get(at + 1).is_some_and(|word| word == "::")
    };
    let mut found = Vec::new();
    let mut in_use = false;
    for at in 0..words.len() {
        in_use = words[at] == "use" || in_use && words[at] != ";";
        if in_use || !begins(at) {
            continue;
        }
        let mut path = vec![words[at].clone()];
        let mut next = at + 1;
        while words[next] == "::" && words[next + 1].starts_with(|c: char| c.is_alphanumeric()) {
            path.push(words[next + 1].clone());
            next += 2;
        }
        found.push(Import {
            alias: String::new(),
            path: absolute(&path, own),
            reexport: false,
        });
    }
    found
}

/// `mod.rs` files that define something: besides comments and attributes, they may only have `mod` and `use` lines.
pub fn defining_mods() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let defines = |file: &&PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        file.ends_with("mod.rs") && words(&text).iter().any(|word| is_definition(word))
    };
    let named = |file: &PathBuf| file.strip_prefix(&root).unwrap().display().to_string();
    files.iter().filter(defines).map(named).collect()
}

/// Files of layers that provide no sample, for verification and the tests of all layers.
pub fn layers_without_samples() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let layers = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/layer");
    collect(&layers, &mut files);
    let text = |file: &PathBuf| std::fs::read_to_string(file).unwrap();
    files.retain(|file| text(file).contains("\nimpl Layer for "));
    assert!(files.len() > 10, "{} files of layers", files.len());
    files.retain(|file| !text(file).contains("\npub(in crate::layer) fn samples()"));
    files
}

fn is_definition(word: &str) -> bool {
    matches!(
        word,
        "fn" | "struct" | "enum" | "trait" | "impl" | "const" | "static" | "type" | "macro_rules"
    )
}

/// Reads the path, or tree of paths, at `at`; returns where it ends.
fn tree(words: &[String], mut at: usize, mut path: Name, found: &mut Vec<(Name, String)>) -> usize {
    loop {
        match words[at].as_str() {
            "{" => {
                at += 1;
                while words[at] != "}" {
                    at = tree(words, at, path.clone(), found);
                    at += usize::from(words[at] == ",");
                }
                return at + 1;
            }
            "self" if !path.is_empty() => {}
            word => path.push(word.into()),
        }
        at += 1;
        if words.get(at).is_none_or(|word| word != "::") {
            break;
        }
        at += 1;
    }
    let mut alias = path[path.len() - 1].clone();
    if words.get(at).is_some_and(|word| word == "as") {
        alias = words[at + 1].clone();
        at += 2;
    }
    found.push((path, alias));
    at
}

fn absolute(path: &[String], own: &Name) -> Name {
    let mut name = match path[0].as_str() {
        "crate" | "rootlet" => Vec::new(),
        _ => own.clone(),
    };
    for (i, segment) in path.iter().enumerate() {
        match segment.as_str() {
            "crate" | "rootlet" | "self" if i == 0 => {}
            "super" => {
                name.pop();
            }
            _ => name.push(segment.clone()),
        }
    }
    name
}

/// The file that defines what a path names, following up to `depth` re-exports.
fn resolve(modules: &BTreeMap<Name, Module>, path: &[String], depth: usize) -> Option<String> {
    let known = (0..=path.len())
        .rev()
        .find(|&n| modules.contains_key(&path[..n]))?;
    let module = &modules[&path[..known]];
    if let Some(name) = path.get(known)
        && depth < 8
    {
        let brings = |import: &&Import| import.alias == *name && import.path != path[..=known];
        if let Some(import) = module.imports.iter().find(brings) {
            let further = [&import.path, &path[known + 1..]].concat();
            return resolve(modules, &further, depth + 1);
        }
    }
    Some(module.file.clone())
}
