//! Ids as people type them: the beginning is enough where it fits one thing only.
//!
//! What is too short, what nothing has and what several things have are told apart, because a person does something else about each.

use maillon_protocol::admin::{ErrorCode, LEAST_DIGITS};

/// Why what was typed names nothing. It repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// Fewer digits than there must be.
    #[error("the id of a {what} may be shortened to {least} digits at least, this has {given}")]
    TooShort {
        /// What was meant.
        what: &'static str,
        /// The fewest digits.
        least: usize,
        /// So many were typed.
        given: usize,
    },
    /// Nothing here has that id.
    #[error("no {what} has this name")]
    Nothing {
        /// What was meant.
        what: &'static str,
    },
    /// Several ids begin like this.
    #[error("several {what}s have an id that begins with these {given} digits")]
    Several {
        /// What was meant.
        what: &'static str,
        /// So many were typed.
        given: usize,
    },
}

impl Unclear {
    /// What it is to a program: too short is a matter of form, the others are of what is here.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::TooShort { .. } => ErrorCode::BadRequest,
            Self::Nothing { .. } | Self::Several { .. } => ErrorCode::NotFound,
        }
    }

    /// What to do, where `list` is the command that shows the ids.
    pub(crate) fn action(&self, list: &str) -> String {
        match self {
            Self::TooShort { .. } | Self::Several { .. } => {
                format!("type more of it; see `{list}`")
            }
            Self::Nothing { .. } => format!("see `{list}`"),
        }
    }
}

/// An id as it is compared: without blanks around it, in small letters.
pub(crate) fn typed(text: &str) -> String {
    text.trim().to_ascii_lowercase()
}

/// Refuses what is shorter than any id may be typed; `typed` has been through [`typed`].
///
/// # Errors
/// [`Unclear::TooShort`].
pub(crate) fn long_enough(typed: &str, what: &'static str, least: usize) -> Result<(), Unclear> {
    match typed.chars().count() {
        given if given < least => Err(Unclear::TooShort { what, least, given }),
        _ => Ok(()),
    }
}

/// The one of `all` whose id is, or begins with, what a person typed.
///
/// # Errors
/// [`Unclear`], with `what` as the noun.
pub(crate) fn one<T>(
    text: &str,
    what: &'static str,
    all: impl IntoIterator<Item = T>,
    id: impl Fn(&T) -> String,
) -> Result<T, Unclear> {
    let typed = typed(text);
    long_enough(&typed, what, LEAST_DIGITS)?;
    only(
        all.into_iter().filter(|each| id(each).starts_with(&typed)),
        what,
        typed.chars().count(),
    )
}

/// The only one of those that were found, for `given` digits.
///
/// # Errors
/// [`Unclear::Nothing`], [`Unclear::Several`].
pub(crate) fn only<T>(
    found: impl IntoIterator<Item = T>,
    what: &'static str,
    given: usize,
) -> Result<T, Unclear> {
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Unclear::Nothing { what }),
        (Some(_), Some(_)) => Err(Unclear::Several { what, given }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(text: &str) -> Result<&'static str, Unclear> {
        let all = ["5f3a09c1d2e4", "5f3a7700aaaa", "9c04d1e7aa52"];
        one(text, "circle", all, |id| (*id).to_owned())
    }

    #[test]
    fn four_digits_that_fit_one_thing_name_it_in_capitals_too() {
        assert_eq!(among("9c04"), Ok("9c04d1e7aa52"));
        assert_eq!(among(" 9C04D1 "), Ok("9c04d1e7aa52"));
        assert_eq!(among("5f3a0"), Ok("5f3a09c1d2e4"));
    }

    #[test]
    fn too_few_digits_are_told_from_none_that_fit_and_several_that_do() {
        let said = |text| among(text).map_err(|why| (why.code(), why.to_string()));
        let refused = |code, words: &str| Err((code, words.to_owned()));
        for (text, given) in [("", 0), ("9", 1), ("9c0", 3)] {
            let words = format!(
                "the id of a circle may be shortened to 4 digits at least, this has {given}"
            );
            assert_eq!(said(text), refused(ErrorCode::BadRequest, &words));
        }
        assert_eq!(
            said("9c05"),
            refused(ErrorCode::NotFound, "no circle has this name")
        );
        assert_eq!(
            said("5f3a"),
            refused(
                ErrorCode::NotFound,
                "several circles have an id that begins with these 4 digits"
            )
        );
    }
}
