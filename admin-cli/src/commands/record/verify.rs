//! `record verify`: sealed bytes that came by another way.

use std::path::PathBuf;

use clap::Args;
use data_encoding::BASE64;
use maillon_protocol::{admin::Call, limits};

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{text, words},
};

/// Check the sealed bytes of a record against what this node knows
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl record verify record.sealed")]
pub(crate) struct Verify {
    /// The exported file, in base64 or as bytes; - reads standard input
    file: PathBuf,
}

impl Verify {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let bytes = session.read_file(&self.file, limits::BODY * 2)?;
        let verified = answer!(
            session,
            Call::RecordVerify {
                sealed: base64(&bytes)
            },
            Verified
        );
        session.print(&verified, |_| {
            format!(
                "{}\n\nRecord     {}\nCircle     {}\nSigned by  {}\nSignature  {}\nHeld here  {}\nBody       {}",
                text::line(&text::sentence(&verified.sentence)),
                verified.record,
                verified.circle,
                verified.node,
                if verified.signature { "valid" } else { "NOT VALID" },
                words::yes(verified.held),
                text::line(&verified.body)
            )
        })
    }
}

/// What the file holds, in base64: as it is where it is base64 already (line breaks do not matter), encoded otherwise. Sealed bytes begin
/// with a byte that no base64 has, so that the two cannot be confused.
fn base64(bytes: &[u8]) -> String {
    let text: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    match BASE64.decode(&text) {
        Ok(raw) => BASE64.encode(&raw),
        Err(_) => BASE64.encode(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_taken_as_text_with_line_breaks_and_as_bytes() {
        assert_eq!(base64(b"gkEB\nQQI=\r\n"), "gkEBQQI=");
        assert_eq!(base64(&[0x82, 0x41, 1, 0x41, 2]), "gkEBQQI=");
    }
}
