//! The size of a dispatch.

/// How many workgroups a dispatch needs, in terms that are independent of the workgroup's size, which the shader
/// decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// One invocation along x per item.
    Items(usize),
    /// One invocation along y per row: a workgroup of `(lanes, rows)` handles as many rows as it is high.
    Rows(usize),
    /// This many workgroups.
    Groups(usize),
}

impl Grid {
    /// Number of workgroups needed if a workgroup has `size` invocations.
    pub fn workgroups(self, size: [u32; 3]) -> usize {
        match self {
            Grid::Items(n) => n.div_ceil(size[0] as usize),
            Grid::Rows(n) => n.div_ceil(size[1] as usize),
            Grid::Groups(n) => n,
        }
    }
}

/// Folds `groups` workgroups into x and y, each at most `limit` (WebGPU: 65,535).
///
/// The surplus `x * y - groups` is less than `y`; kernels skip it by comparing their index with their parameters.
pub fn fold(groups: usize, limit: u32) -> (u32, u32) {
    let y = groups.div_ceil(limit as usize).max(1);
    (groups.div_ceil(y) as u32, y as u32)
}
