//! The invitation as text: `maillon1:` and base32 in lower case.
//!
//! It is copied by mail, by hand and as a QR code. Upper-cased, all of it is in the QR code's alphanumeric alphabet
//! (ISO/IEC 18004), which makes the code smaller. Reading forgives what mail programs do to text: case, spaces, line
//! breaks, quotation marks at the start of lines, hyphens of every kind. A typing error is told as such, thanks to four
//! check bytes; they guard against accidents, not against people.

use data_encoding::{BASE32_NOPAD, DecodeKind};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Invitation, InvitationError};
use crate::limits;

/// What the text starts with, version included.
const PREFIX: &str = "maillon1:";
const CHECK_DOMAIN: &str = "maillon/1 pairing invitation";
const CHECK_LEN: usize = 4;
/// More than every invitation within the limits takes in CBOR, so that the secret is never copied by a growing buffer.
const CAPACITY: usize = 4 << 10;

impl Invitation {
    /// The text to hand over. It holds the secret: it is wiped when dropped, and belongs in no log.
    ///
    /// # Panics
    /// Never: writing to memory cannot fail.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = encoded(self);
        let check = check_bytes(&bytes);
        bytes.extend_from_slice(&check);
        let mut text = Zeroizing::new(String::with_capacity(
            PREFIX.len() + BASE32_NOPAD.encode_len(bytes.len()),
        ));
        text.push_str(PREFIX);
        BASE32_NOPAD.encode_append(&bytes, &mut text);
        text.make_ascii_lowercase();
        text
    }

    /// Reads a pasted text.
    ///
    /// # Errors
    /// [`InvitationError`], which says what is wrong with the text and what to do.
    pub fn from_text(text: &str) -> Result<Self, InvitationError> {
        let symbols = symbols(text)?;
        let mut bytes = Zeroizing::new(vec![0; symbols.len() * 5 / 8]);
        let length = BASE32_NOPAD
            .decode_len(symbols.len())
            .map_err(|_| InvitationError::Incomplete)?;
        bytes.truncate(length);
        BASE32_NOPAD
            .decode_mut(symbols.as_bytes(), &mut bytes)
            .map_err(|partial| match partial.error.kind {
                DecodeKind::Length => InvitationError::Incomplete,
                _ => InvitationError::Checksum,
            })?;
        let content = bytes
            .len()
            .checked_sub(CHECK_LEN)
            .filter(|length| *length > 0)
            .ok_or(InvitationError::Incomplete)?;
        let (content, check) = bytes.split_at(content);
        if check != check_bytes(content) {
            return Err(InvitationError::Checksum);
        }
        // As `cbor::decode`, with buffers that are wiped.
        let invitation: Self = minicbor::decode(content).map_err(|_| InvitationError::Content)?;
        if encoded(&invitation).as_slice() != content {
            return Err(InvitationError::Content);
        }
        invitation.check()?;
        Ok(invitation)
    }
}

/// What follows the colon, in upper case, without what people and mail programs put in between.
fn symbols(text: &str) -> Result<Zeroizing<String>, InvitationError> {
    limits::within(
        "an invitation's text in bytes",
        text.len() as u64,
        limits::INVITATION_TEXT as u64,
    )?;
    let mut rest = text
        .chars()
        .filter(|character| !is_filler(*character))
        .map(|character| character.to_ascii_uppercase());
    for expected in "MAILLON".chars() {
        if rest.next() != Some(expected) {
            return Err(InvitationError::NotAnInvitation);
        }
    }
    let mut version = String::new();
    loop {
        match rest.next() {
            Some(':') => break,
            Some(digit @ '0'..='9') if version.len() < 4 => version.push(digit),
            _ => return Err(InvitationError::NotAnInvitation),
        }
    }
    match version.as_str() {
        "1" => {}
        "" => return Err(InvitationError::NotAnInvitation),
        _ => return Err(InvitationError::Version),
    }
    let mut symbols = Zeroizing::new(String::with_capacity(text.len()));
    for (index, found) in rest.enumerate() {
        if !matches!(found, 'A'..='Z' | '2'..='7') {
            return Err(InvitationError::Character {
                found,
                position: index + 1,
            });
        }
        symbols.push(found);
    }
    Ok(symbols)
}

/// Spaces, line breaks, hyphens (soft and typographic ones included), invisible characters, the mark of a quoted mail.
fn is_filler(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '-' | '>' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2010}'..='\u{2015}' | '\u{2060}' | '\u{feff}')
}

fn encoded(invitation: &Invitation) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(CAPACITY));
    minicbor::encode(invitation, &mut *bytes).expect("writing to memory cannot fail");
    bytes
}

fn check_bytes(content: &[u8]) -> [u8; CHECK_LEN] {
    let digest = Sha256::new()
        .chain_update(CHECK_DOMAIN)
        .chain_update([0])
        .chain_update(content)
        .finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}
