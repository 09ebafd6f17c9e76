//! Telephone numbers as people type them: French ones, and those of other countries with a plus.

/// Digits of a number with its country: at least as Andorra's have, at most as there may be (ITU-T E.164).
const ABROAD: std::ops::RangeInclusive<usize> = 9..=15;

/// A number that can be dialled, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads what was typed; none where nobody can be reached by it. Spaces, dots, hyphens and brackets part digits and say nothing.
    pub fn read(typed: &str) -> Option<Self> {
        let typed = typed.trim();
        let mut digits = String::new();
        for (place, sign) in typed.chars().enumerate() {
            match sign {
                '0'..='9' => digits.push(sign),
                '+' if place == 0 => {}
                ' ' | '\u{a0}' | '\u{202f}' | '.' | '-' | '/' | '(' | ')' => {}
                _ => return None,
            }
        }
        let country = match digits.strip_prefix("00") {
            Some(rest) => Some(rest.to_owned()),
            None => typed.starts_with('+').then(|| digits.clone()),
        };
        let national = match &country {
            // « +33 (0)6 … » is written too.
            Some(number) => number.strip_prefix("33").map(|rest| {
                let rest = rest.strip_prefix('0').unwrap_or(rest);
                format!("0{rest}")
            }),
            None => Some(digits),
        };
        match (national, country) {
            (Some(number), _) => french(&number).map(Self),
            (None, Some(number)) => {
                let fits = ABROAD.contains(&number.len()) && !number.starts_with('0');
                fits.then(|| Self(format!("+{number}")))
            }
            (None, None) => None,
        }
    }

    /// As it is written down.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Ten digits in pairs.
fn french(digits: &str) -> Option<String> {
    let whole = digits.len() == 10 && digits.starts_with('0') && !digits.starts_with("00");
    let pairs = (0..digits.len()).step_by(2);
    let pairs: Option<Vec<&str>> = pairs.map(|at| digits.get(at..at + 2)).collect();
    pairs.filter(|_| whole).map(|pairs| pairs.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_people_write_it() {
        for (typed, read) in [
            ("0639980012", "06 39 98 00 12"),
            (" 06.39.98.00.12 ", "06 39 98 00 12"),
            ("02-61-91-00-12", "02 61 91 00 12"),
            ("+33 6 39 98 00 12", "06 39 98 00 12"),
            ("+33 (0)6 39 98 00 12", "06 39 98 00 12"),
            ("0033639980012", "06 39 98 00 12"),
            ("+32 470 12 34 56", "+32470123456"),
            ("+262 692 12 34 56", "+262692123456"),
        ] {
            let number = PhoneNumber::read(typed);
            assert_eq!(
                number.as_ref().map(PhoneNumber::as_str),
                Some(read),
                "{typed}"
            );
        }
    }

    #[test]
    fn what_reaches_nobody_is_no_number() {
        for typed in [
            "",
            "+",
            "06 39 98 00 1",
            "06 39 98 00 123",
            "0039980012",
            "6 39 98 00 12",
            "06 39 98 OO 12",
            "chez elle",
            "+12 34",
            "+1234567890123456",
            "0+639980012",
            "é639980012",
        ] {
            assert_eq!(PhoneNumber::read(typed), None, "{typed}");
        }
    }
}
