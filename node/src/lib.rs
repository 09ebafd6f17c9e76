//! The rooms of the daemon `maillond`, the node that a care territory hosts for itself.
//!
//! - [`keystore`] unlocks the node's secrets; in the clear they exist in memory only.
//! - [`store`] keeps everything the node knows, sealed value by value, and commits it all or nothing.
//!
//! Neither room knows anything about care, pages or the network.
#![forbid(unsafe_code)]

pub mod keystore;
pub mod store;

mod durable;
