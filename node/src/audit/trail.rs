//! Reading the trail, page by page: all of it, or what was about one circle.

use maillon_protocol::{
    admin::{AuditLine, AuditPage},
    ids::{CircleId, ThingId},
};

use super::{ADMINISTRATOR, AuditError, ITSELF, LINES, circles, key, line::Line};
use crate::store::{Range, Store, Table, sequence_of};

/// Most lines that one page looks through: a rare act is looked for over several pages.
const LOOKED_THROUGH: usize = 20_000;

/// Which lines somebody wants.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Those about one circle.
    pub circle: Option<CircleId>,
    /// Those at or after this moment, Unix milliseconds.
    pub since_ms: Option<u64>,
    /// Those before the line of this number.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
    /// Those whose action is of a kind.
    pub only: fn(&str) -> bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            circle: None,
            since_ms: None,
            before: None,
            limit: 0,
            only: |_| true,
        }
    }
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
        for (looked, line) in self.backwards(wanted.circle.as_ref(), last)?.enumerate() {
            let line = line?;
            let number = line.number;
            // Times only grow where no clock was put back: what is older is looked through all the same.
            if wanted.since_ms.is_none_or(|since| line.at_ms >= since)
                && (wanted.only)(&line.action)
            {
                page.lines.push(shown(line, &name));
            }
            if page.lines.len() >= wanted.limit.max(1) || looked + 1 >= LOOKED_THROUGH {
                page.next = (number > 1).then_some(number);
                break;
            }
        }
        Ok(page)
    }

    /// The lines from `last` on, the newest first: all, or those about one circle, which are found without reading others.
    fn backwards(
        &self,
        circle: Option<&CircleId>,
        last: u64,
    ) -> Result<Box<dyn Iterator<Item = Result<Line, AuditError>> + '_>, AuditError> {
        let store = self.0;
        let Some(circle) = circle else {
            let rows = store.scan(Table::Audit, LINES, Range::backwards_from(&key(last)))?;
            return Ok(Box::new(rows.map(|row| {
                let (at, bytes) = row?;
                read(sequence_of(&at).unwrap_or(0), &bytes)
            })));
        };
        let numbers = circles::before(store, circle, last)?;
        Ok(Box::new(numbers.map(|number| {
            let number = number?;
            let bytes = store.get(Table::Audit, &key(number))?;
            read(number, &bytes.ok_or(AuditError::Line(number))?)
        })))
    }
}

fn read(number: u64, bytes: &[u8]) -> Result<Line, AuditError> {
    minicbor::decode(bytes).map_err(|_| AuditError::Line(number))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests::{lines, store, write};

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
            limit: 100,
            ..Wanted::default()
        };
        let page = Trail(&store).page(&wanted, |_| None).expect("a page");
        let numbers: Vec<_> = page.lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [6, 4]);
        assert_eq!(page.lines[0].user, 1001);
    }
}
