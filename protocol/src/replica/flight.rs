//! How what is staged becomes durable, or is taken back: savepoints of jobs, commits under way, and the way back from one that failed.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{Changes, Published, Replica, Row};
use crate::{
    cbor,
    circle::Circle,
    descriptor::Descriptor,
    ids::{CircleId, Incarnation},
    sign::Verified,
    sync::{Change, News},
    time::HybridClock,
};

/// What one commit makes durable, and what becomes visible when it has.
#[derive(Debug)]
pub struct Flight {
    /// The rows, all or none.
    pub rows: Arc<Changes>,
    /// What becomes visible.
    pub published: Published,
    /// This node's incarnation from then on.
    pub incarnation: Incarnation,
    /// This node's descriptor from then on.
    pub descriptor: Arc<Verified<Descriptor>>,
}

/// How things stood before a commit that is under way.
#[derive(Debug)]
pub(super) struct Aloft {
    undo: HashMap<CircleId, Option<Arc<Circle>>>,
    before: Before,
}

/// Where a failed job goes back to.
#[derive(Debug)]
#[must_use = "a savepoint is kept or gone back to"]
pub struct Savepoint {
    before: Before,
    news: usize,
    notices: usize,
    circles: usize,
}

/// What is no row and goes back with the rows.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) clock: HybridClock,
    pub(super) counter: u64,
    pub(super) incarnation: Incarnation,
    pub(super) descriptor: Arc<Verified<Descriptor>>,
}

impl Replica {
    /// The rows to make durable, all or none. Empty: nothing to do.
    pub fn staged(&mut self) -> &Changes {
        self.stage_circles();
        self.staging.staged()
    }

    /// Stages the rows of the circles that were changed since the last take-off: once for all the jobs that changed them.
    fn stage_circles(&mut self) {
        for id in self.undo.keys() {
            if let Some(circle) = self.circles.get(id) {
                let row = cbor::encode(&circle.row());
                self.staging.put(Row::Circle(*id), Some(row));
            }
        }
        if !self.undo.is_empty() {
            let counter = cbor::encode(&self.counter);
            self.staging.put(Row::Counter, Some(counter));
        }
    }

    /// The staged rows are durable: what becomes visible now.
    pub fn committed(&mut self) -> Published {
        let flight = self.take_off();
        self.landed();
        flight.published
    }

    /// What is staged leaves for the disk. Commands may go on above it, and take off above it; [`Self::landed`] is said of each, in the order in
    /// which they took off, until one fails.
    pub fn take_off(&mut self) -> Flight {
        self.stage_circles();
        let before = self.standing();
        let before = std::mem::replace(&mut self.before, before);
        self.aloft.push_back(Aloft {
            undo: std::mem::take(&mut self.undo),
            before,
        });
        self.journal.clear();
        let mut published = std::mem::take(&mut self.published);
        published.counter = self.counter;
        let mut seen = BTreeSet::new();
        published.circles.retain(|(id, _)| seen.insert(*id));
        for (id, circle) in &mut published.circles {
            *circle = self.circles.get(id).cloned();
        }
        published.news = gathered(published.news);
        Flight {
            rows: self.staging.take_off(),
            published,
            incarnation: self.incarnation,
            descriptor: Arc::clone(&self.descriptor),
        }
    }

    /// What took off first is durable.
    pub fn landed(&mut self) {
        self.staging.landed();
        self.aloft.pop_front();
    }

    /// What took off first, or what is staged where nothing did, could not be made durable: everything is as after the last commit that could.
    /// What took off or was staged above it is gone too.
    pub fn rolled_back(&mut self) {
        self.staging.clear();
        self.published = Published::default();
        // From the newest to the oldest, whose state stays.
        let mut undo = std::mem::take(&mut self.undo);
        loop {
            for (id, circle) in undo {
                match circle {
                    Some(circle) => self.circles.insert(id, circle),
                    None => self.circles.remove(&id),
                };
            }
            let Some(older) = self.aloft.pop_back() else {
                break;
            };
            undo = older.undo;
            self.before = older.before;
        }
        self.stand(self.before.clone());
    }

    fn standing(&self) -> Before {
        Before {
            clock: self.clock,
            counter: self.counter,
            incarnation: self.incarnation,
            descriptor: Arc::clone(&self.descriptor),
        }
    }

    fn stand(&mut self, before: Before) {
        self.clock = before.clock;
        self.counter = before.counter;
        self.incarnation = before.incarnation;
        self.descriptor = before.descriptor;
    }

    /// About how many bytes are staged.
    pub const fn staged_bytes(&self) -> usize {
        self.staging.bytes()
    }

    /// How many rows are staged, and their bytes; those of circles, which are made with the commit, are not counted.
    pub fn staged_size(&self) -> (usize, usize) {
        let staged = self.staging.staged();
        let bytes = staged.values().flatten().map(Vec::len).sum();
        (staged.len(), bytes)
    }

    /// Begins a job: everything from here on is kept, or gone back from, together.
    pub fn savepoint(&mut self) -> Savepoint {
        self.staging.keep();
        self.journal.clear();
        Savepoint {
            before: self.standing(),
            news: self.published.news.len(),
            notices: self.published.notices.len(),
            circles: self.published.circles.len(),
        }
    }

    /// The job is good.
    pub fn keep(&mut self, _: Savepoint) {
        self.staging.keep();
        self.journal.clear();
    }

    /// The job failed: nothing of it is staged.
    pub fn back_to(&mut self, savepoint: Savepoint) {
        self.staging.take_back();
        for (id, old, first) in std::mem::take(&mut self.journal).into_iter().rev() {
            match old {
                Some(old) => self.circles.insert(id, old),
                None => self.circles.remove(&id),
            };
            if first {
                self.undo.remove(&id);
            }
        }
        self.stand(savepoint.before);
        self.published.news.truncate(savepoint.news);
        self.published.notices.truncate(savepoint.notices);
        self.published.circles.truncate(savepoint.circles);
    }
}

/// News of one commit with what is said of the same circle together, so that each session looks at the circle once, and the other side answers
/// once. Nothing changes its place beside other news of its circle.
fn gathered(news: Vec<News>) -> Vec<News> {
    let mut all: Vec<News> = Vec::with_capacity(news.len());
    let mut last: HashMap<CircleId, usize> = HashMap::new();
    for News {
        circle,
        change,
        from,
    } in news
    {
        let place = circle.and_then(|circle| last.get(&circle).copied());
        let before = place
            .and_then(|place| all.get_mut(place))
            .filter(|before| before.from == from)
            .map(|before| &mut before.change);
        let change = match (before, change) {
            (Some(Change::Records(held)), Change::Records(more)) => {
                Arc::make_mut(held).append(&mut Arc::unwrap_or_clone(more));
                continue;
            }
            (Some(Change::Acks), Change::Acks) | (Some(Change::Charter), Change::Charter) => {
                continue;
            }
            (_, change) => change,
        };
        last.extend(circle.map(|circle| (circle, all.len())));
        all.push(News {
            circle,
            change,
            from,
        });
    }
    all
}
