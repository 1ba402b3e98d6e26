//! Which of DX12's shader compilers is used. rootlet chooses among them as wgpu would, but does so itself, because wgpu
//! does not report its choice.

use wgpu::Dx12Compiler;

use crate::engine::ShaderCompiler;

impl ShaderCompiler {
    /// Whether this build has DXC linked in: wgpu can do that only on x86-64 Windows with MSVC.
    const LINKED: bool = cfg!(all(
        windows,
        feature = "static-dxc",
        target_env = "msvc",
        not(target_arch = "aarch64")
    ));

    /// The compilers that this build can use, best first; the environment variable WGPU_DX12_COMPILER may request one.
    /// Empty if there is no DX12.
    pub(super) fn candidates() -> Vec<Self> {
        match cfg!(windows) {
            true => Self::ranked(Dx12Compiler::from_env(), Self::LINKED),
            false => Vec::new(),
        }
    }

    fn ranked(asked: Option<Dx12Compiler>, linked: bool) -> Vec<Self> {
        use ShaderCompiler::{Fxc, LinkedDxc, LoadedDxc};
        match asked.unwrap_or_default() {
            Dx12Compiler::Fxc => vec![Fxc],
            Dx12Compiler::DynamicDxc { .. } => vec![LoadedDxc, Fxc],
            // wgpu panics if asked for a linked one that it does not have.
            Dx12Compiler::StaticDxc | Dx12Compiler::Auto if linked => vec![LinkedDxc],
            Dx12Compiler::StaticDxc | Dx12Compiler::Auto => vec![LoadedDxc, Fxc],
        }
    }

    /// The setting for wgpu.
    pub(super) fn option(self) -> Dx12Compiler {
        match self {
            ShaderCompiler::LinkedDxc => Dx12Compiler::StaticDxc,
            ShaderCompiler::LoadedDxc => Dx12Compiler::default_dynamic_dxc(),
            ShaderCompiler::Fxc => Dx12Compiler::Fxc,
        }
    }

    /// The adapters that `open` finds with the first of `candidates` with which DX12 opens, and that candidate. DX12
    /// has no adapters with a compiler that is missing.
    pub(super) fn first<T>(
        candidates: Vec<Self>,
        mut open: impl FnMut(Option<Self>) -> Vec<T>,
        is_dx12: impl Fn(&T) -> bool,
    ) -> (Vec<T>, Option<Self>) {
        for &candidate in &candidates {
            let adapters = open(Some(candidate));
            if adapters.iter().any(&is_dx12) {
                return (adapters, Some(candidate));
            }
        }
        (open(None), None)
    }
}

#[cfg(test)]
mod tests {
    use super::ShaderCompiler::{Fxc, LinkedDxc, LoadedDxc};
    use super::*;

    #[test]
    fn dxc_goes_before_fxc_and_a_wish_before_both() {
        let ranked = |asked: &str, linked| {
            let asked = (!asked.is_empty()).then(|| asked.parse().unwrap());
            ShaderCompiler::ranked(asked, linked)
        };
        for (asked, linked, expected) in [
            ("", true, vec![LinkedDxc]),
            ("", false, vec![LoadedDxc, Fxc]),
            ("auto", true, vec![LinkedDxc]),
            ("staticdxc", false, vec![LoadedDxc, Fxc]),
            ("dxc", true, vec![LoadedDxc, Fxc]),
            ("fxc", true, vec![Fxc]),
        ] {
            assert_eq!(ranked(asked, linked), expected, "{asked:?}, {linked}");
        }
    }

    /// A machine with a Vulkan adapter, on which DX12 opens with the compilers in `there`.
    fn found(candidates: Vec<ShaderCompiler>, there: &[ShaderCompiler]) -> Option<ShaderCompiler> {
        let open = |with: Option<ShaderCompiler>| match with {
            Some(compiler) if there.contains(&compiler) => vec!["vulkan", "dx12"],
            _ => vec!["vulkan"],
        };
        let (adapters, compiler) = ShaderCompiler::first(candidates, open, |a| *a == "dx12");
        assert_eq!(adapters.contains(&"dx12"), compiler.is_some());
        compiler
    }

    #[test]
    fn the_first_compiler_that_is_there_is_taken() {
        let both = || vec![LoadedDxc, Fxc];
        assert_eq!(found(both(), &[LoadedDxc, Fxc]), Some(LoadedDxc));
        assert_eq!(found(both(), &[Fxc]), Some(Fxc));
        assert_eq!(found(both(), &[]), None);
        assert_eq!(found(Vec::new(), &[Fxc]), None);
    }
}
