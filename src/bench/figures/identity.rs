//! What was measured: the adapter and its driver.

use std::str::FromStr;

use pulp::{Simd, WithSimd};

use crate::engine::{AdapterChoice, Device, adapter};

/// The adapter's identity.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// The device's name; for the CPU executor, the processor's name.
    pub name: String,
    /// "Vulkan", "Metal", "Dx12", or "cpu" for the CPU executor.
    pub backend: String,
    /// "discrete GPU", "integrated GPU", "virtual GPU", "software", "other", or "cpu".
    pub device_type: String,
    /// The driver and its version; for the CPU executor, rootlet's version, the threads and the vectors.
    pub driver: String,
}

impl Identity {
    /// The identity of `device`, which was opened by `choice`.
    pub fn of(device: &Device, choice: &str) -> Self {
        if device.is_cpu() {
            return cpu(device);
        }
        let Ok(choice) = AdapterChoice::from_str(choice);
        let summary = adapter::list().into_iter().find(|s| match choice {
            AdapterChoice::Index(index) => s.index == index,
            AdapterChoice::Auto => s.chosen,
            _ => s.name == device.name(),
        });
        let name = device.name().to_owned();
        match summary {
            Some(s) => Identity {
                name,
                backend: s.backend,
                device_type: s.kind.to_owned(),
                driver: s.driver,
            },
            None => Identity {
                name,
                backend: String::new(),
                device_type: String::new(),
                driver: String::new(),
            },
        }
    }
}

fn cpu(device: &Device) -> Identity {
    // "cpu, 2 threads"
    let threads = device.description().trim_start_matches("cpu, ").to_owned();
    Identity {
        name: processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        backend: "cpu".to_owned(),
        device_type: "cpu".to_owned(),
        driver: format!(
            "rootlet {}, {threads}, {}-bit vectors",
            env!("CARGO_PKG_VERSION"),
            pulp::Arch::new().dispatch(Lanes) * 32
        ),
    }
}

/// Number of floats in a vector of the CPU twins.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> usize {
        S::F32_LANES
    }
}

/// The processor's brand, as the processor reports it.
#[cfg(target_arch = "x86_64")]
fn processor() -> Option<String> {
    use std::arch::x86_64::__cpuid;
    // Leaf 0x80000000 gives the last extended leaf. The brand is in three of them, 16 characters each.
    if __cpuid(0x8000_0000).eax < 0x8000_0004 {
        return None;
    }
    let mut bytes = Vec::new();
    for leaf in 0x8000_0002..=0x8000_0004u32 {
        let r = __cpuid(leaf);
        for word in [r.eax, r.ebx, r.ecx, r.edx] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end_matches('\0').trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Other processors do not report their brand to programs.
#[cfg(not(target_arch = "x86_64"))]
fn processor() -> Option<String> {
    None
}
