//! Reading the trail: page by page, and whole to see that nothing was changed in it.

use maillon_protocol::{
    admin::{AuditLine, AuditPage},
    ids::{CircleId, Hash, ThingId},
};
use sha2::{Digest, Sha256};

use super::{
    ADMINISTRATOR, AuditError, HEAD, ITSELF, LINES, key,
    line::{Head, Line},
};
use crate::store::{Range, Store, Table};

/// Most lines that one page looks through: a rare circle is looked for over several pages.
const LOOKED_THROUGH: usize = 20_000;

/// Which lines somebody wants.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Those about one circle.
    pub circle: Option<CircleId>,
    /// Those at or after this moment, Unix milliseconds.
    pub since_ms: Option<u64>,
    /// Those before the line of this number.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// The trail of a store.
#[derive(Debug, Clone, Copy)]
pub struct Trail<'a>(pub &'a Store);

impl Trail<'_> {
    /// The newest lines first. `name` says who an actor is.
    ///
    /// # Errors
    /// [`AuditError::Line`], [`AuditError::Store`].
    pub fn page(
        &self,
        wanted: &Wanted,
        name: impl Fn(&ThingId) -> Option<String>,
    ) -> Result<AuditPage, AuditError> {
        let mut page = AuditPage {
            lines: Vec::new(),
            next: None,
        };
        let Some(last) = wanted.before.unwrap_or(u64::MAX).checked_sub(1) else {
            return Ok(page);
        };
        let last = key(last);
        let rows = self
            .0
            .scan(Table::Audit, LINES, Range::backwards_from(&last))?;
        for (looked, row) in rows.enumerate() {
            let (at, bytes) = row?;
            let line: Line =
                minicbor::decode(&bytes).map_err(|_| AuditError::Line(numbered(&at)))?;
            let number = line.number;
            let about = wanted.circle.is_none() || line.circle == wanted.circle;
            if about && wanted.since_ms.is_none_or(|since| line.at_ms >= since) {
                page.lines.push(shown(line, &name));
            }
            if page.lines.len() >= wanted.limit.max(1) || looked + 1 >= LOOKED_THROUGH {
                page.next = (number > 1).then_some(number);
                break;
            }
        }
        Ok(page)
    }
}

fn shown(line: Line, name: impl Fn(&ThingId) -> Option<String>) -> AuditLine {
    AuditLine {
        number: line.number,
        at_ms: line.at_ms,
        professional: (line.actor != ADMINISTRATOR && line.actor != ITSELF).then_some(line.actor),
        name: if line.actor == ITSELF {
            Some("this node".to_owned())
        } else {
            name(&line.actor)
        },
        user: line.user,
        action: line.action,
        circle: line.circle,
        record: line.record,
        node: line.node,
        object: line.object,
    }
}

/// The number in a line's key.
fn numbered(key: &[u8]) -> u64 {
    key.get(LINES.len()..)
        .and_then(|number| number.try_into().ok())
        .map_or(0, u64::from_be_bytes)
}

/// Reads the whole trail: each line names its number and the hash of the one before it, and the last is the one that the head names.
/// Returns how many there are. Lines may be written meanwhile: each comes with its head in one commit, so the end that is found must lie between
/// the heads from before and after.
///
/// # Errors
/// A sentence that names the first line at which it does not hold.
pub fn verify(store: &Store) -> Result<u64, String> {
    let before = head(store)?;
    let mut at = Head::START;
    let rows = store
        .scan(Table::Audit, LINES, Range::all())
        .map_err(|error| error.to_string())?;
    for row in rows {
        let (_, bytes) = row.map_err(|error| format!("after line {}: {error}", at.number))?;
        let expected = at.number + 1;
        let line: Line =
            minicbor::decode(&bytes).map_err(|_| format!("line {expected} cannot be read"))?;
        if line.number != expected {
            return Err(format!("line {expected} is missing"));
        }
        if line.previous != at.hash {
            return Err(format!("line {expected} does not follow the one before it"));
        }
        at = Head {
            number: expected,
            hash: Hash(Sha256::digest(&bytes).into()),
        };
        if at.number == before.number && at != before {
            return Err(format!(
                "line {expected} is not the one that the head names"
            ));
        }
    }
    let after = head(store)?;
    let is_last = (before.number..=after.number).contains(&at.number)
        && (at.number < after.number || at == after);
    if !is_last {
        return Err(format!(
            "it ends with line {}, and its head says {}",
            at.number, after.number
        ));
    }
    Ok(at.number)
}

/// Where the trail says that it stands.
fn head(store: &Store) -> Result<Head, String> {
    let bytes = store
        .get(Table::Audit, HEAD)
        .map_err(|error| error.to_string())?;
    match bytes {
        Some(bytes) => minicbor::decode(&bytes).map_err(|_| "its head cannot be read".to_owned()),
        None => Ok(Head::START),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Options, StorageKey};

    fn store(dir: &std::path::Path) -> Store {
        Store::open(dir, &StorageKey::new(&[7; 32]), Options::default()).expect("a store")
    }

    fn write(store: &Store, lines: &[Line]) {
        let mut batch = store.batch();
        for line in lines {
            let bytes = maillon_protocol::cbor::encode(line);
            batch
                .put(Table::Audit, &key(line.number), &bytes)
                .expect("room");
        }
        let last = lines.last().expect("a line");
        let head = Head {
            number: last.number,
            hash: hash(last),
        };
        let bytes = maillon_protocol::cbor::encode(&head);
        batch.put(Table::Audit, HEAD, &bytes).expect("room");
        store.commit(batch).expect("a commit");
    }

    fn hash(line: &Line) -> Hash {
        Hash(Sha256::digest(maillon_protocol::cbor::encode(line)).into())
    }

    /// Lines as they follow each other; every second one is about a circle.
    fn lines(count: u64) -> Vec<Line> {
        let mut previous = Hash([0; 32]);
        (1..=count)
            .map(|number| {
                let line = Line {
                    number,
                    previous,
                    at_ms: 1000 * number,
                    actor: ADMINISTRATOR,
                    action: "note.add".to_owned(),
                    circle: (number % 2 == 0).then_some(CircleId([5; 32])),
                    record: None,
                    user: 1001,
                    node: None,
                    object: None,
                };
                previous = hash(&line);
                line
            })
            .collect()
    }

    #[test]
    fn a_changed_a_missing_and_a_cut_off_line_are_found() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = store(dir.path());
        assert_eq!(verify(&store), Ok(0));
        let good = lines(5);
        write(&store, &good);
        assert_eq!(verify(&store), Ok(5));

        let mut changed = good.clone();
        changed[2].user = 0;
        write(&store, &changed);
        let said = verify(&store).expect_err("line 3 was changed");
        assert!(said.contains("line 4"), "{said}");

        write(&store, &good);
        let mut batch = store.batch();
        batch.delete(Table::Audit, &key(2)).expect("room");
        store.commit(batch).expect("a commit");
        assert_eq!(verify(&store), Err("line 2 is missing".to_owned()));

        write(&store, &good);
        let mut batch = store.batch();
        batch.delete(Table::Audit, &key(5)).expect("room");
        store.commit(batch).expect("a commit");
        let said = verify(&store).expect_err("the last line is gone");
        assert!(said.contains("ends with line 4"), "{said}");
    }

    #[test]
    fn a_trail_that_grows_while_it_is_read_holds() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = store(dir.path());
        let good = lines(300);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                good.iter()
                    .for_each(|line| write(&store, std::slice::from_ref(line)))
            });
            while !writer.is_finished() {
                verify(&store).expect("nobody has changed it");
            }
        });
        assert_eq!(verify(&store), Ok(300));
    }

    #[test]
    fn pages_go_from_the_newest_line_to_the_oldest_and_end() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = store(dir.path());
        write(&store, &lines(7));
        let mut wanted = Wanted {
            limit: 3,
            ..Wanted::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = Trail(&store).page(&wanted, |_| None).expect("a page");
            seen.extend(page.lines.iter().map(|line| line.number));
            wanted.before = page.next;
            if wanted.before.is_none() {
                break;
            }
        }
        assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn a_page_holds_what_was_asked_for_only() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = store(dir.path());
        write(&store, &lines(7));
        let wanted = Wanted {
            circle: Some(CircleId([5; 32])),
            since_ms: Some(4000),
            before: None,
            limit: 100,
        };
        let page = Trail(&store).page(&wanted, |_| None).expect("a page");
        let numbers: Vec<_> = page.lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [6, 4]);
        assert_eq!(page.lines[0].user, 1001);
    }
}
