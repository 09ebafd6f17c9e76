//! What a search runs through: a line for each file, with the words of its names, the birth date and the number of the INS, one behind the other in one text. So a
//! word is looked for in twenty thousand files at once, and nothing but the files in whose lines it stands is looked at.

use std::sync::Arc;

use maillon_protocol::ids::CircleId;
use memchr::memmem::Finder;

use super::Filed;

/// Stands before the birth date; names have nothing but letters and digits.
pub(super) const BORN: char = '\u{1}';
/// Stands between the birth date and the number.
pub(super) const NUMBER: char = '\u{2}';
const END: char = '\n';

/// All lines, as of one moment.
#[derive(Default)]
pub(super) struct Slate {
    text: String,
    /// Where each line ends, and whose it is.
    lines: Vec<(usize, CircleId)>,
}

impl Slate {
    pub(super) fn of<'f>(files: impl Iterator<Item = &'f Arc<Filed>>) -> Self {
        let mut slate = Self::default();
        for filed in files {
            slate.add(filed);
        }
        slate
    }

    fn add(&mut self, filed: &Filed) {
        let who = &filed.identity;
        self.text.push_str(&filed.names);
        self.text.push(BORN);
        let born = who.birth_date.as_ref();
        self.text.push_str(born.map_or("", |date| date.as_str()));
        self.text.push(NUMBER);
        let ins = who.ins.as_ref();
        self.text
            .push_str(ins.map_or("", |ins| ins.number.as_str()));
        self.text.push(END);
        self.lines.push((self.text.len(), filed.circle));
    }

    /// The files in whose lines one of these stands, each once.
    pub(super) fn with(&self, any: &[String]) -> Vec<CircleId> {
        let mut places: Vec<usize> = Vec::new();
        for needle in any {
            let finder = Finder::new(needle);
            let mut from = 0;
            while let Some(rest) = self.text.as_bytes().get(from..) {
                let Some(found) = finder.find(rest) else {
                    break;
                };
                let line = self.lines.partition_point(|(end, _)| *end <= from + found);
                let Some((end, _)) = self.lines.get(line) else {
                    break;
                };
                places.push(line);
                from = *end;
            }
        }
        places.sort_unstable();
        places.dedup();
        let lines = places.into_iter().filter_map(|line| self.lines.get(line));
        lines.map(|(_, circle)| *circle).collect()
    }
}

#[cfg(test)]
mod tests {
    use maillon_protocol::content::{Ins, InsKind};
    use proptest::prelude::*;

    use super::{
        super::{asked::Asked, pairs::tests::filed},
        *,
    };

    /// Few of each, so that many people share them.
    fn people() -> impl Strategy<Value = Vec<Arc<Filed>>> {
        let family = prop::sample::select(vec!["MARTIN", "LE GOFF", "DE LA MARE", "MARE", "ÉTÉ"]);
        let given = prop::sample::select(vec!["ROZENN", "JEAN-MARIE", "MARIE", ""]);
        let born = prop::sample::select(vec!["1938-05-12", "1938-12-05", "1941-05", "1912", ""]);
        let number = prop::sample::select(vec!["", "138055612345678", "13805120212345"]);
        let one = (family, given, born, number);
        prop::collection::vec(one, 0..40).prop_map(|all| {
            let filed = (0..)
                .zip(all)
                .map(|(place, (family, given, born, number))| {
                    let mut one = filed(place, family, given, born);
                    let ins = Ins::new(number, InsKind::TestNir);
                    one.identity.ins = Some(ins).filter(|_| !number.is_empty());
                    Arc::new(one)
                });
            filed.collect()
        })
    }

    proptest! {
        #[test]
        fn a_search_finds_in_the_slate_whom_it_finds_by_looking_at_everybody(
            all in people(),
            typed in prop::collection::vec(
                prop::sample::select(vec![
                    "mar", "le", "goff", "m", "été", "rozenn", "1938", "12/05", "12/05/1938", "05/1938", "12051938", "13805", "1380556",
                    "1 38 05", "19",
                ]),
                1..4,
            ),
        ) {
            let asked = Asked::read(&typed.join(" "));
            let is_meant = |filed: &Filed| asked.names(&filed.names) && asked.numbers(&filed.identity, || true);
            let looked: Vec<CircleId> = all.iter().filter(|one| is_meant(one)).map(|one| one.circle).collect();
            let slate = Slate::of(all.iter());
            let mut found = slate.with(&asked.needles());
            found.retain(|circle| all.iter().any(|one| one.circle == *circle && is_meant(one)));
            prop_assert_eq!(found, looked);
        }
    }

    #[test]
    fn nothing_but_the_lines_that_have_it_is_looked_at() {
        let all = [
            filed(1, "QUINTRIC", "ROZENN", "1941-07-19"),
            filed(2, "HAMELIN", "FERDINAND", "1950-03-04"),
        ]
        .map(Arc::new);
        let slate = Slate::of(all.iter());
        assert_eq!(slate.with(&[" HAM".to_owned()]), [all[1].circle]);
        assert_eq!(
            slate.with(&[" R".to_owned(), " Q".to_owned()]),
            [all[0].circle]
        );
        assert!(slate.with(&["AMELIN F".to_owned()]).len() == 1);
        assert!(slate.with(&["N\u{1}1941".to_owned()]).len() == 1);
        assert!(slate.with(&[" X".to_owned()]).is_empty());
    }
}
