//! What was kept aside as evidence, and whether it still means anything.
//!
//! Evidence is never thrown away. But a record of this node's own that a peer held and this node lacked is settled once it is back in its
//! place, a charter entry once the charter has it, and what a removed member wrote after its removal needs nobody.

use std::collections::BTreeMap;

use maillon_protocol::{
    cbor,
    charter::Entry,
    circle::Circle,
    ids::{EntryHash, RecordId},
    record::Header,
    replica::{Location, Row, RowPrefix, Rows},
    sign::Unverified,
    sync::{SentRecord, View},
};

use super::Remedy;
use crate::ledger::Shared;

/// What one piece of evidence comes to today.
enum Stands {
    /// Somebody must do something.
    Open,
    /// It is back in its place, or nobody has to do anything.
    Settled,
}

pub(super) fn nothing_aside(shared: &Shared) -> Result<String, (String, Remedy)> {
    let (mut open, mut settled) = (Words::default(), Words::default());
    for circle in shared.circles() {
        let rows = shared.rows().scan(&RowPrefix::Aside(circle.id()));
        let rows = rows.map_err(|error| {
            let remedy = Remedy::Advice("see what `store.every-row-opens` says");
            (error.to_string(), remedy)
        })?;
        for bytes in rows {
            let (mut word, inner) =
                parts(&bytes).unwrap_or_else(|| ("unreadable".to_owned(), Vec::new()));
            if word == "entry" && is_of_another_branch(&circle, inner.clone()) == Some(true) {
                "charter-fork".clone_into(&mut word);
            }
            match stands(shared, &circle, &word, inner) {
                Stands::Open => open.count(word),
                Stands::Settled => settled.count(word),
            }
        }
    }
    let past = if settled.0.is_empty() {
        String::new()
    } else {
        format!("settled: {}", settled.listed())
    };
    if open.0.is_empty() {
        return Ok(if past.is_empty() {
            "nothing is kept aside".to_owned()
        } else {
            past
        });
    }
    let remedy = Remedy::Advice(open.advice());
    let found = match past.as_str() {
        "" => open.listed(),
        past => format!("{}; {past}", open.listed()),
    };
    Err((found, remedy))
}

/// How often each word was met.
#[derive(Default)]
struct Words(BTreeMap<String, u64>);

impl Words {
    fn count(&mut self, word: String) {
        *self.0.entry(word).or_default() += 1;
    }

    fn listed(&self) -> String {
        let each: Vec<_> = self
            .0
            .iter()
            .map(|(word, count)| format!("{word}: {count}"))
            .collect();
        each.join(", ")
    }

    /// What to do, for the gravest of them.
    fn advice(&self) -> &'static str {
        let has = |word: &str| self.0.contains_key(word);
        if has("fork") {
            "one node wrote twice in the same place: it ran on an old copy of its disk, or twice, or its key is in other hands; what it wrote is shown all the same, and marked. If it is not this one, call its administrator (`maillonctl peer list`)"
        } else if has("own-log-ahead") {
            "this node went back to an old copy, and a peer holds more of what it wrote: let it meet its peers before anybody writes; a restart brings the next contact at once"
        } else if has("charter-fork") {
            "the steward of a circle has signed two changes with one number: it was put back from a copy, or its key is in other hands; call its administrator, and continue the circle without it (`maillonctl circle continue`)"
        } else if has("entry") || has("seal") {
            "a change of a circle's members cannot be checked here: update this node; if that does not help, call the administrator of the circle's steward"
        } else {
            "something signed does not fit: call the administrator of the structure that `maillonctl peer list` shows with refused things"
        }
    }
}

/// The word of a piece of evidence and the bytes that were kept.
fn parts(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    let (word, inner): (String, cbor::Bytes) = cbor::decode(bytes).ok()?;
    Some((word, inner.0))
}

fn stands(shared: &Shared, circle: &Circle, word: &str, inner: Vec<u8>) -> Stands {
    let settled = match word {
        "after-removal" => true,
        "own-log-ahead" => is_back(shared, &inner).unwrap_or(false),
        "entry" => is_committed(circle, shared, inner).unwrap_or(false),
        _ => false,
    };
    if settled {
        Stands::Settled
    } else {
        Stands::Open
    }
}

/// Whether a record that was kept aside is in its log now.
fn is_back(shared: &Shared, inner: &[u8]) -> Option<bool> {
    let kept: SentRecord = cbor::decode(inner).ok()?;
    let header = Unverified::<Header>::parse(kept.header.0).ok()?;
    let id = RecordId(header.id);
    let Some(bytes) = shared.rows().get(&Row::Place(id)).ok()? else {
        return Some(false);
    };
    let place: Location = cbor::decode(&bytes).ok()?;
    let held = shared.read(|view| view.record_id(&place.circle, &place.log, place.sequence));
    Some(held == Some(id))
}

/// Whether a charter entry that was kept aside stands on another branch of the charter.
fn is_of_another_branch(circle: &Circle, inner: Vec<u8>) -> Option<bool> {
    let entry = Unverified::<Entry>::parse(inner).ok()?;
    let (number, hash) = (entry.object.number, EntryHash(entry.id));
    Some(circle.charter.is_rival(number, hash))
}

/// Whether a charter entry that was kept aside is the charter's now.
fn is_committed(circle: &Circle, shared: &Shared, inner: Vec<u8>) -> Option<bool> {
    let entry = Unverified::<Entry>::parse(inner.clone()).ok()?;
    let row = Row::Entry(circle.id(), entry.object.number);
    Some(shared.rows().get(&row).ok()? == Some(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_read_as_it_was_kept() {
        let kept = cbor::encode(&("own-log-ahead", cbor::Bytes(vec![1, 2, 3])));
        assert_eq!(
            parts(&kept),
            Some(("own-log-ahead".to_owned(), vec![1, 2, 3]))
        );
        assert_eq!(parts(b"nonsense"), None);
    }

    #[test]
    fn the_gravest_piece_of_evidence_decides_what_to_do() {
        let mut words = Words::default();
        words.count("entry".to_owned());
        assert!(words.advice().contains("update this node"));
        words.count("fork".to_owned());
        assert!(words.advice().contains("wrote twice"));
        assert_eq!(words.listed(), "entry: 1, fork: 1");
    }
}
