//! The professionals of a node: their accounts, and their signing in.

use std::{collections::BTreeMap, thread};

use super::words::{FAMILIES, FEMALE, MALE};
use crate::{
    daemon::{Daemon, Trouble, ensure},
    ground::PASSWORD,
    visitor::Visitor,
};

/// Who signs in at one time. A password is dear to work out on purpose, and a node works out two at a time.
const AT_ONCE: usize = 4;
/// What they are, in turn: those who open files and add to teams.
const PROFESSIONS: [&str; 8] = ["60", "60", "10", "330", "60", "10", "330", "60"];

/// Somebody who works at the node and has signed in.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    /// What the browser holds.
    pub(super) cookies: BTreeMap<String, String>,
}

impl Reader {
    /// Goes on as this reader, over whatever connection there is.
    pub(super) fn at(&self, visitor: &mut Visitor) {
        visitor.cookies.clone_from(&self.cookies);
    }
}

/// Somebody by number: login, name, profession.
fn person(number: usize) -> (String, String, &'static str) {
    let given = if number.is_multiple_of(4) {
        MALE[number * 7 % MALE.len()]
    } else {
        FEMALE[number * 5 % FEMALE.len()]
    };
    let family = FAMILIES[number * 11 % FAMILIES.len()];
    let name = format!("{given} {family}");
    (
        format!("pro{number:03}"),
        name,
        PROFESSIONS[number % PROFESSIONS.len()],
    )
}

/// An RPPS number of the range of examples, with its control digit (Luhn).
fn rpps(number: usize) -> String {
    let head = format!("10999{number:05}");
    let sum: u32 = head
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    format!("{head}{}", (10 - sum % 10) % 10)
}

/// Adds so many professionals; what `--as` takes of each.
pub(super) fn professionals(daemon: &Daemon, count: usize) -> Result<Vec<String>, Trouble> {
    let mut client = daemon.client()?;
    let add = |number| {
        let (_, name, profession) = person(number);
        let added = client.professional_add(&name, &rpps(number), profession)?;
        Ok(added.id)
    };
    (0..count).map(add).collect()
}

/// Gives each professional an account, and signs all of them in for the first time.
pub(super) fn sign_in(daemon: &Daemon, professionals: &[String]) -> Result<Vec<Reader>, Trouble> {
    let mut client = daemon.client()?;
    let codes = professionals.iter().enumerate().map(|(number, id)| {
        let (login, name, _) = person(number);
        let made = client.account_add(&login, &name, id)?;
        Ok((login, made.code))
    });
    let codes: Vec<_> = codes.collect::<Result<_, Trouble>>()?;
    let origin = daemon.pages()?;
    let origin = origin.as_str();
    let mut readers = Vec::with_capacity(codes.len());
    for some in codes.chunks(AT_ONCE) {
        thread::scope(|scope| {
            let coming: Vec<_> = some
                .iter()
                .map(|(login, code)| scope.spawn(move || first(origin, login, code)))
                .collect();
            for one in coming {
                let reader = one.join();
                readers.push(reader.map_err(|_| Trouble::wrong("a reader panicked"))??);
            }
            Ok::<_, Trouble>(())
        })?;
    }
    Ok(readers)
}

fn first(origin: &str, login: &str, code: &str) -> Result<Reader, Trouble> {
    // Its connection ends with it: a node gives one network so many.
    let mut visitor = Visitor::new(origin);
    let fields = [
        ("login", login),
        ("code", code),
        ("next", PASSWORD),
        ("again", PASSWORD),
    ];
    let page = visitor.post("/premiere-connexion", &fields)?;
    ensure(page.status == 200, || format!("{login}: {page:?}"))?;
    Ok(Reader {
        cookies: visitor.cookies,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_a_control_digit_as_examples_have_it() {
        assert_eq!(rpps(101), "10999001018");
        assert_eq!(rpps(204), "10999002040");
    }
}
