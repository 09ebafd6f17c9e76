//! How much one import may hold. Every limit that is hit is named in the error.

use maillon_protocol::limits;

/// Limits of one import. The defaults suit files handed over by people; software that sends through the FHIR interface has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportLimits {
    /// Bytes of the file: [`limits::IMPORT`], 36 MiB.
    pub bytes: usize,
    /// Resources of the file, contained ones counted: 500.
    pub entries: usize,
    /// Objects and lists inside one another: 32. Values above 100 count as 100.
    pub depth: usize,
    /// JSON values of every kind in the file: 100,000.
    pub values: usize,
    /// Elements of one list: 1,000.
    pub list: usize,
    /// Bytes of one string: 64 KiB. The bytes of attachments and the generated narrative are only bounded by the file.
    pub string: usize,
    /// Bytes of one content as it would be written: 192 KiB, so that its sealed body stays within the protocol's 256 KiB.
    pub content: usize,
    /// Contents that come out of one file: 2,000.
    pub items: usize,
    /// Bytes of all contents and attachments that come out of one file: 26 MiB, so that the longest attachment goes in with its bundle, and the
    /// whole import in one commit. One resource may be named by many others.
    pub total: usize,
}

impl Default for ImportLimits {
    fn default() -> Self {
        Self {
            bytes: limits::IMPORT as usize,
            entries: 500,
            depth: 32,
            values: 100_000,
            list: 1_000,
            string: 64 << 10,
            content: 192 << 10,
            items: 2_000,
            total: (limits::ATTACHMENT + (1 << 20)) as usize,
        }
    }
}
