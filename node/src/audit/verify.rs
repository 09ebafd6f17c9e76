//! Reading the whole trail, to see that nothing was changed in it.

use std::collections::BTreeMap;

use maillon_protocol::ids::{Hash, NodeId};
use sha2::{Digest, Sha256};

use super::{
    AuditError, HEAD, LINES, Object, SignedTo, circles, key,
    line::{Head, Line},
    signature::{self, Statement},
};
use crate::store::{Range, Store, StoreError, Table, sequence_of};

/// The first thing at which the trail does not hold.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A line cannot be read.
    #[error("line {0} cannot be read")]
    Unreadable(u64),
    /// A line is not there.
    #[error("line {0} is missing")]
    Missing(u64),
    /// A line, or the one before it, was changed.
    #[error("line {0} does not follow the one before it")]
    Apart(u64),
    /// The last line was changed, or the head.
    #[error("line {0} is not the one that the head names")]
    NotTheHead(u64),
    /// Lines were cut off at the end.
    #[error("it ends with line {last}, and its head says {head}")]
    Short {
        /// The last line that is there.
        last: u64,
        /// The last that the head names.
        head: u64,
    },
    /// The head is there and makes no sense.
    #[error("its head cannot be read")]
    Head,
    /// A line stands in the list of no circle, or not in that of its own.
    #[error("line {0} is not in the list of the file that it is about")]
    Unlisted(u64),
    /// A day was written anew, with links that fit.
    #[error("lines {from} to {to} are not those that were signed: one of them was changed")]
    Rewritten {
        /// The first that may be another one.
        from: u64,
        /// The one that was signed.
        to: u64,
    },
    /// Lines were cut off together with the head.
    #[error("line {line} is missing: the trail was signed up to line {signed}")]
    CutOff {
        /// The first that is not there.
        line: u64,
        /// How far it had been signed.
        signed: u64,
    },
    /// A signature is not this node's, or not over what it should be.
    #[error("the signature of line {0} is not this node's")]
    Statement(u64),
    /// A signature was taken out.
    #[error("the signature of line {0} is missing")]
    NoStatement(u64),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Reading broke off.
    #[error("reading it broke off")]
    Interrupted,
}

impl From<AuditError> for Broken {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Head => Self::Head,
            AuditError::Line(number) => Self::Unreadable(number),
            AuditError::Interrupted => Self::Interrupted,
            AuditError::Store(error) => Self::Store(error),
        }
    }
}

/// A trail that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// How many lines it has.
    pub lines: u64,
    /// How often it was signed.
    pub signatures: u64,
    /// Where it was signed last.
    pub signed: Option<SignedTo>,
}

/// Reads the whole trail: each line names its number and the hash of the one before it, the last is the one that the head names, each is in the list of its
/// circle, and what was signed is what is there. Lines may be written meanwhile.
///
/// # Errors
/// The first thing at which it does not hold.
pub fn verify(store: &Store, own: &NodeId) -> Result<Held, Broken> {
    let statements = statements(store, own)?;
    let end = walk(store, Head::START, |line, at| {
        let listed = match &line.circle {
            Some(circle) => circles::holds(store, circle, line.number)?,
            None => true,
        };
        if !listed {
            return Err(Broken::Unlisted(line.number));
        }
        if let Some(signed) = statements.get(&line.number)
            && signed.hash != at.hash
        {
            return Err(Broken::Rewritten {
                from: signed.previous + 1,
                to: line.number,
            });
        }
        match signs(line) {
            Some(number) if !statements.contains_key(&number) => {
                // It may have been signed since they were read.
                let kept = signature::one(store, number, own)?;
                kept.map(drop).ok_or(Broken::NoStatement(number))
            }
            _ => Ok(()),
        }
    })?;
    let last = statements.values().next_back();
    if let Some(beyond) = last.filter(|last| last.number > end.number) {
        return Err(Broken::CutOff {
            line: end.number + 1,
            signed: beyond.number,
        });
    }
    Ok(Held {
        lines: end.number,
        signatures: statements.len() as u64,
        signed: last.map(SignedTo::from),
    })
}

/// All statements; each is this node's and names the one before it.
fn statements(store: &Store, own: &NodeId) -> Result<BTreeMap<u64, Statement>, Broken> {
    let mut all = BTreeMap::new();
    let mut before = 0;
    for statement in signature::all(store, own)? {
        let statement = statement?;
        if statement.previous != before {
            return Err(Broken::NoStatement(statement.previous));
        }
        before = statement.number;
        all.insert(before, statement);
    }
    Ok(all)
}

/// The line that another one says was signed.
fn signs(line: &Line) -> Option<u64> {
    let object = line.object.as_deref()?;
    (line.action == signature::ACTION).then(|| Object::line_of(object))?
}

/// Reads the lines behind `from`, each with where the trail stands then. Each line comes with its head in one commit, so the end that is found must lie between the
/// heads from before and after.
pub(super) fn walk(
    store: &Store,
    from: Head,
    mut each: impl FnMut(&Line, &Head) -> Result<(), Broken>,
) -> Result<Head, Broken> {
    let before = head(store)?;
    if before.number < from.number {
        return Err(Broken::CutOff {
            line: before.number + 1,
            signed: from.number,
        });
    }
    let mut at = from;
    let first = key(from.number + 1);
    for row in store.scan(Table::Audit, LINES, Range::from(&first))? {
        let expected = at.number + 1;
        let (found, bytes) = row.map_err(|error| match error {
            StoreError::Damaged { .. } => Broken::Unreadable(expected),
            other => other.into(),
        })?;
        if sequence_of(&found) != Some(expected) {
            return Err(Broken::Missing(expected));
        }
        let line: Line = minicbor::decode(&bytes).map_err(|_| Broken::Unreadable(expected))?;
        if line.number != expected {
            return Err(Broken::Missing(expected));
        }
        if line.previous != at.hash {
            return Err(Broken::Apart(expected));
        }
        at = Head {
            number: expected,
            hash: Hash(Sha256::digest(&bytes).into()),
        };
        if at.number == before.number && at != before {
            return Err(Broken::NotTheHead(expected));
        }
        each(&line, &at)?;
    }
    let after = head(store)?;
    let is_last = (before.number..=after.number).contains(&at.number)
        && (at.number < after.number || at == after);
    if !is_last {
        return Err(Broken::Short {
            last: at.number,
            head: after.number,
        });
    }
    Ok(at)
}

/// Where the trail says that it stands.
fn head(store: &Store) -> Result<Head, Broken> {
    match store.get(Table::Audit, HEAD)? {
        Some(bytes) => minicbor::decode(&bytes).map_err(|_| Broken::Head),
        None => Ok(Head::START),
    }
}
