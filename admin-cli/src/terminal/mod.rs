//! How answers look to a person: harmless text, times as people say them, tables, bars, QR codes.

mod bar;
mod clock;
mod qr;
mod table;
pub(crate) mod text;
pub(crate) mod words;

pub(crate) use bar::Bar;
pub(crate) use clock::Clock;
pub(crate) use qr::qr;
pub(crate) use table::table;

/// What rendering needs to know about the reader.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// Now, and where.
    pub(crate) clock: Clock,
    /// Whether standard output is a terminal: tables then fit its width.
    pub(crate) terminal: bool,
}
