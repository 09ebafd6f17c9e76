//! From FHIR elements to the contents of records, one file for each family.

mod attachment;
mod contact;
mod document;
mod ins;
mod note;
mod parties;
mod patient;
mod people;
mod team;
mod time;

pub(crate) use document::document;
pub(crate) use note::{is_note, note};
pub(crate) use patient::{aliases, is_number, patient};
pub(crate) use team::team;
pub(crate) use time::last_updated;
