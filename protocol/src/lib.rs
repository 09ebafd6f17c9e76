//! What Maillon nodes say to each other.
#![forbid(unsafe_code)]

pub mod admin;
pub mod cbor;
pub mod charter;
pub mod circle;
pub mod content;
pub mod descriptor;
pub mod dossier;
pub mod ids;
pub mod invite;
pub mod keys;
pub mod limits;
pub mod pairing;
pub mod record;
pub mod replica;
pub mod seal;
pub mod sign;
pub mod sync;
pub mod time;
