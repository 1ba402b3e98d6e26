//! A kernel is a pair: one WGSL entry point and its CPU twin over the same bindings and parameters.
//!
//! [`kernel!`](crate::kernel!) declares the host half once. It generates the struct whose fields bind buffers by name,
//! the parameter struct that becomes the shader's uniform, and the struct of slices that the twin works on. When a
//! device first uses a kernel, [`crate::engine::reflect`] compares all of that with what naga finds in the shader.

pub use super::bindings::{BindingInfo, BindingKind, Field, FieldKind, FieldType, Uniform};
use super::chain::Chain;
use super::grid::Grid;
use super::loops::Piece;
use super::shape::WorkgroupShape;
pub use super::twin_call::TwinCall;
use crate::engine::View;
use crate::error::Result;

/// Everything the engine knows about a kernel.
#[derive(Debug)]
pub struct KernelInfo {
    /// Path below `shaders/`, without the extension; the last part is the entry point's name.
    pub name: &'static str,
    /// The WGSL text before its `#import` lines are expanded.
    pub source: &'static str,
    /// The fields of `var<uniform> params`.
    pub params: &'static [Field],
    /// The other bindings, in the order of the host's struct.
    pub bindings: &'static [BindingInfo],
    /// Whether the shader binds [`Part`](super::loops::Part), and can therefore run in several pieces.
    pub parts: bool,
    /// The dispatches that replace one with these bytes of parameters and this grid, and how long their loops are.
    pub pieces: fn(&[u8], Grid, WorkgroupShape) -> Vec<Piece>,
    /// The other workgroup shapes that it can run in.
    pub variants: Variants,
    /// Runs the twin.
    pub twin: fn(&TwinCall<'_>),
    /// The chain of twins that it can begin, if the right kernels follow.
    pub chain: Option<&'static Chain>,
}

/// Other workgroup shapes of a kernel, which give the same bits.
#[derive(Clone, Copy, Debug)]
pub struct Variants {
    /// The shapes, of either family.
    pub shapes: &'static [WorkgroupShape],
    /// How many consecutive invocations have work with these parameters; further lanes would be idle.
    pub width: fn(&[u8]) -> u32,
    /// The kernel that takes its place in the shapes by subgroups, with the same bindings and parameters. Most kernels
    /// have no such shapes.
    pub subgroups: Option<&'static KernelInfo>,
}

impl Variants {
    /// The variants of most kernels.
    pub const NONE: Variants = Variants {
        shapes: &[],
        width: |_| u32::MAX,
        subgroups: None,
    };
}

impl KernelInfo {
    /// Name of the WGSL entry point: the last part of the kernel's name.
    pub fn entry_point(&self) -> &'static str {
        self.name.rsplit('/').next().unwrap_or(self.name)
    }

    /// Number of storage buffers that it binds.
    pub fn storage_buffers(&self) -> usize {
        let uniform = |binding: &&BindingInfo| matches!(binding.kind, BindingKind::Uniform(_));
        self.bindings.len() - self.bindings.iter().filter(uniform).count()
    }

    /// Its name and its bindings, for a call of its twin.
    pub(crate) fn bound(&self) -> (&'static str, &'static [BindingInfo]) {
        (self.name, self.bindings)
    }

    /// Runs its twin on the memory of `call`.
    pub(crate) fn run_twin(&self, call: Result<TwinCall<'_>>) -> Result<()> {
        let call = call?;
        (self.twin)(&call);
        call.store();
        Ok(())
    }

    /// The shapes that it can run in if other kernels run in `base`: that one, and its variants of the same family.
    pub fn shapes(&self, base: WorkgroupShape) -> impl Iterator<Item = WorkgroupShape> {
        let others = self.variants.shapes.iter().copied();
        let others = others.filter(move |other| other.family == base.family && *other != base);
        std::iter::once(base).chain(others)
    }

    /// The kernel that runs in a shape: itself, or the one that takes its place there.
    pub fn in_shape(&'static self, shape: WorkgroupShape) -> &'static KernelInfo {
        let other = self.variants.subgroups.filter(|_| shape.needs_subgroups());
        other.unwrap_or(self)
    }
}

/// A kernel with its bindings filled in: what [`crate::engine::Plan::dispatch`] records.
pub trait Kernel {
    /// The kernel.
    const INFO: &'static KernelInfo;
    /// The bytes of `params`.
    fn params(&self) -> &[u8];
    /// One view per binding, in the order of `INFO.bindings`.
    fn views(self) -> Vec<View>;
}

/// Declares a `repr(C)` struct of `u32` and `f32` fields, and of other such structs, that a shader sees as a uniform.
#[macro_export]
macro_rules! uniform {
    ( $(#[$meta:meta])* $vis:vis struct $Name:ident { $( $(#[$fmeta:meta])* $field:ident : $ty:ty ),+ $(,)? } ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, $crate::engine::kernel::bytemuck::Pod, $crate::engine::kernel::bytemuck::Zeroable)]
        #[bytemuck(crate = "::rootlet::engine::kernel::bytemuck")]
        #[repr(C)]
        $vis struct $Name { $( $(#[$fmeta])* pub $field: $ty ),+ }

        impl $crate::engine::kernel::Uniform for $Name {
            const FIELDS: &'static [$crate::engine::kernel::Field] = &[ $(
                $crate::engine::kernel::Field {
                    name: stringify!($field),
                    kind: <$ty as $crate::engine::kernel::FieldType>::KIND,
                    offset: ::std::mem::offset_of!($Name, $field),
                }
            ),+ ];
        }

        impl $crate::engine::kernel::FieldType for $Name {
            const KIND: $crate::engine::kernel::FieldKind =
                $crate::engine::kernel::FieldKind::Struct(<$Name as $crate::engine::kernel::Uniform>::FIELDS);
        }
    };
}

/// Declares the host half of a kernel; the module documentation of [`engine::kernel`](crate::engine::kernel) says what
/// this generates. The twin is a method `run(self)` on the third name. A kernel whose loops may be too long for an
/// adapter has `pieces FUNCTION;` there, a [`Pieces`](crate::engine::loops::Pieces) that splits it.
///
/// ```text
/// kernel! {
///     /// What it computes.
///     pub Scale, ScaleParams, ScaleTwin = "folder/scale", include_str!("scale.wgsl");
///     // or `…, variants SHAPES, |params| params.length / 4;`, and `, subgroups KERNEL` behind it:
///     // see [`Variants`](crate::engine::kernel::Variants);
///     // or `…, chain &CHAIN;`, the first kernel of a [`Chain`](crate::engine::chain::Chain)
///     params { length: u32, factor: f32 } // or `params shared;`: the second name is then that of a `uniform!`
///     no loops;               // or `loops |params, shape| looped(…);`: see [`engine::loops`](crate::engine::loops)
///     read input: f32,        // var<storage, read> input: array<f32>
///     write output: f32,      // var<storage, read_write> output: array<f32>
///     uniform step: StepState // var<uniform> step: StepState
/// }
/// impl ScaleTwin<'_> { fn run(self) { … } }
/// ```
#[macro_export]
macro_rules! kernel {
    (
        $(#[$meta:meta])*
        $vis:vis $Name:ident, $Params:ident, $Twin:ident = $path:expr, $source:expr
        $(, variants $variants:expr, $width:expr $(, subgroups $subgroups:ty)?)? $(, chain $chain:expr)?;
        params { $( $(#[$pmeta:meta])* $pfield:ident : $pty:ty ),+ $(,)? }
        $loops:ident $how:expr;
        $( $(#[$bmeta:meta])* $access:ident $binding:ident : $bty:ty ),+ $(,)?
    ) => {
        $crate::uniform! {
            #[doc(hidden)]
            #[doc = concat!("Parameters of [`struct@", stringify!($Name), "`]: the shader's uniform `params`.")]
            $vis struct $Params { $( $(#[$pmeta])* #[allow(missing_docs)] $pfield : $pty ),+ }
        }

        $crate::kernel! {
            $(#[$meta])*
            $vis $Name, $Params, $Twin = $path, $source $(, variants $variants, $width $(, subgroups $subgroups)?)? $(, chain $chain)?;
            params shared;
            $loops $how;
            $( $(#[$bmeta])* $access $binding : $bty ),+
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis $Name:ident, $Params:ident, $Twin:ident = $path:expr, $source:expr
        $(, variants $variants:expr, $width:expr $(, subgroups $subgroups:ty)?)? $(, chain $chain:expr)?;
        params shared;
        $loops:ident $how:expr;
        $( $(#[$bmeta:meta])* $access:ident $binding:ident : $bty:ty ),+ $(,)?
    ) => {
        $(#[$meta])*
        // There are hundreds of them, useful only for recording plans: the source has them.
        #[doc(hidden)]
        #[derive(Clone)]
        $vis struct $Name {
            /// The parameters.
            pub params: $Params,
            $( $(#[$bmeta])* #[allow(missing_docs)] pub $binding: $crate::engine::View ),+
        }

        #[doc(hidden)]
        #[doc = concat!("Bindings of [`struct@", stringify!($Name), "`] as the CPU twin sees them.")]
        #[allow(missing_docs, dead_code)]
        $vis struct $Twin<'a> {
            pub params: $Params,
            $( pub $binding: $crate::kernel!(@slice 'a $access $bty) ),+
        }

        impl $crate::engine::Kernel for $Name {
            const INFO: &'static $crate::engine::KernelInfo = &$crate::engine::KernelInfo {
                name: $path,
                source: $source,
                params: <$Params as $crate::engine::kernel::Uniform>::FIELDS,
                bindings: &[ $( $crate::engine::kernel::BindingInfo {
                    name: stringify!($binding),
                    kind: $crate::kernel!(@kind $access $bty),
                } ),+ ],
                parts: $crate::kernel!(@parts $loops),
                pieces: |params, grid, shape| {
                    let params = &$crate::engine::kernel::bytemuck::pod_read_unaligned::<$Params>(params);
                    $crate::kernel!(@pieces $loops $Params $how, params, grid, shape)
                },
                variants: $crate::kernel!(@variants $Params $($variants, $width, $($subgroups)?)?),
                twin: |call| {
                    let mut _index = 0usize..;
                    $Twin {
                        params: call.params(),
                        $( $binding: $crate::kernel!(@get call _index $access $bty) ),+
                    }.run()
                },
                chain: $crate::kernel!(@chain $($chain)?),
            };

            fn params(&self) -> &[u8] {
                $crate::engine::kernel::bytemuck::bytes_of(&self.params)
            }

            fn views(self) -> Vec<$crate::engine::View> {
                vec![ $( self.$binding ),+ ]
            }
        }
    };
    (@variants $Params:ident) => { $crate::engine::kernel::Variants::NONE };
    (@variants $Params:ident $shapes:expr, $width:expr, $($subgroups:ty)?) => {
        $crate::engine::kernel::Variants {
            shapes: $shapes,
            width: |params| {
                let width: fn(&$Params) -> u32 = $width;
                width(&$crate::engine::kernel::bytemuck::pod_read_unaligned(params))
            },
            subgroups: $crate::kernel!(@subgroups $($subgroups)?),
        }
    };
    (@subgroups) => { None };
    (@subgroups $Kernel:ty) => { Some(<$Kernel as $crate::engine::Kernel>::INFO) };
    (@chain) => { None };
    (@chain $chain:expr) => { Some($chain) };
    (@parts no) => { false };
    (@parts loops) => { false };
    (@parts pieces) => { true };
    (@pieces no $Params:ident $how:expr, $params:ident, $grid:ident, $shape:ident) => {{
        let _: (&$Params, $crate::engine::WorkgroupShape) = ($params, $shape);
        $crate::engine::loops::Piece::whole($grid, $crate::engine::loops::NONE)
    }};
    (@pieces loops $Params:ident $how:expr, $params:ident, $grid:ident, $shape:ident) => {{
        let loops: fn(&$Params, $crate::engine::WorkgroupShape) -> $crate::engine::loops::Loops = $how;
        $crate::engine::loops::Piece::whole($grid, loops($params, $shape))
    }};
    (@pieces pieces $Params:ident $how:expr, $params:ident, $grid:ident, $shape:ident) => {{
        let pieces: $crate::engine::loops::Pieces<$Params> = $how;
        pieces($params, $grid, $shape)
    }};
    (@slice $life:lifetime read $ty:ty) => { &$life [$ty] };
    (@slice $life:lifetime write $ty:ty) => { &$life mut [$ty] };
    (@slice $life:lifetime uniform $ty:ty) => { $ty };
    (@kind read $ty:ty) => { $crate::engine::kernel::BindingKind::Read(<$ty as $crate::engine::buffer::Scalar>::WGSL) };
    (@kind write $ty:ty) => { $crate::engine::kernel::BindingKind::Write(<$ty as $crate::engine::buffer::Scalar>::WGSL) };
    (@kind uniform $ty:ty) => { $crate::engine::kernel::BindingKind::Uniform(<$ty as $crate::engine::kernel::Uniform>::FIELDS) };
    (@get $call:ident $index:ident read $ty:ty) => { $call.read::<$ty>($crate::engine::kernel::next(&mut $index)) };
    (@get $call:ident $index:ident write $ty:ty) => { $call.write::<$ty>($crate::engine::kernel::next(&mut $index)) };
    (@get $call:ident $index:ident uniform $ty:ty) => { $call.uniform::<$ty>($crate::engine::kernel::next(&mut $index)) };
}

/// The embedded source of the crate's own kernel `name`.
macro_rules! shader {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/shaders/",
            $name,
            ".wgsl"
        ))
    };
}

#[doc(hidden)]
pub use bytemuck;

#[doc(hidden)]
pub fn next(counter: &mut std::ops::RangeFrom<usize>) -> usize {
    let index = counter.start;
    counter.start += 1;
    index
}
