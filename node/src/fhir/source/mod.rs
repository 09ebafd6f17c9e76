//! The file as it came: a JSON tree that knows the place of each value, the account of what was taken, and the resources by address.

mod account;
mod bundle;
mod json;

pub(crate) use account::{Account, At};
pub(crate) use bundle::{Resource, ResourceKind, Source, Target};
pub(crate) use json::{Node, Shape, parse, shown};
