//! What an adapter can do at most.
//!
//! | file | job |
//! |---|---|
//! | `all.rs` | the ceilings, and their measurement one after another |
//! | `copy.rs`, `load.rs`, `multiply_add.rs` | kernels that copy, load and calculate |
//! | `loads.rs` | rates of loads by the size of the buffer |
//! | `latency.rs`, `count.rs`, `workgroup.rs` | the cost of waiting, and the kernels behind it |

mod all;
mod copy;
mod count;
mod latency;
mod load;
pub(super) mod loads;
mod multiply_add;
mod workgroup;

pub use all::Ceilings;
pub(super) use all::{measure, multiply_add};
pub use copy::{Copy, CopyParams};
pub use count::{Count, CountParams};
pub use load::{Load, LoadParams, Pattern};
pub use loads::LoadRate;
pub use multiply_add::{MultiplyAdd, MultiplyAddParams};
pub use workgroup::{
    Exchange, ExchangeParams, SumMemory, SumMemoryParams, SumSubgroups, SumSubgroupsParams,
};
