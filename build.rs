//! Hashes the sources that decide what kernels compute and how fast, and what `rootlet verify` checks. So figures can
//! say which code made them without a repository, and an adapter that passed is checked again by new code. Also lists
//! the crate's kernels and their shaders, by which `src/engine/gpu/trust.rs` knows them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The shaders, the modules of `src` that run them or replace them, and those that measure and check them.
const KERNELS: [&str; 18] = [
    "shaders",
    "src/bench",
    "src/cache",
    "src/data",
    "src/dense",
    "src/engine",
    "src/kernels.rs",
    "src/layer",
    "src/loss",
    "src/model",
    "src/network",
    "src/optim",
    "src/primitive",
    "src/sparse",
    "src/topology",
    "src/twin",
    "src/verify",
    "src/window.rs",
];

fn main() -> std::io::Result<()> {
    let mut files = Vec::new();
    println!("cargo::rerun-if-changed=shaders");
    println!("cargo::rerun-if-changed=src");
    for name in KERNELS {
        collect(Path::new(name), &mut files)?;
    }
    // FNV-1a over names and contents, which is the same on every system: forward slashes, no carriage returns.
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut add = |bytes: &[u8]| {
        for &byte in bytes.iter().filter(|&&byte| byte != b'\r') {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    };
    let mut named: Vec<(String, PathBuf)> = files
        .into_iter()
        .map(|path| (path.to_string_lossy().replace('\\', "/"), path))
        .collect();
    named.sort();
    for (name, path) in named {
        add(name.as_bytes());
        add(&std::fs::read(path)?);
    }
    println!("cargo::rustc-env=ROOTLET_SOURCES={hash:016x}");
    own_shaders()?;
    layers()?;
    kernels()
}

/// Writes the lists of the kernels that `kernel!` declares, with those of `src/bench` in a separate list: `&[INFO, …]`.
/// They are found under the names of their files if `mod.rs` has `pub mod NAME;` for these, and otherwise under the
/// folder's, whose `mod.rs` re-exports them.
fn kernels() -> std::io::Result<()> {
    let mut files = Vec::new();
    collect(Path::new("src"), &mut files)?;
    files.retain(|path| path.extension().is_some_and(|e| e == "rs"));
    files.sort();
    let (mut training, mut bench) = (String::from("&[\n"), String::from("&[\n"));
    for path in files {
        let text = std::fs::read_to_string(&path)?;
        let list = match path.starts_with("src/bench") {
            true => &mut bench,
            false => &mut training,
        };
        let module = module_with_kernels(&path);
        for name in declared(&text) {
            let _ = writeln!(
                list,
                "    <{module}::{name} as crate::engine::Kernel>::INFO,"
            );
        }
    }
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    std::fs::write(Path::new(&out).join("kernels.rs"), training + "]\n")?;
    std::fs::write(Path::new(&out).join("bench_kernels.rs"), bench + "]\n")
}

/// Writes the list of the layers' files that have `samples`, as `src/layer/samples.rs` names them:
/// `&[super::add::samples, …]`.
fn layers() -> std::io::Result<()> {
    let mut files = Vec::new();
    collect(Path::new("src/layer"), &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for path in files {
        let text = std::fs::read_to_string(&path)?;
        if text.contains("\npub(in crate::layer) fn samples()") {
            let name = path.with_extension("").to_string_lossy().replace('\\', "/");
            let module = name.replacen("src/layer", "super", 1).replace('/', "::");
            let _ = writeln!(list, "    {module}::samples,");
        }
    }
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    std::fs::write(Path::new(&out).join("layers.rs"), list + "]\n")
}

/// The module by which the rest of the crate sees the kernels of a file.
fn module_with_kernels(path: &Path) -> String {
    let folder = path.parent().unwrap_or(path);
    let of_folder = std::fs::read_to_string(folder.join("mod.rs")).unwrap_or_default();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let is_open = ["pub mod", "pub(crate) mod"]
        .iter()
        .any(|open| (of_folder.lines()).any(|line| line == format!("{open} {stem};")));
    let module = match is_open {
        true => folder.join(&*stem),
        false => folder.to_owned(),
    };
    let module = module.to_string_lossy().replace('\\', "/");
    module.replacen("src", "crate", 1).replace('/', "::")
}

/// Names of the kernels that a file declares: `kernel! {`, comments, `pub NAME, …`.
fn declared(text: &str) -> Vec<&str> {
    let mut lines = text.lines().map(str::trim);
    let mut names = Vec::new();
    while let Some(line) = lines.next() {
        if matches!(line, "kernel! {" | "crate::kernel! {") {
            let declaration = lines.find(|line| !line.starts_with("//") && !line.starts_with('#'));
            let name = declaration.and_then(|line| line.strip_prefix("pub ")?.split(',').next());
            names.extend(name);
        }
    }
    names
}

/// Writes the list of the crate's kernels, by name, with their texts: `&[("folder/name", include_str!(…)), …]`.
fn own_shaders() -> std::io::Result<()> {
    let mut files = Vec::new();
    collect(Path::new("shaders"), &mut files)?;
    files.retain(|path| {
        !path.starts_with("shaders/lib") && path.extension().is_some_and(|e| e == "wgsl")
    });
    files.sort();
    let mut list = String::from("&[\n");
    for path in files {
        let name = path.with_extension("").to_string_lossy().replace('\\', "/");
        let name = name.trim_start_matches("shaders/");
        let text = format!(
            "include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/shaders/{name}.wgsl\"))"
        );
        let _ = writeln!(list, "    (\"{name}\", {text}),");
    }
    list.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    std::fs::write(Path::new(&out).join("own_shaders.rs"), list)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
    } else if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    }
    Ok(())
}
