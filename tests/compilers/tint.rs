//! WGSL itself, through Chromium's compiler Tint: a page that makes every pipeline and reports every message.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use rootlet::engine::WorkgroupShape;
use rootlet::engine::kernel::KernelInfo;
use rootlet::engine::reflect::{Reflection, reflect};
use rootlet::engine::wgsl::{capabilities, expand_ranges};
use serde_json::{Value, json};

use crate::browser;
use crate::shaders::kernels;

/// Chromium uses SwiftShader if it has no other adapter; that takes half a minute.
const PATIENCE: Duration = Duration::from_secs(240);

/// Sends `[{name, messages}]` for those of `PIPELINES` that caused messages, and their number.
const PAGE: &str = r#"<!DOCTYPE html><meta charset="utf-8"><script type="module">
const pipelines = PIPELINES, report = { done: 0, faults: [] };
try {
  const adapter = await navigator.gpu.requestAdapter();
  const most = adapter.limits.maxStorageBuffersPerShaderStage;
  const device = await adapter.requestDevice({
    requiredFeatures: ['subgroups'], requiredLimits: { maxStorageBuffersPerShaderStage: most },
  });
  device.onuncapturederror = e => report.faults.push({ name: 'device', messages: [e.error.message] });
  await Promise.all(pipelines.map(async ({ name, code, entryPoint, constants, buffers }) => {
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code });
    const refused = await device.popErrorScope();
    const { messages } = await module.getCompilationInfo();
    const said = messages.map(m => `${m.type}, line ${m.lineNum}: ${m.message}`);
    if (refused) said.push(refused.message);
    try {
      // A kernel with more buffers than the adapter binds is not made there by the engine either.
      const compute = { module, entryPoint, constants };
      if (buffers <= most) await device.createComputePipelineAsync({ layout: 'auto', compute });
    } catch (error) {
      said.push(error.message);
    }
    if (said.length) report.faults.push({ name, messages: said });
    report.done++;
  }));
} catch (error) {
  report.faults.push({ name: 'page', messages: [String(error)] });
}
fetch('/report', { method: 'POST', body: JSON.stringify(report) });
</script>"#;

/// A kernel's pipelines: for whole dispatches, and for ranges of workgroups if it supports them.
fn pipelines(kernel: &KernelInfo, shape: WorkgroupShape) -> Vec<Value> {
    let reflection = reflect(kernel, &shape.constants()).unwrap();
    let ranges = reflection.ranges.then(|| expand_ranges(kernel).unwrap());
    let sources = [Some(reflection.source.clone()), ranges];
    let pipeline = |source: String| pipeline(kernel, shape, &reflection, &source);
    sources.into_iter().flatten().map(pipeline).collect()
}

fn pipeline(
    kernel: &KernelInfo,
    shape: WorkgroupShape,
    reflection: &Reflection,
    source: &str,
) -> Value {
    let enable = match capabilities(kernel).is_empty() {
        true => "",
        // naga takes subgroups without it.
        false => "enable subgroups;\n",
    };
    let constants: serde_json::Map<String, Value> = shape
        .constants()
        .iter()
        .filter(|(name, _)| reflection.overrides.iter().any(|o| o == name))
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    json!({
        "name": format!("{} {shape:?}", kernel.name), "code": format!("{enable}{source}"),
        "entryPoint": kernel.entry_point(), "constants": constants,
        "buffers": kernel.storage_buffers(),
    })
}

/// Answers one request with the page, or with thanks for the report.
fn answer(stream: TcpStream, page: &str, reports: &Sender<String>) -> std::io::Result<()> {
    let mut reader = BufReader::new(&stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        match header.trim().to_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let content = match request.starts_with("POST /report") {
        true => {
            let _ = reports.send(String::from_utf8(body).unwrap());
            ""
        }
        false => page,
    };
    write!(
        &stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{content}",
        content.len()
    )
}

/// What Chromium reports about the pipelines.
fn report(pipelines: &[Value]) -> Value {
    let list = serde_json::to_string(pipelines)
        .unwrap()
        .replace("</", "<\\/");
    let page = PAGE.replace("PIPELINES", &list);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = answer(stream.unwrap(), &page, &sender);
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let mut chromium = browser::command(folder.path())
        .args(["--enable-unsafe-webgpu", &address])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let report = receiver.recv_timeout(PATIENCE);
    let _ = chromium.kill();
    chromium.wait().unwrap();
    serde_json::from_str(&report.expect("Chromium's report")).unwrap()
}

/// Valid for naga, which does not check whether all invocations reach a uniform load.
const NOT_UNIFORM: &str = "
@group(0) @binding(0) var<storage, read_write> output: array<u32>;
var<workgroup> shared_value: u32;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
    if output[lane] == 0u {
        output[lane] = workgroupUniformLoad(&shared_value);
    }
}";

#[test]
fn tint_has_nothing_against_any_kernel_and_something_against_a_broken_one() {
    naga::front::wgsl::parse_str(NOT_UNIFORM).unwrap();
    let mut pipelines = vec![
        json!({ "name": "broken", "code": NOT_UNIFORM, "entryPoint": "main", "constants": {},
            "buffers": 1 }),
    ];
    for kernel in kernels() {
        let shapes = WorkgroupShape::ALL.into_iter();
        pipelines.extend(shapes.flat_map(|shape| self::pipelines(kernel, shape)));
    }
    let report = report(&pipelines);
    let faults = report["faults"].as_array().unwrap();
    let names: BTreeSet<&str> = faults.iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["broken"]), "{faults:#?}");
    let said = faults[0]["messages"].to_string();
    assert!(said.contains("uniform control flow"), "{said}");
    assert_eq!(report["done"], pipelines.len(), "all were compiled");
}
