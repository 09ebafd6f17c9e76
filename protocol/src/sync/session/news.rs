//! What is committed while the connection stands.

use std::sync::Arc;

use super::{Session, records::sent};
use crate::{
    circle::Circle,
    ids::{CircleId, NodeId},
    record::Record,
    sync::{Change, Message, News, Problem, View},
};

impl Session {
    pub(super) fn news(&mut self, news: &News, view: &impl View, now_ms: u64) {
        if !self.greeted {
            return;
        }
        if let Some(circle) = news.circle.and_then(|id| view.circle(&id)) {
            let theirs = news.from == Some(self.peer);
            match news.change {
                Change::Records(_) | Change::Charter => self.look_for_files(&circle),
                Change::Acks if theirs => self.peer_has_more(&circle, now_ms),
                _ => {}
            }
        }
        match (&news.change, news.circle) {
            (Change::Letter(to), _) if *to == self.peer => {
                for letter in view.letters(&self.peer) {
                    self.send(letter);
                }
            }
            (Change::Identity(_), _) if view.refuses(&self.peer) => self.close(Problem::Refused),
            (Change::Identity(_), _) => {
                for statement in view.statements(&self.peer) {
                    self.send(statement);
                }
            }
            (Change::Descriptor, _) => self.send(Message::Descriptor(view.descriptor())),
            (Change::Charter, Some(id)) if view.circle(&id).is_none() => {
                self.tell_the_end(&id, view)
            }
            (Change::Charter, Some(id)) => {
                // Until the peer says that it has the same head, nothing else of this circle is sent. Secrets that open come without a
                // new entry, and after the peer has said so.
                let known = |circle: Arc<Circle>| circle.charter.ever_listed(&self.peer);
                if view.circle(&id).is_some_and(known) && !self.peer_has_the_head(&id, view) {
                    self.behind.insert(id);
                }
                // What is known of another branch may be what the peer stands on: compared again, it is no fork that waits for people.
                self.forked.remove(&id);
                if let Some((theirs, hash)) = self.stated.get(&id).copied()
                    && let Some(circle) = view.circle(&id)
                    && circle.charter.is_rival(theirs, hash)
                {
                    self.send_branch(&circle, theirs, view);
                }
                if let Some(circle) = self.shared(&id, view)
                    && self.peer_has_the_head(&id, view)
                {
                    self.send_rivals(&circle, view);
                    self.ask_for_late(&circle, view);
                }
                self.tell(&id, view);
            }
            (Change::Attachment, Some(id)) => {
                if self.shared(&id, view).is_some()
                    && let Some(ack) = view.own_ack(&id)
                {
                    self.send(Message::Ack(ack));
                }
            }
            (Change::Records(records), Some(id)) => self.pass_on(&id, records, news.from, view),
            _ => {}
        }
    }

    pub(super) fn pass_on(
        &mut self,
        id: &CircleId,
        records: &[Record],
        from: Option<NodeId>,
        view: &impl View,
    ) {
        let Some(circle) = self.shared(id, view) else {
            return;
        };
        if records
            .iter()
            .any(|record| record.header.object.log.node == self.peer)
            && let Some(ack) = view.own_ack(id)
        {
            self.send(Message::Ack(ack));
        }
        if from == Some(self.peer) {
            return;
        }
        // Before the peer has said what changed at its side, and while charters differ, states are compared instead.
        let settled = self.round.got_compared || self.round.number > 1;
        if from.is_some() || !settled || self.behind.contains(id) {
            return self.tell(id, view);
        }
        let (entry, entry_hash) = (circle.charter.number(), circle.charter.head());
        let mut batch = Vec::new();
        let mut bytes = 0;
        for record in records {
            let log = record.header.object.log;
            let allowed = circle
                .logs
                .get(&log)
                .and_then(|tip| tip.first_for(&self.peer, &log, &circle.charter))
                .is_some_and(|first| record.header.object.sequence >= first);
            if !allowed {
                continue;
            }
            let Some(record) = sent(record, &circle, &self.peer) else {
                continue;
            };
            bytes += record.about_bytes();
            batch.push(record);
            if bytes >= self.limits.answer_bytes {
                let records = std::mem::take(&mut batch);
                bytes = 0;
                self.send(Message::Records {
                    circle: *id,
                    entry,
                    entry_hash,
                    records,
                    wanted: false,
                });
            }
        }
        if !batch.is_empty() {
            self.send(Message::Records {
                circle: *id,
                entry,
                entry_hash,
                records: batch,
                wanted: false,
            });
        }
    }
}
