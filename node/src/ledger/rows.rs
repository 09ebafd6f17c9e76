//! The replica's rows in RocksDB: what each is called there.
//!
//! Keys tell nothing: names are keyed hashes ([`Namer`](crate::store::Namer)), and only numbers that order rows (a charter's entry, a log's sequence) stand in the clear
//! behind them.

use std::collections::BTreeSet;

use maillon_protocol::{
    ids::{CircleId, Hash, LogId, NodeId},
    replica::{Row, RowPrefix, Rows, StorageError},
};

use crate::store::{Range, Store, StoreError, Table};

/// Rows of the replica, read from the store.
#[derive(Clone)]
pub struct StoreRows(pub Store);

/// Where a row is: its table and key.
pub(super) fn place(store: &Store, row: &Row) -> (Table, Vec<u8>) {
    let namer = store.namer();
    let circle_name = |circle: &CircleId| namer.name("circle", &[&circle.0]);
    let join = |parts: &[&[u8]]| parts.concat();
    match row {
        Row::Clock => (Table::Meta, b"clock".to_vec()),
        Row::Counter => (Table::Meta, b"counter".to_vec()),
        Row::Incarnation => (Table::Meta, b"incarnation".to_vec()),
        Row::Lives => (Table::Meta, b"lives".to_vec()),
        Row::Restored => (Table::Meta, b"restored".to_vec()),
        Row::AlertsIndexed => (Table::Meta, b"alerts".to_vec()),
        Row::LettersIndexed => (Table::Meta, b"letters".to_vec()),
        Row::Charter(circle) => (Table::Circles, join(&[b"c", &circle_name(circle)])),
        Row::Circle(circle) => (Table::Circles, join(&[b"r", &circle_name(circle)])),
        Row::Finishing(circle) => (Table::Circles, join(&[b"g", &circle_name(circle)])),
        Row::Finished(circle) => (Table::Circles, join(&[b"f", &circle_name(circle)])),
        Row::Entry(circle, number) => (
            Table::Entries,
            join(&[b"e", &circle_name(circle), &number.to_be_bytes()]),
        ),
        Row::Seal(circle, node, number) => (
            Table::Entries,
            join(&[
                b"s",
                &circle_name(circle),
                &namer.name("recipient", &[&circle.0, &node.0]),
                &number.to_be_bytes(),
            ]),
        ),
        Row::Record(circle, log, sequence) => {
            let mut key = log_prefix(store, circle, log);
            key.extend_from_slice(&sequence.to_be_bytes());
            (Table::Records, key)
        }
        Row::Place(record) => {
            let mut key = record_head(store, &record.0[..6]);
            key.extend_from_slice(&namer.name("record", &[&record.0])[..8]);
            (Table::Ids, key)
        }
        Row::Thing(circle, thing) => (
            Table::Things,
            join(&[
                &circle_name(circle),
                &namer.name("thing", &[&circle.0, &thing.0]),
            ]),
        ),
        Row::Alert(circle, thing) => (
            Table::Timeline,
            join(&[
                b"a",
                &circle_name(circle),
                &namer.name("thing", &[&circle.0, &thing.0]),
            ]),
        ),
        Row::Request(circle, thing) => (
            Table::Timeline,
            join(&[
                b"q",
                &circle_name(circle),
                &namer.name("thing", &[&circle.0, &thing.0]),
            ]),
        ),
        Row::Erasing(circle, thing) => (
            Table::Timeline,
            join(&[
                b"e",
                &circle_name(circle),
                &namer.name("thing", &[&circle.0, &thing.0]),
            ]),
        ),
        Row::Erased(circle, record) => (
            Table::Timeline,
            join(&[
                b"g",
                &circle_name(circle),
                &namer.name("erased", &[&record.0]),
            ]),
        ),
        Row::Ack(circle, node) => (
            Table::Exchange,
            join(&[
                b"a",
                &circle_name(circle),
                &namer.name("ack", &[&circle.0, &node.0]),
            ]),
        ),
        Row::Delivery(circle, record) => (
            Table::Outbox,
            join(&[
                b"d",
                &circle_name(circle),
                &namer.name("delivery", &[&record.0]),
            ]),
        ),
        Row::Awaited(node, circle, log, sequence) => {
            let mut key = awaited_prefix(store, node, circle, log);
            key.extend_from_slice(&sequence.to_be_bytes());
            (Table::Outbox, key)
        }
        Row::Aside(circle, hash) => (
            Table::Exchange,
            join(&[b"x", &circle_name(circle), &namer.name("aside", &[&hash.0])]),
        ),
        Row::Ahead(circle, record) => (
            Table::Exchange,
            join(&[
                b"t",
                &circle_name(circle),
                &namer.name("ahead", &[&record.0]),
            ]),
        ),
        Row::Chunk(circle, address, number) => {
            let mut key = chunk_prefix(store, circle, address);
            key.extend_from_slice(&number.to_be_bytes());
            (Table::Blobs, key)
        }
        Row::File(circle, address) => (
            Table::Blobs,
            join(&[
                b"f",
                &circle_name(circle),
                &namer.name("file", &[&circle.0, &address.0]),
            ]),
        ),
        Row::Wanted(circle, log, sequence, address) => (
            Table::Blobs,
            wanted_key(store, circle, log, *sequence, address),
        ),
        Row::Upload(circle, address) => (
            Table::Blobs,
            join(&[b"u", &namer.name("file", &[&circle.0, &address.0])]),
        ),
        Row::Renewing(circle) => (Table::Exchange, join(&[b"n", &circle_name(circle)])),
        Row::Descriptor(node) => (Table::Peers, join(&[b"d", &namer.name("node", &[&node.0])])),
        Row::Fate(node) => (Table::Peers, join(&[b"f", &namer.name("node", &[&node.0])])),
        Row::Marks(node) => (
            Table::Exchange,
            join(&[b"m", &namer.name("node", &[&node.0])]),
        ),
        Row::Outgoing(id) => (
            Table::Invitations,
            join(&[b"o", &namer.name("invitation", &[&id.0])]),
        ),
        Row::Incoming(id) => (
            Table::Invitations,
            join(&[b"i", &namer.name("invitation", &[&id.0])]),
        ),
        Row::Letter(node, id) => (
            Table::Invitations,
            join(&[
                b"l",
                &namer.name("node", &[&node.0]),
                &namer.name("invitation", &[&id.0]),
            ]),
        ),
    }
}

/// What the places of records whose ids begin with the same six bytes have in common: people type twelve digits of an id.
pub(crate) fn record_head(store: &Store, six: &[u8]) -> Vec<u8> {
    store.namer().name("record-head", &[six])[..8].to_vec()
}

fn log_prefix(store: &Store, circle: &CircleId, log: &LogId) -> Vec<u8> {
    let namer = store.namer();
    let mut key = namer.name("circle", &[&circle.0]).to_vec();
    // Eight bytes tell the logs of one circle apart; the circle's name stands before them.
    key.extend_from_slice(&namer.name("log", &[&circle.0, &log.node.0, &log.incarnation.0])[..8]);
    key
}

fn chunk_prefix(store: &Store, circle: &CircleId, address: &Hash) -> Vec<u8> {
    let file = store.namer().name("file", &[&circle.0, &address.0]);
    [&b"c"[..], &file].concat()
}

fn awaited_of(store: &Store, node: &NodeId) -> Vec<u8> {
    [&b"w"[..], &store.namer().name("node", &[&node.0])].concat()
}

fn awaited_prefix(store: &Store, node: &NodeId, circle: &CircleId, log: &LogId) -> Vec<u8> {
    [
        &awaited_of(store, node)[..],
        &log_prefix(store, circle, log),
    ]
    .concat()
}

fn wanted_key(
    store: &Store,
    circle: &CircleId,
    log: &LogId,
    sequence: u64,
    address: &Hash,
) -> Vec<u8> {
    let file = store.namer().name("file", &[&circle.0, &address.0]);
    let place = [&log_prefix(store, circle, log)[..], &sequence.to_be_bytes()].concat();
    [&b"w"[..], &place, &file[..8]].concat()
}

/// Table, prefix and first key of a scan.
fn range(store: &Store, prefix: &RowPrefix) -> (Table, Vec<u8>, Option<Vec<u8>>) {
    let name = |circle: &CircleId| store.namer().name("circle", &[&circle.0]);
    let of = |letter: &[u8], circle: &CircleId| [letter, &name(circle)].concat();
    match prefix {
        RowPrefix::Charters => (Table::Circles, b"c".to_vec(), None),
        RowPrefix::Finishing => (Table::Circles, b"g".to_vec(), None),
        RowPrefix::Finished => (Table::Circles, b"f".to_vec(), None),
        RowPrefix::Entries(circle, after) => {
            let prefix = of(b"e", circle);
            let from = [&prefix[..], &after.saturating_add(1).to_be_bytes()].concat();
            (Table::Entries, prefix, Some(from))
        }
        RowPrefix::Seals(circle, node) => {
            let recipient = store.namer().name("recipient", &[&circle.0, &node.0]);
            (
                Table::Entries,
                [&of(b"s", circle)[..], &recipient].concat(),
                None,
            )
        }
        RowPrefix::Records(circle, log, sequence) => {
            let prefix = log_prefix(store, circle, log);
            let from = [&prefix[..], &sequence.to_be_bytes()].concat();
            (Table::Records, prefix, Some(from))
        }
        RowPrefix::Things(circle) => (Table::Things, name(circle).to_vec(), None),
        RowPrefix::Alerts(circle) => (Table::Timeline, of(b"a", circle), None),
        RowPrefix::Requests(circle) => (Table::Timeline, of(b"q", circle), None),
        RowPrefix::Erasing(circle) => (Table::Timeline, of(b"e", circle), None),
        RowPrefix::AllErasing => (Table::Timeline, b"e".to_vec(), None),
        RowPrefix::Acks(circle) => (Table::Exchange, of(b"a", circle), None),
        RowPrefix::Awaited(node, circle, log, sequence) => {
            let prefix = awaited_prefix(store, node, circle, log);
            let from = [&prefix[..], &sequence.to_be_bytes()].concat();
            (Table::Outbox, prefix, Some(from))
        }
        RowPrefix::AwaitedIn(node, circle) => {
            let prefix = [&awaited_of(store, node)[..], &name(circle)].concat();
            (Table::Outbox, prefix, None)
        }
        RowPrefix::AwaitedOf(node) => (Table::Outbox, awaited_of(store, node), None),
        RowPrefix::Aside(circle) => (Table::Exchange, of(b"x", circle), None),
        RowPrefix::Ahead(circle) => (Table::Exchange, of(b"t", circle), None),
        RowPrefix::Chunks(circle, address, number) => {
            let prefix = chunk_prefix(store, circle, address);
            let from = [&prefix[..], &number.to_be_bytes()].concat();
            (Table::Blobs, prefix, Some(from))
        }
        RowPrefix::Wanted(circle, after) => {
            let from = after.map(|after| {
                let mut key = wanted_key(store, circle, &after.log, after.sequence, &after.address);
                // The first key behind that one.
                key.push(0);
                key
            });
            (Table::Blobs, of(b"w", circle), from)
        }
        RowPrefix::WantedOf(circle, log) => {
            let prefix = [&b"w"[..], &log_prefix(store, circle, log)].concat();
            (Table::Blobs, prefix, None)
        }
        RowPrefix::Renewing => (Table::Exchange, b"n".to_vec(), None),
        RowPrefix::Uploads => (Table::Blobs, b"u".to_vec(), None),
        RowPrefix::Outgoing => (Table::Invitations, b"o".to_vec(), None),
        RowPrefix::Incoming => (Table::Invitations, b"i".to_vec(), None),
        RowPrefix::Letters(node) => {
            let name = store.namer().name("node", &[&node.0]);
            (Table::Invitations, [&b"l"[..], &name].concat(), None)
        }
        RowPrefix::AllLetters => (Table::Invitations, b"l".to_vec(), None),
        RowPrefix::Fates => (Table::Peers, b"f".to_vec(), None),
    }
}

impl StoreRows {
    fn walk(
        &self,
        prefix: &RowPrefix,
        but: &BTreeSet<Row>,
        more: &mut dyn FnMut(Vec<u8>) -> bool,
    ) -> Result<(), StoreError> {
        let (table, prefix, from) = range(&self.0, prefix);
        let but: BTreeSet<Vec<u8>> = but.iter().map(|row| place(&self.0, row).1).collect();
        let range = from.as_deref().map_or_else(Range::all, Range::from);
        for found in self.0.scan(table, &prefix, range)? {
            let (key, value) = found?;
            if !but.contains(&*key) && !more(value) {
                break;
            }
        }
        Ok(())
    }
}

impl Rows for StoreRows {
    fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, StorageError> {
        let (table, key) = place(&self.0, row);
        self.0.get(table, &key).map_err(StorageError::new)
    }

    fn each_but(
        &self,
        prefix: &RowPrefix,
        but: &BTreeSet<Row>,
        more: &mut dyn FnMut(Vec<u8>) -> bool,
    ) -> Result<(), StorageError> {
        self.walk(prefix, but, more).map_err(StorageError::new)
    }
}
