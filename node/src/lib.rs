//! x

pub mod fhir;
