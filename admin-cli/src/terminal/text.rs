//! Text that others wrote, made harmless.
//!
//! A terminal obeys what it prints: an escape sequence in a structure's name could recolour, overwrite or retitle what the administrator
//! sees, and a bidirectional control could turn one name into another. Every character that is not seen as itself is shown as its number.

use serde_json::Value;

/// Characters that act instead of being seen: C0 and C1 controls, line and paragraph separators, bidirectional controls, invisible joiners
/// and byte order marks, tags and interlinear annotations.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{00ad}'
                | '\u{061c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// One line: nothing in it can move the cursor, colour, or break the line.
pub(crate) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            other if acts(other) => shown.push_str(&format!("\\u{{{:x}}}", u32::from(other))),
            other => shown.push(other),
        }
    }
    shown
}

/// Several lines, each begun with `indent` so that none can be taken for one of ours.
pub(crate) fn paragraph(text: &str, indent: &str) -> String {
    text.lines()
        .map(|each| format!("{indent}{}", line(each)))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A value on one line of JSON, in which characters that act are written as their number: the same value, harmless in a terminal.
pub(crate) fn json(value: &Value) -> String {
    json_text(&value.to_string())
}

/// The same for a text that is JSON already. Line breaks can only stand between its values, and stay.
pub(crate) fn json_text(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if acts(character) && character != '\n' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// As a sentence: a capital letter first, a full stop last. What does not begin with a plain word (a path, an id, an address, the name of
/// a field) begins as it is: somebody may have typed it so.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut characters = text.chars();
    let word = text.split([' ', ',', ':', ';']).next().unwrap_or_default();
    let plain = word.chars().all(char::is_alphabetic);
    let first = characters.next().map(|first| {
        let capital = plain.then(|| first.to_uppercase().collect::<String>());
        capital.unwrap_or_else(|| first.to_string())
    });
    let stop = if text.ends_with(['.', '!', '?', '…']) {
        ""
    } else {
        "."
    };
    format!("{}{}{stop}", first.unwrap_or_default(), characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_an_escape_sequence_is_shown_and_not_obeyed() {
        let shown = line("Cabinet \u{1b}]0;root\u{7}\u{9b}2J\r\u{202e}lapipôH\u{200b}");
        assert_eq!(
            shown,
            "Cabinet \\u{1b}]0;root\\u{7}\\u{9b}2J\\r\\u{202e}lapipôH\\u{200b}"
        );
        assert!(!shown.chars().any(acts));
    }

    #[test]
    fn accents_composed_or_not_are_left_alone() {
        for name in ["Établissement « l’Été »", "e\u{301}cran", "日本", "👩"] {
            assert_eq!(line(name), name);
        }
    }

    #[test]
    fn the_lines_of_a_note_stay_lines_and_cannot_leave_their_place() {
        assert_eq!(
            paragraph("un\ndeux\u{1b}[A\r\ntrois\tfin", "  │ "),
            "  │ un\n  │ deux\\u{1b}[A\n  │ trois\\tfin"
        );
    }

    #[test]
    fn json_is_harmless_and_still_the_same_value() {
        let value = Value::String("a\u{1b}[2J\u{7f}\u{9b}\u{202e}\u{e0041}\n".to_owned());
        let shown = json(&value);
        assert!(!shown.chars().any(acts), "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).ok(), Some(value));
    }

    #[test]
    fn a_cause_becomes_a_sentence() {
        assert_eq!(sentence("élève absent"), "Élève absent.");
        assert_eq!(sentence("Is it? "), "Is it?");
        assert_eq!(sentence(""), ".");
    }

    #[test]
    fn what_is_no_plain_word_keeps_its_first_letter() {
        for typed in [
            "talon.png is empty",
            "a/b is no file",
            "log.filter cannot be read",
            "x9 ?",
        ] {
            assert_eq!(
                sentence(typed).chars().next(),
                typed.chars().next(),
                "{typed}"
            );
        }
        assert_eq!(sentence("not JSON: line 1"), "Not JSON: line 1.");
        assert_eq!(sentence("error: why"), "Error: why.");
    }
}
