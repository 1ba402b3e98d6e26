//! Instrumented kernels: every loop of a shader adds to a counter of its invocation.

use rootlet::engine::kernel::{BindingInfo, BindingKind, KernelInfo};
use rootlet::engine::wgsl::expand;
use rootlet::engine::{Class, Device, Dispatch, Plan};

/// The most iterations that an invocation of the dispatch makes in all its loops together, on a device.
pub fn count(device: &Device, dispatch: &Dispatch) -> u64 {
    let most = device.buffer("most", Class::Scratch, 4).unwrap();
    let mut counting = dispatch.clone();
    counting.kernel = counting_copy(dispatch.kernel);
    counting.views.push(most.all());
    let mut plan = Plan::new("counting");
    plan.push(counting).unwrap();
    let program = device.prepare(&plan).unwrap();
    device.run(&program).unwrap();
    let words: Vec<u32> = device.download(&most.all()).unwrap();
    u64::from(words[0])
}

fn counting_copy(kernel: &'static KernelInfo) -> &'static KernelInfo {
    let mut bindings = kernel.bindings.to_vec();
    bindings.push(BindingInfo {
        name: "most",
        kind: BindingKind::Write("u32"),
    });
    let source = with_entry(&with_counters(&expand(kernel).unwrap()), kernel);
    Box::leak(Box::new(KernelInfo {
        source: source.leak(),
        bindings: bindings.leak(),
        twin: |_| {},
        ..*kernel
    }))
}

/// Adds one before each loop, for the round that finds its end, and one in each round.
fn with_counters(source: &str) -> String {
    let mut text = String::new();
    for line in source.lines() {
        let code = line.trim_start();
        let loops = ["for (", "while ", "loop {"]
            .iter()
            .any(|word| code.starts_with(word));
        assert!(!loops || code.ends_with('{'), "a loop over lines: {line}");
        match loops {
            true => text += &format!("iterations += 1u;\n{line}\niterations += 1u;\n"),
            false => text += &format!("{line}\n"),
        }
    }
    text
}

/// Turns the entry point into a function that another one calls, which then reports the count.
fn with_entry(source: &str, kernel: &KernelInfo) -> String {
    let name = kernel.entry_point();
    let begin = source.find(&format!("fn {name}(")).unwrap();
    let attributes = source[..begin].rfind("@compute").unwrap();
    let open = begin + source[begin..].find('(').unwrap() + 1;
    let close = open + source[open..].find(") {").unwrap();
    let parameters = &source[open..close];
    // `@builtin(what) name: type` each.
    let plain: Vec<&str> = parameters
        .split(',')
        .filter_map(|parameter| Some(parameter.split_once(") ")?.1))
        .collect();
    let names: Vec<&str> = plain.iter().map(|p| p.split_once(':').unwrap().0).collect();
    format!(
        "{}fn inner({}{}\n\
         var<private> iterations: u32;\n\
         @group(0) @binding(16) var<storage, read_write> most: array<atomic<u32>>;\n\
         {}fn {name}({parameters}) {{ inner({}); atomicMax(&most[0], iterations); }}\n",
        &source[..attributes],
        plain.join(", "),
        &source[close..],
        &source[attributes..begin],
        names.join(", "),
    )
}
