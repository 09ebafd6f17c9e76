//! What Maillon nodes say to each other.
#![forbid(unsafe_code)]

pub mod cbor;
pub mod content;
pub mod descriptor;
pub mod ids;
pub mod keys;
pub mod limits;
pub mod pairing;
pub mod seal;
pub mod sign;
pub mod time;
