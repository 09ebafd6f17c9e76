//! Beginning, rounds of comparison, and the mark that ends one.

use std::collections::VecDeque;

use super::{Pending, Session};
use crate::{
    cbor::Bytes,
    ids::{CircleId, Token},
    sync::{Batch, CircleState, Effect, Message, Problem, VERSION, View},
};

/// How far a round of comparison has come.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) number: u64,
    pub(super) cursor: u64,
    pub(super) to_state: VecDeque<CircleId>,
    pub(super) sent_compared: bool,
    pub(super) got_compared: bool,
    pub(super) sent_finished: bool,
    pub(super) got_finished: bool,
    pub(super) marked: bool,
    /// Something that was asked for was not answered: this round leaves no mark, the next one compares the same again.
    pub(super) incomplete: bool,
    /// When the next round begins if this one still leaves something open then, Unix milliseconds.
    pub(super) again_at: Option<u64>,
}

impl Session {
    pub(super) fn start(&mut self, view: &impl View) {
        for statement in view.rotations() {
            self.send(statement);
        }
        let marks = view
            .marks(&self.peer)
            .into_iter()
            .map(|(token, _)| token)
            .take(8)
            .collect();
        self.send(Message::Hello {
            lowest: VERSION,
            highest: VERSION,
            descriptor: view.descriptor(),
            marks,
        });
    }

    pub(super) fn hello(
        &mut self,
        lowest: u64,
        highest: u64,
        descriptor: Bytes,
        marks: &[Token],
        view: &impl View,
        now_ms: u64,
    ) {
        if lowest > VERSION || highest < VERSION {
            return self.close(Problem::Version { lowest, highest });
        }
        if self.greeted {
            return;
        }
        if view.refuses(&self.peer) {
            return self.close(Problem::Refused);
        }
        self.greeted = true;
        self.commit(Batch::Descriptor(descriptor.0), Pending::Other);
        self.mark = view
            .marks(&self.peer)
            .into_iter()
            .find(|(token, _)| marks.contains(token))
            .map_or(0, |(_, cursor)| cursor);
        for statement in view.statements(&self.peer) {
            self.send(statement);
        }
        for letter in view.letters(&self.peer) {
            self.send(letter);
        }
        if self.round.number == 0 {
            self.begin_round(1, view);
        }
        self.round_due = now_ms + self.limits.round_ms;
        self.look_due = self.round_due;
        self.sweep_at = now_ms + self.limits.sweep_ms;
    }

    pub(super) fn begin_round(&mut self, number: u64, view: &impl View) {
        if !self.greeted {
            return;
        }
        let mut to_state = view.changed_since(&self.peer, self.mark);
        // Whoever gave the mark may have kept a secret or a body back; this peer may have it, and gives it to who says what is missing.
        let incomplete = view.incomplete(&self.peer).into_iter();
        to_state.extend(
            incomplete
                .filter(|id| !to_state.contains(id))
                .collect::<Vec<_>>(),
        );
        // Alerts do not wait behind the notes of other circles.
        let alerting = view.alerting(&self.peer);
        to_state.sort_by_key(|id| !alerting.contains(id));
        self.round = Round {
            number,
            cursor: view.counter(),
            to_state: to_state.into(),
            ..Round::default()
        };
        self.look_for_all_files(view);
    }

    pub(super) fn pump(&mut self, view: &impl View, now_ms: u64) {
        if !self.greeted || self.closed {
            return;
        }
        while !self.round.to_state.is_empty() {
            let (mut states, mut bytes) = (Vec::new(), 0);
            while states.len() < self.limits.states && bytes < self.limits.stated_bytes {
                let Some(circle) = self.round.to_state.pop_front() else {
                    break;
                };
                let state = self.own_state(&circle, view);
                bytes += state.as_ref().map_or(0, CircleState::about_bytes);
                states.extend(state);
            }
            if !states.is_empty() {
                self.send(Message::States(states));
            }
        }
        if !self.round.sent_compared {
            self.round.sent_compared = true;
            self.send(Message::Compared(self.round.number));
        }
        self.ask(view);
        self.answer_some(view);
        self.ask_files(view, now_ms);
        let asked = !self.asked.is_empty() || !self.branches.is_empty();
        let idle = self.targets.is_empty() && !asked && self.commits.is_empty();
        if !self.round.got_compared || self.round.sent_finished || !idle {
            return;
        }
        if self.round.incomplete || self.is_behind(view) {
            self.hasten(now_ms);
        } else {
            self.give_branches(view);
            self.round.sent_finished = true;
            self.round.again_at = None;
            self.send(Message::Finished(self.round.number));
            self.make_mark(view);
        }
    }

    /// Nothing is under way and something is left open, because the two nodes spoke at cross purposes: what each of them said was true when
    /// it said it. Records, an alert among them, do not wait a minute for that.
    fn hasten(&mut self, now_ms: u64) {
        if self.round.again_at.is_none() {
            self.round.again_at = Some(now_ms + self.again_ms);
            self.again_ms = self.limits.round_ms.min(2 * self.again_ms);
        }
    }

    pub(super) fn make_mark(&mut self, view: &impl View) {
        let both = self.round.sent_finished && self.round.got_finished;
        if both && self.reopens(view) {
            return;
        }
        // Even where nothing changed here since the last mark: the peer may have begun this round because something did there.
        if both && view.own() < self.peer && !self.round.marked {
            self.round.marked = true;
            let token = view.new_mark();
            self.send(Message::Mark(self.round.number, token));
            self.keep_mark(token);
        }
    }

    /// A round that was finished before the peer said what it lacks is open again: what goes to it may be lost on the way, and the mark would say
    /// that both know it.
    pub(super) fn reopens(&mut self, view: &impl View) -> bool {
        let open = self.is_behind(view);
        if open {
            self.round.sent_finished = false;
            self.round.incomplete = true;
        }
        open
    }

    pub(super) fn keep_mark(&mut self, token: Token) {
        self.mark = self.round.cursor;
        self.again_ms = self.limits.again_ms;
        self.commit(Batch::Mark(token, self.round.cursor), Pending::Other);
    }

    /// Whether some circle that both share waits for charters to become the same. One that has forked waits for people.
    fn is_behind(&self, view: &impl View) -> bool {
        self.behind
            .iter()
            .any(|id| !self.forked.contains(id) && self.shared(id, view).is_some())
    }

    pub(super) fn timer(&mut self, view: &impl View, now_ms: u64) {
        self.timer = None;
        if self.greeted && self.round_due <= now_ms {
            self.round_due = now_ms + self.limits.round_ms;
            self.look_again(view, now_ms);
        } else if self.round.again_at.is_some_and(|at| at <= now_ms) {
            self.begin_round(self.round.number + 1, view);
        }
        self.files.wake(now_ms);
    }

    /// Once a minute: what was not answered is let go, and whatever is not finished, or has changed, is compared again.
    fn look_again(&mut self, view: &impl View, now_ms: u64) {
        if now_ms >= self.sweep_at {
            // The sweep compares everything, whatever the marks say.
            self.sweep_at = now_ms + self.limits.sweep_ms;
            self.mark = 0;
            self.given.clear();
            self.given_up.clear();
            self.not_taken.clear();
        }
        if now_ms >= self.look_due {
            self.look_due = now_ms + self.limits.round_ms;
            self.let_go_of_questions();
        }
        // What the peer says that it has not opened is sent again.
        self.sealed.clear();
        let stuck = self.round.incomplete || !self.round.sent_finished;
        if stuck || !view.changed_since(&self.peer, self.mark).is_empty() {
            return self.begin_round(self.round.number + 1, view);
        }
        // Whoever has let go of a circle has nothing of it to give.
        let missing = view.incomplete(&self.peer).into_iter();
        let missing: Vec<_> = missing.filter(|id| !self.let_go.contains(id)).collect();
        for id in missing {
            self.told.remove(&id);
            self.tell(&id, view);
        }
    }

    /// Lets go of what was asked a look ago and was not answered.
    fn let_go_of_questions(&mut self) {
        let unanswered: Vec<_> = self
            .asked
            .iter()
            .filter(|(_, asked)| asked.turn < self.asked_by_look && !asked.answered)
            .map(|(key, _)| *key)
            .collect();
        for key in unanswered {
            self.asked.remove(&key);
            self.targets.remove(&key);
        }
        let open = self.branches.len();
        let look = self.asked_by_look;
        self.branches.retain(|_, branch| branch.turn >= look);
        self.round.incomplete |= self.branches.len() < open;
        self.asked_by_look = self.next_ask;
    }

    /// The clock was put back by so many milliseconds: nothing waits longer for that.
    pub(super) fn clock_went_back(&mut self, by_ms: u64) {
        let times = [&mut self.round_due, &mut self.look_due, &mut self.sweep_at];
        let asked = [&mut self.round.again_at, &mut self.timer];
        for time in times.into_iter().chain(asked.into_iter().flatten()) {
            *time = time.saturating_sub(by_ms);
        }
        self.files.clock_went_back(by_ms);
    }

    /// Asks to be woken for what comes next: a round, or another try for an attachment.
    pub(super) fn set_timer(&mut self) {
        if !self.greeted || self.closed {
            return;
        }
        let sooner = [self.files.due(), self.round.again_at];
        let due = sooner.into_iter().flatten().fold(self.round_due, u64::min);
        if self.timer.is_none_or(|timer| due < timer) {
            self.timer = Some(due);
            self.effects.push_back(Effect::Timer(due));
        }
    }
}
