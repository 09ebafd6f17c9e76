//! The rooms of the daemon `maillond`, the node that a care territory hosts for itself.
//!
//! - [`keystore`] unlocks the node's secrets; in the clear they exist in memory only.
//! - [`store`] keeps everything the node knows, sealed value by value, and commits it all or nothing.
//! - [`ledger`] is the only writer: it runs the protocol's rules over the store, many jobs to a commit.
//! - [`network`] moves frames between nodes that may talk; it knows nothing of what they say.
//! - [`peering`] knows who this node's peers are, and carries two administrators' pairing out.
//! - [`access`] knows who may sign in, and who has.
//! - [`web`] is the pages for professionals and the administrator.
//! - [`fhir`] reads the files that other software writes.
//!
//! Arrows point downwards: `admin` → `care` → `ledger` → `store`; `network` → `ledger`; everything → `maillon_protocol`.
#![forbid(unsafe_code)]

pub mod access;
pub mod admin;
pub mod audit;
pub mod care;
pub mod checkpoint;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod doctor;
pub mod exchange;
pub mod fhir;
pub mod floor;
pub mod founding;
pub mod http;
pub mod keystore;
pub mod ledger;
pub mod network;
pub mod peering;
pub mod random;
pub mod recovery;
pub mod shortened;
mod signs;
pub mod store;
pub mod web;
pub mod workers;

mod durable;
