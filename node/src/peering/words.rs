//! The five words as a person types them.
//!
//! The list has accents as separate characters; keyboards send composed letters, or none at all, and a telephone tells no capitals, spaces or
//! hyphens. No two words of the list are alike in their first four letters without accents, so nothing is lost by comparing letters only.

use maillon_protocol::pairing::Words;

/// More than five words of the list take, with spaces around every letter.
const LONGEST: usize = 512;

/// Whether `typed` is these words.
pub(super) fn same(words: &Words, typed: &str) -> bool {
    typed.len() <= LONGEST && letters(typed).eq(words.words().into_iter().flat_map(letters))
}

/// Letters alone: lower case, without accents (the French ones), spaces, hyphens, quotation marks and numbers.
fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .flat_map(char::to_lowercase)
        .filter_map(|letter| match letter {
            'a'..='z' => Some(letter),
            'à' | 'â' | 'ä' => Some('a'),
            'ç' => Some('c'),
            'é' | 'è' | 'ê' | 'ë' => Some('e'),
            'î' | 'ï' => Some('i'),
            'ô' | 'ö' => Some('o'),
            'ù' | 'û' | 'ü' => Some('u'),
            'ÿ' => Some('y'),
            // Anything else that is a letter belongs to no word: it must not vanish. Accents that stand alone are no letters.
            other if other.is_alphabetic() => Some(other),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use maillon_protocol::ids::Hash;

    use super::*;

    /// Words with at least one accent.
    fn accented() -> Words {
        (0..=u8::MAX)
            .map(|byte| Words::of(&Hash([byte; 32])))
            .find(|words| words.to_string().contains('\u{301}'))
            .expect("the list has accents")
    }

    #[test]
    fn words_are_known_however_they_are_typed() {
        let words = accented();
        let listed = words.to_string();
        let composed = listed.replace("e\u{301}", "é").replace("e\u{300}", "è");
        let bare: String = listed.chars().filter(|c| c.is_ascii()).collect();
        assert_ne!(listed, bare);
        for typed in [&listed, &composed, &bare] {
            assert!(same(&words, typed));
            assert!(same(&words, &typed.to_uppercase()));
            assert!(same(&words, &typed.replace(' ', " - ")));
            assert!(same(&words, &typed.replace(' ', "\n")));
        }
    }

    #[test]
    fn other_words_are_other_words() {
        let words = accented();
        let listed = words.to_string();
        let fewer = listed.rsplit_once(' ').expect("five").0;
        for typed in [
            "",
            fewer,
            &listed.replacen('e', "o", 1),
            &format!("{listed} я"),
        ] {
            assert!(!same(&words, typed), "{typed}");
        }
        assert!(!same(
            &Words::of(&Hash([1; 32])),
            &Words::of(&Hash([2; 32])).to_string()
        ));
    }
}
