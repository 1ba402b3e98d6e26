//! Mesa's RADV on its null device: compiles compute pipelines for an AMD chip that is not present, and reports the
//! result. Nothing runs.
#![allow(unsafe_code)] // Vulkan is C.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};

use ash::{ext, khr, vk};

/// The driver's manifest, as in Debian's mesa-vulkan-drivers.
const MANIFEST: &str = "/usr/share/vulkan/icd.d/radeon_icd.x86_64.json";

/// A chip to compile for.
pub struct Radv {
    _entry: ash::Entry,
    device: ash::Device,
    executables: khr::pipeline_executable_properties::Device,
    pub driver: String,
}

/// A compiled pipeline.
pub struct Compiled {
    /// The driver's statistics, by its own names.
    pub statistics: BTreeMap<String, u64>,
    /// The chip's assembly.
    pub assembly: String,
}

fn text(from: &[c_char]) -> String {
    // SAFETY: Vulkan ends its fixed arrays of characters by a zero.
    unsafe { CStr::from_ptr(from.as_ptr()) }
        .to_string_lossy()
        .into_owned()
}

impl Radv {
    /// Opens the chip of this family, such as `navi21`. Only once per process: the driver reads its environment when it
    /// is loaded.
    pub fn open(family: &str) -> Self {
        assert!(
            std::path::Path::new(MANIFEST).exists(),
            "no RADV driver at {MANIFEST}: `apt-get install mesa-vulkan-drivers` brings it on Debian and Ubuntu"
        );
        // SAFETY: before any other thread of this process reads the environment.
        unsafe {
            std::env::set_var("VK_ICD_FILENAMES", MANIFEST);
            std::env::set_var("VK_DRIVER_FILES", MANIFEST);
            std::env::set_var("RADV_FORCE_FAMILY", family);
        }
        // SAFETY: all structures live as long as the calls that take them; nothing is used after it is destroyed,
        // because nothing is destroyed before the process ends.
        unsafe {
            let entry = ash::Entry::load().expect("Vulkan's loader: `apt-get install libvulkan1`");
            let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
            let instance = vk::InstanceCreateInfo::default().application_info(&application);
            let instance = entry.create_instance(&instance, None).unwrap();
            let physical = instance.enumerate_physical_devices().unwrap()[0];
            let mut driver = vk::PhysicalDeviceDriverProperties::default();
            let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
            instance.get_physical_device_properties2(physical, &mut properties);
            let driver = text(&driver.driver_info);

            let priorities = [1.0];
            let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&priorities)];
            // What wgpu requests if it is offered.
            let features = vk::PhysicalDeviceFeatures::default().robust_buffer_access(true);
            let mut robust =
                vk::PhysicalDeviceRobustness2FeaturesEXT::default().robust_buffer_access2(true);
            let mut model = vk::PhysicalDeviceVulkan12Features::default().vulkan_memory_model(true);
            let mut information =
                vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
                    .pipeline_executable_info(true);
            let extensions = [
                khr::pipeline_executable_properties::NAME.as_ptr(),
                ext::robustness2::NAME.as_ptr(),
            ];
            let create = vk::DeviceCreateInfo::default()
                .queue_create_infos(&queues)
                .enabled_features(&features)
                .enabled_extension_names(&extensions)
                .push_next(&mut robust)
                .push_next(&mut model)
                .push_next(&mut information);
            let device = instance.create_device(physical, &create, None).unwrap();
            let executables = khr::pipeline_executable_properties::Device::new(&instance, &device);
            Radv {
                _entry: entry,
                device,
                executables,
                driver,
            }
        }
    }

    /// Compiles an entry point; `bindings` are those of group 0, and whether each is a uniform.
    pub fn compile(&self, words: &[u32], entry: &str, bindings: &[(u32, bool)]) -> Compiled {
        let binding = |&(binding, uniform): &(u32, bool)| {
            vk::DescriptorSetLayoutBinding::default()
                .binding(binding)
                .descriptor_count(1)
                .stage_flags(vk::ShaderStageFlags::COMPUTE)
                .descriptor_type(match uniform {
                    true => vk::DescriptorType::UNIFORM_BUFFER,
                    false => vk::DescriptorType::STORAGE_BUFFER,
                })
        };
        let bindings: Vec<_> = bindings.iter().map(binding).collect();
        let entry = CString::new(entry).unwrap();
        // SAFETY: as in `open`.
        unsafe {
            let set = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
            let sets = [self
                .device
                .create_descriptor_set_layout(&set, None)
                .unwrap()];
            let layout = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
            let layout = self.device.create_pipeline_layout(&layout, None).unwrap();
            let module = vk::ShaderModuleCreateInfo::default().code(words);
            let module = self.device.create_shader_module(&module, None).unwrap();
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(&entry);
            let create = [vk::ComputePipelineCreateInfo::default()
                .stage(stage)
                .layout(layout)
                .flags(
                    vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
                        | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR,
                )];
            let pipeline = self
                .device
                .create_compute_pipelines(vk::PipelineCache::null(), &create, None)
                .unwrap()[0];
            let executable = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline);
            let compiled = Compiled {
                statistics: self.statistics(&executable),
                assembly: self.assembly(&executable),
            };
            self.device.destroy_pipeline(pipeline, None);
            self.device.destroy_shader_module(module, None);
            self.device.destroy_pipeline_layout(layout, None);
            self.device.destroy_descriptor_set_layout(sets[0], None);
            compiled
        }
    }

    unsafe fn statistics(
        &self,
        executable: &vk::PipelineExecutableInfoKHR<'_>,
    ) -> BTreeMap<String, u64> {
        // SAFETY: the caller's pipeline lives.
        let found = unsafe { (self.executables).get_pipeline_executable_statistics(executable) };
        let number = |s: &vk::PipelineExecutableStatisticKHR<'_>| {
            // SAFETY: RADV's are all unsigned.
            (s.format == vk::PipelineExecutableStatisticFormatKHR::UINT64)
                .then(|| (text(&s.name), unsafe { s.value.u64 }))
        };
        found.unwrap().iter().filter_map(number).collect()
    }

    unsafe fn assembly(&self, executable: &vk::PipelineExecutableInfoKHR<'_>) -> String {
        let get = self
            .executables
            .fp()
            .get_pipeline_executable_internal_representations_khr;
        let device = self.device.handle();
        // SAFETY: asked twice, for the number and for the sizes; then each has room for its own text.
        unsafe {
            let mut count = 0;
            let _ = get(device, executable, &mut count, std::ptr::null_mut());
            let mut all =
                vec![vk::PipelineExecutableInternalRepresentationKHR::default(); count as usize];
            let _ = get(device, executable, &mut count, all.as_mut_ptr());
            let mut texts: Vec<Vec<u8>> = all.iter().map(|r| vec![0; r.data_size]).collect();
            for (one, text) in all.iter_mut().zip(&mut texts) {
                one.p_data = text.as_mut_ptr().cast();
            }
            let _ = get(device, executable, &mut count, all.as_mut_ptr());
            let assembly = all
                .iter()
                .position(|one| text(&one.name).contains("Assembly"));
            let bytes = &texts[assembly.expect("RADV tells the assembly")];
            String::from_utf8_lossy(bytes)
                .trim_end_matches('\0')
                .to_owned()
        }
    }
}
