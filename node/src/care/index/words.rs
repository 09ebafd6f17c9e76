//! Names as they are compared and looked for: capitals without accents; what stands between letters parts words (référentiel national d'identitovigilance:
//! strict traits are written in capitals without accents, with hyphens and apostrophes, which differ from one source to the other).

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The words of a text: « Le Goff-Béranger » gives `LE`, `GOFF`, `BERANGER`.
pub(in crate::care) fn words(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut word = String::new();
    for sign in text.nfkd().filter(|sign| !is_combining_mark(*sign)) {
        match sign {
            'œ' | 'Œ' => word.push_str("OE"),
            'æ' | 'Æ' => word.push_str("AE"),
            'ø' | 'Ø' => word.push('O'),
            'ł' | 'Ł' => word.push('L'),
            'đ' | 'Đ' => word.push('D'),
            _ if sign.is_alphanumeric() => word.extend(sign.to_uppercase()),
            _ if word.is_empty() => {}
            _ => all.push(std::mem::take(&mut word)),
        }
    }
    if !word.is_empty() {
        all.push(word);
    }
    all
}

/// The same as one word: what is the same name however it is parted.
pub(in crate::care) fn joined(text: &str) -> String {
    words(text).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_with_and_without_accents_hyphens_and_apostrophes() {
        assert_eq!(words("Le Goff-Béranger"), ["LE", "GOFF", "BERANGER"]);
        assert_eq!(words("  D’Été,  "), ["D", "ETE"]);
        assert_eq!(joined("D'ÉTÉ"), joined("d’ete"));
        assert_eq!(joined("Cœur-Łukasz"), "COEURLUKASZ");
        assert_eq!(words("Strauß"), ["STRAUSS"]);
        assert_eq!(words("-'’"), Vec::<String>::new());
    }

    #[test]
    fn letters_and_marks_written_apart_are_the_same_as_together() {
        assert_eq!(words("e\u{301}te\u{301}"), words("été"));
    }
}
