//! Attachments: those that are added here, those that records name, and the chunks that peers send.
//!
//! A record that names an attachment which is not here leaves a row [`Row::Wanted`] in the same commit, and its place in
//! [`Circle::lacking`](crate::circle::Circle::lacking), which acknowledgements tell. Chunks are kept as they come, the first ones first, with the hash as
//! far as it has come; when the last one is here and the address is right, the file is served and shown. A wrong one is dropped.

use super::{ArriveError, Notice, Replica, Row, RowPrefix, Rows, StorageError, rows::read};
use crate::{
    attachment::{Address, Shape},
    cbor,
    circle::{Circle, Fetched, FileRow, Opened, Wanted},
    content::AttachmentRef,
    ids::{CircleId, Hash, LogId, NodeId},
    record::Record,
    sync::{Change, News, Outcome},
};

impl Replica {
    /// Stages sealed chunks of a file that is being added here, from number `from`. Several commits may be needed; until
    /// [`Self::keep_file`] the file is named by nothing, and [`Self::drop_uploads`] takes it away again.
    pub fn keep_chunks(&mut self, circle: CircleId, address: Hash, from: u64, chunks: &[Vec<u8>]) {
        self.stage(
            Row::Upload(circle, address),
            cbor::encode(&(circle, address)),
        );
        for (number, chunk) in (from..).zip(chunks) {
            self.stage(Row::Chunk(circle, address, number), chunk.clone());
        }
    }

    /// Stages that a file whose chunks are all kept is here: together with the record that names it.
    pub fn keep_file(&mut self, circle: CircleId, address: Hash, shape: Shape) {
        let row = FileRow::complete(shape.chunks());
        self.stage(Row::File(circle, address), cbor::encode(&row));
        self.stage_delete(Row::Upload(circle, address));
    }

    /// Takes away the chunks of a file that was being added and will not be.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn drop_upload(
        &mut self,
        rows: &impl Rows,
        circle: CircleId,
        address: Hash,
    ) -> Result<(), StorageError> {
        let mut count = 0;
        let chunks = RowPrefix::Chunks(circle, address, 0);
        self.over(rows).each(&chunks, &mut |_| {
            count += 1;
            true
        })?;
        self.drop_chunks(circle, address, count);
        self.stage_delete(Row::Upload(circle, address));
        Ok(())
    }

    /// Takes away what was being added when the node stopped: to be called before anything is added. How many files that were.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn drop_uploads(&mut self, rows: &impl Rows) -> Result<u64, StorageError> {
        let found = self.over(rows).scan(&RowPrefix::Uploads)?;
        for bytes in &found {
            let (circle, address): (CircleId, Hash) = read(bytes)?;
            self.drop_upload(rows, circle, address)?;
        }
        Ok(found.len() as u64)
    }

    /// Takes away what is here of a file that no record names any more.
    pub(super) fn drop_file(
        &mut self,
        rows: &impl Rows,
        circle: CircleId,
        address: Hash,
    ) -> Result<(), StorageError> {
        let here = self.file(rows, &circle, &address)?.here;
        self.drop_chunks(circle, address, here);
        self.stage_delete(Row::File(circle, address));
        Ok(())
    }

    fn drop_chunks(&mut self, circle: CircleId, address: Hash, count: u64) {
        for number in 0..count {
            self.stage_delete(Row::Chunk(circle, address, number));
        }
    }

    /// How much of an attachment is here, staged changes included; nothing where nothing is.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn file(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        address: &Hash,
    ) -> Result<FileRow, StorageError> {
        Ok(self
            .read_row(rows, &Row::File(*circle, *address))?
            .unwrap_or_default())
    }

    /// Stages the wish for each attachment of a record that is not here. To be called before the circle is put.
    pub(super) fn want_files(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
        record: &Record,
        opened: &Opened,
    ) -> Result<(), StorageError> {
        let id = next.id();
        let named = opened.content.attachments();
        for AttachmentRef { address, .. } in named {
            if self.file(rows, &id, address)?.complete {
                continue;
            }
            let header = &record.header.object;
            let wanted = Wanted {
                log: header.log,
                sequence: header.sequence,
                address: *address,
                record: record.id(),
            };
            self.stage(
                Row::Wanted(id, header.log, header.sequence, *address),
                cbor::encode(&wanted),
            );
            let first = next.lacking.entry(header.log).or_insert(header.sequence);
            *first = header.sequence.min(*first);
        }
        Ok(())
    }

    /// Takes chunks that `peer` was asked for. They have been checked ([`Fetched::check`]).
    ///
    /// # Errors
    /// [`ArriveError`].
    pub fn take_chunks(
        &mut self,
        rows: &impl Rows,
        peer: NodeId,
        fetched: &Fetched,
    ) -> Result<Outcome, ArriveError> {
        let own = self.own();
        let (id, wanted) = (fetched.circle, fetched.wanted);
        let Some(circle) = self.at_hand(rows, &id, &peer)? else {
            return Ok(Outcome::default());
        };
        if !circle.charter.passes(&wanted.log, &peer, &own) {
            return Err(ArriveError::NotShared);
        }
        let shape = fetched.shape()?;
        let place = Row::Wanted(id, wanted.log, wanted.sequence, wanted.address);
        if self.row(rows, &place)?.is_none() {
            return Ok(Outcome::default());
        }
        let mut file = self.file(rows, &id, &wanted.address)?;
        if file.complete {
            self.settle(rows, id, &wanted, peer)?;
            return Ok(Outcome::default());
        }
        if !file.may_go_on_with(&peer) {
            self.drop_chunks(id, wanted.address, file.here);
            file.here = 0;
            file.address = cbor::Bytes::default();
            file.sources.clear();
        }
        let mut outcome = Outcome::default();
        if fetched.from == file.here && !fetched.chunks.is_empty() {
            let mut address = match file.here {
                0 => Address::new(),
                _ => Address::resume(&file.address.0)
                    .ok_or_else(|| StorageError::damaged("attachment's state"))?,
            };
            for chunk in &fetched.chunks {
                address.add(&chunk.0);
                self.stage(Row::Chunk(id, wanted.address, file.here), chunk.0.clone());
                file.here += 1;
            }
            if !file.sources.contains(&peer) {
                file.sources.push(peer);
            }
            file.address = cbor::Bytes(address.save());
            if file.here >= shape.chunks() {
                if address.finish() == wanted.address {
                    file = FileRow::complete(file.here);
                } else {
                    self.drop_chunks(id, wanted.address, file.here);
                    file.begin_again();
                    outcome.refused = true;
                    outcome.wrong_file = true;
                    self.published.notices.push(Notice::Aside {
                        circle: id,
                        what: "attachment",
                    });
                }
            }
        }
        self.stage(Row::File(id, wanted.address), cbor::encode(&file));
        if file.complete {
            self.settle(rows, id, &wanted, peer)?;
        }
        Ok(outcome)
    }

    /// A wanted attachment is here.
    fn settle(
        &mut self,
        rows: &impl Rows,
        id: CircleId,
        wanted: &Wanted,
        peer: NodeId,
    ) -> Result<(), StorageError> {
        self.stage_delete(Row::Wanted(id, wanted.log, wanted.sequence, wanted.address));
        let Some(circle) = self.circles.get(&id) else {
            return Ok(());
        };
        let mut next = Circle::clone(circle);
        self.look_what_is_lacking(rows, &mut next, wanted.log)?;
        self.put_circle(next);
        self.published.news.push(News {
            circle: Some(id),
            change: Change::Attachment,
            from: Some(peer),
        });
        Ok(())
    }

    /// Notes from where on attachments of a log are missing, now that less is wanted.
    pub(super) fn look_what_is_lacking(
        &self,
        rows: &impl Rows,
        next: &mut Circle,
        log: LogId,
    ) -> Result<(), StorageError> {
        match self.first_lacking(rows, next.id(), log)? {
            Some(sequence) => next.lacking.insert(log, sequence),
            None => next.lacking.remove(&log),
        };
        Ok(())
    }

    /// The first sequence of a log that names an attachment which is not here, staged changes included.
    fn first_lacking(
        &self,
        rows: &impl Rows,
        id: CircleId,
        log: LogId,
    ) -> Result<Option<u64>, StorageError> {
        let firsts = self.over(rows).firsts(&RowPrefix::WantedOf(id, log))?;
        let sequences: Vec<u64> = firsts
            .iter()
            .map(|bytes| read::<Wanted>(bytes).map(|wanted| wanted.sequence))
            .collect::<Result<_, _>>()?;
        Ok(sequences.into_iter().min())
    }
}
