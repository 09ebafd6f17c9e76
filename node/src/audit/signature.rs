//! The trail is signed once a day: a statement of the node's key that the line of this number, with this hash, is what it wrote.
//!
//! Each statement names the one before it, and has a line of its own behind what it signs. So a day that was written anew is seen, with all its links made to
//! fit, by whoever has not the key; and a statement that was taken out is missed. What is cut off behind the last one together with the trail's head, or that one with
//! everything behind it, is seen only where somebody kept a later number: the node's log has each.

use maillon_protocol::{
    ids::{Hash, NodeId},
    keys::NodeKey,
    sign::{self, Signed},
};
use minicbor::{Decode, Encode};

use super::{About, AuditError, Broken, By, Object, line::Head, note, verify};
use crate::{
    ledger::{Ledger, LedgerError, Tx},
    store::{Range, Store, Table, row_key, sequence_of},
};

/// What the keys of statements begin with; the number of the line that each signs follows.
const STATEMENTS: &[u8] = b"s";
/// The word of their lines.
pub(super) const ACTION: &str = "audit.sign";

/// What the node says of its trail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Statement {
    /// Who says it.
    #[n(0)]
    pub(super) node: NodeId,
    /// The last line.
    #[n(1)]
    pub(super) number: u64,
    /// Its hash, and so that of everything before it.
    #[n(2)]
    pub(super) hash: Hash,
    #[n(3)]
    pub(super) at_ms: u64,
    /// The line that the statement before this one signs; 0 for the first.
    #[n(4)]
    pub(super) previous: u64,
}

impl Signed for Statement {
    const DOMAIN: &'static str = "audit";

    fn signer(&self) -> NodeId {
        self.node
    }
}

/// Where the trail was signed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedTo {
    /// The line.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// When, Unix milliseconds.
    pub at_ms: u64,
}

impl From<&Statement> for SignedTo {
    fn from(statement: &Statement) -> Self {
        Self {
            number: statement.number,
            hash: statement.hash,
            at_ms: statement.at_ms,
        }
    }
}

/// Why the trail is not signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// What was added since the last time does not hold.
    #[error("the audit trail does not hold, and is not signed: {0}; run `maillonctl audit verify`")]
    Broken(#[from] Broken),
    /// The commit.
    #[error(transparent)]
    Commit(#[from] LedgerError<AuditError>),
}

/// A statement as it is kept: this node's, and of the line in whose place it stands.
fn read(number: u64, bytes: Vec<u8>, own: &NodeId) -> Result<Statement, Broken> {
    let statement = sign::verify::<Statement>(bytes).ok();
    let statement = statement.map(|verified| verified.object);
    statement
        .filter(|one| one.node == *own && one.number == number)
        .ok_or(Broken::Statement(number))
}

/// All statements, in the order of the lines that they sign.
pub(super) fn all<'a>(
    store: &'a Store,
    own: &'a NodeId,
) -> Result<impl Iterator<Item = Result<Statement, Broken>> + use<'a>, Broken> {
    let rows = store.scan(Table::Audit, STATEMENTS, Range::all())?;
    Ok(rows.map(|row| {
        let (key, bytes) = row?;
        read(sequence_of(&key).unwrap_or(0), bytes, own)
    }))
}

/// The statement that signs a line; none where none does.
pub(super) fn one(store: &Store, number: u64, own: &NodeId) -> Result<Option<Statement>, Broken> {
    let row = store.get(Table::Audit, &row_key(STATEMENTS, number))?;
    row.map(|bytes| read(number, bytes, own)).transpose()
}

/// The last statement; none where nothing was signed yet.
fn last(store: &Store, own: &NodeId) -> Result<Option<Statement>, Broken> {
    let mut rows = store.scan(Table::Audit, STATEMENTS, Range::backwards())?;
    let Some(row) = rows.next() else {
        return Ok(None);
    };
    let (key, bytes) = row?;
    read(sequence_of(&key).unwrap_or(0), bytes, own).map(Some)
}

/// Where the trail was signed last; nowhere yet where there is none.
///
/// # Errors
/// [`Broken`].
pub fn signed_to(store: &Store, own: &NodeId) -> Result<Option<SignedTo>, Broken> {
    Ok(last(store, own)?.map(|last| SignedTo::from(&last)))
}

/// Signs the trail up to its last line, where something was done since it was signed last; looks first whether what was added since follows.
///
/// # Errors
/// [`SigningError`].
pub async fn sign_trail(ledger: &Ledger, key: &NodeKey) -> Result<Option<SignedTo>, SigningError> {
    let store = ledger.shared().rows().0.clone();
    let before = last(&store, &key.id())?;
    let from = before.as_ref().map_or(Head::START, |before| Head {
        number: before.number,
        hash: before.hash,
    });
    let read = tokio::task::spawn_blocking(move || verify::walk(&store, from, |_, _| Ok(())));
    let end = read.await.map_err(|_| Broken::Interrupted)??;
    // The line of the last statement is not worth another one.
    let new = end.number - from.number;
    if new == 0 || (new == 1 && before.is_some()) {
        return Ok(None);
    }
    let key = key.clone();
    let signed = ledger.run(move |tx| {
        let statement = Statement {
            node: key.id(),
            number: end.number,
            hash: end.hash,
            at_ms: tx.now_ms,
            previous: from.number,
        };
        let signed = SignedTo::from(&statement);
        put(tx, statement, &key)?;
        Ok(signed)
    });
    Ok(Some(signed.await?))
}

/// Keeps a statement, with its line.
fn put(tx: &mut Tx<'_>, statement: Statement, key: &NodeKey) -> Result<(), AuditError> {
    let number = statement.number;
    let signed = sign::sign(statement, key);
    tx.put(Table::Audit, row_key(STATEMENTS, number), signed.bytes);
    let about = About::object(Object::Line(number));
    note(tx, By::itself(), ACTION, about)
}
