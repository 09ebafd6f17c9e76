//! QR codes in the terminal.

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

/// `text` as a QR code, two rows of it on each line of the terminal, light on dark with its quiet zone; `None` where it is too long.
pub(crate) fn qr(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    Some(
        code.render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .quiet_zone(true)
            .build(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_square_and_a_book_becomes_none() {
        let code = qr("maillon:abc").expect("a short text");
        let widths: Vec<_> = code.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{code}");
        assert_eq!(widths.len(), widths[0].div_ceil(2));
        assert_eq!(qr(&"x".repeat(5_000)), None);
    }
}
