//! How values stand in a page: as HTML, without signs that turn others around or are for machines. Names and texts come from other structures too, which may write
//! what they like.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

use crate::signs::is_left_out;

/// The escaper of all templates (`askama.toml`).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Page;

impl Escaper for Page {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        let parts = string.split(is_left_out);
        for part in parts {
            Html.write_escaped_str(&mut dest, part)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_turns_a_name_around_is_not_shown_and_markup_is_text() {
        let mut shown = String::new();
        Page.write_escaped_str(&mut shown, "<b>DU\u{202e}PONT</b>\0 né")
            .expect("shown");
        assert!(shown.contains("DUPONT") && shown.ends_with(" né"));
        assert!(!shown.contains(['<', '\u{202e}', '\0']), "{shown}");
    }
}
