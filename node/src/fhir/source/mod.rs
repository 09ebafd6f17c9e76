//! The file as it came: a JSON tree that knows the place of each value, the account of what was taken, and the resources by address.

mod account;
mod bundle;
mod cursor;
mod json;
mod resource;
mod tree;

pub(crate) use account::Account;
pub(crate) use bundle::{Source, Target};
pub(crate) use cursor::At;
pub(crate) use json::parse;
pub(crate) use resource::{Resource, ResourceKind};
pub(crate) use tree::{Node, Shape, shown};
