//! Signs that one does not see, and signs that turn others around: two names that look alike would be several, and a line would read otherwise than it was written.
//!
//! Names have none of them. Texts keep what belongs to writing and to pictures of it (an emoji is made of several), and lose what turns; pages show nothing that turns,
//! whoever wrote it.

/// Whether a sign turns what stands around it (Unicode, UAX 9: explicit directional formatting characters and marks).
const fn turns(sign: char) -> bool {
    matches!(sign, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a sign is none that one sees (Unicode: `Default_Ignorable_Code_Point`, separators of lines, marks between lines).
pub(crate) const fn is_invisible(sign: char) -> bool {
    turns(sign)
        || matches!(sign, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}'
            | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether pages leave a sign out: it turns others, or is for machines.
pub(crate) fn is_left_out(sign: char) -> bool {
    turns(sign) || sign.is_control() && !matches!(sign, '\n' | '\r' | '\t')
}

/// Whether one sees nothing of a text.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|sign| sign.is_whitespace() || sign.is_control() || is_invisible(sign))
}

/// A text as it is written down: without what pages leave out.
pub(crate) fn written(text: &str) -> String {
    text.chars().filter(|sign| !is_left_out(*sign)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_which_one_sees_nothing_is_none() {
        for blank in ["", " \n", "\u{200b}", "\0", "\u{202e}\u{feff}", "\u{3164}"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        assert!(!is_blank("à 8 h"));
    }

    #[test]
    fn what_is_written_keeps_every_sign_that_one_sees_and_none_that_turns() {
        let family = "Famille 👩\u{200d}👧, cœur ❤\u{fe0f}\nà l’abri";
        assert_eq!(written(family), family);
        assert_eq!(written("DU\u{202e}PONT\u{1b}[2J\0"), "DUPONT[2J");
    }
}
