//! `rootlet adapters`.

use clap::Args;
use rootlet::engine::{AdapterSummary, ShaderCompiler, adapter};
use rootlet::error::Fault;
use rootlet::report::counted;
use rootlet::{Error, Result};

use super::output;

/// Lists the GPUs and other adapters
///
/// Lists every adapter with its index, name, type, backend, driver, limits and features, and marks the one that
/// `--adapter auto` takes. On DX12 it says which compiler translates the shaders. `--adapter` (or the environment
/// variable ROOTLET_ADAPTER) chooses another.
#[derive(Debug, Args)]
pub struct AdaptersArgs {
    /// Print one JSON object per adapter
    #[arg(long)]
    json: bool,
}

/// Lists the adapters.
pub fn run(args: &AdaptersArgs) -> Result<()> {
    let list = adapter::list();
    let gpu = list.iter().any(|summary| summary.chosen);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = String::new();
    if args.json {
        for summary in &list {
            let line = serde_json::to_string(summary).map_err(|e| {
                Error::Device(Fault::Written {
                    what: "an adapter",
                    form: "JSON",
                    why: e.to_string(),
                })
            })?;
            text += &format!("{line}\n");
        }
        let cpu = serde_json::json!({
            "name": "cpu", "kind": "built-in", "threads": threads, "usable": true, "chosen": !gpu
        });
        text += &format!("{cpu}\n");
    } else {
        list.iter().for_each(|summary| text += &describe(summary));
        let chosen = match gpu {
            true => "",
            false => "   <- auto (there is no hardware GPU)",
        };
        let threads = counted(threads as u64, "thread");
        text += &format!("cpu  the built-in CPU executor, {threads}{chosen}\n");
    }
    output::print(&text)
}

fn describe(summary: &AdapterSummary) -> String {
    let mib = |bytes: u64| match bytes >> 20 {
        large if large >= 1 << 20 => format!("{} TiB", large >> 20),
        large if large >= 1 << 10 => format!("{} GiB", large >> 10),
        small => format!("{small} MiB"),
    };
    let mark = match (summary.chosen, summary.usable) {
        (true, _) => "   <- auto",
        (false, true) => "",
        (false, false) => "   (below WebGPU's default limits: cannot be used)",
    };
    let subgroups = match summary.subgroups {
        Some((min, max)) if min == max => format!("subgroups of {min}"),
        Some((min, max)) => format!("subgroups of {min} to {max}"),
        None => "no subgroups".to_owned(),
    };
    let compiler = match summary.shader_compiler {
        Some(compiler) => format!("; shaders compiled by {compiler}"),
        None => String::new(),
    };
    let warning = match summary.shader_compiler.and_then(ShaderCompiler::warning) {
        Some(warning) => format!("     warning: {warning}\n"),
        None => String::new(),
    };
    format!(
        "{:<4} {}{mark}\n     {}, {}, driver {}\n     largest binding {}, largest buffer {}; workgroups of {} with {} \
         KiB; \
         {subgroups}; {}{compiler}\n{warning}",
        summary.index,
        summary.name,
        summary.kind,
        summary.backend,
        summary.driver,
        mib(summary.max_binding),
        mib(summary.max_buffer),
        summary.workgroup_invocations,
        summary.workgroup_memory / 1024,
        if summary.timestamps {
            "timestamps"
        } else {
            "no timestamps"
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_is_told_and_fxc_warned_of() {
        let summary = |compiler| AdapterSummary {
            index: 3,
            name: "A GPU".into(),
            kind: "discrete GPU",
            backend: "dx12".into(),
            driver: "1.2".into(),
            max_binding: 1 << 30,
            max_buffer: 1 << 31,
            workgroup_memory: 32 << 10,
            workgroup_invocations: 1024,
            subgroups: None,
            timestamps: true,
            usable: true,
            chosen: true,
            shader_compiler: compiler,
            shapes: &[],
        };
        let text = describe(&summary(Some(ShaderCompiler::LoadedDxc)));
        assert!(
            text.ends_with("; shaders compiled by DXC, from dxcompiler.dll\n"),
            "{text}"
        );
        let text = describe(&summary(Some(ShaderCompiler::Fxc)));
        assert!(
            text.contains("shaders compiled by FXC\n     warning: "),
            "{text}"
        );
        assert!(!describe(&summary(None)).contains("compiled"));
    }
}
