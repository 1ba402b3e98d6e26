//! DX12's shader compilers.

/// What compiles the shaders of a DX12 adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShaderCompiler {
    /// DXC, linked in by the feature `static-dxc`.
    LinkedDxc,
    /// DXC from the library `dxcompiler.dll`.
    LoadedDxc,
    /// FXC, which every Windows has.
    Fxc,
}

impl std::fmt::Display for ShaderCompiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ShaderCompiler::LinkedDxc => "DXC, linked in",
            ShaderCompiler::LoadedDxc => "DXC, from dxcompiler.dll",
            ShaderCompiler::Fxc => "FXC",
        })
    }
}

impl ShaderCompiler {
    /// A warning for its users, if there is one.
    pub fn warning(self) -> Option<&'static str> {
        match self {
            ShaderCompiler::LinkedDxc | ShaderCompiler::LoadedDxc => None,
            ShaderCompiler::Fxc => Some(
                "this adapter's shaders are compiled by FXC, Windows' old compiler, which is slow and known to compile \
                 some wrongly; put dxcompiler.dll of https://github.com/microsoft/DirectXShaderCompiler/releases \
                 (1.8.2502 or newer) beside rootlet, use a rootlet built with the feature static-dxc, or choose the \
                 GPU's Vulkan adapter",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ShaderCompiler::{Fxc, LinkedDxc, LoadedDxc};

    #[test]
    fn only_fxc_is_warned_of() {
        assert_eq!(LinkedDxc.warning(), None);
        assert_eq!(LoadedDxc.warning(), None);
        let text = Fxc.warning().unwrap();
        for part in ["FXC", "dxcompiler.dll", "static-dxc", "Vulkan"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
