//! Fills a node through its socket: many files grow beside each other, each in its own order.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use maillon_protocol::{
    admin::{Answer, Call, TeamCall},
    content::{AlertStep, ConsentDecision, ConsentKind},
    ids::{CircleId, RecordId},
};
use tokio::task::JoinSet;

use super::{
    super::{
        crowd::{Crowd, What},
        pipe::Pipe,
    },
    people::{Act, Plan},
};
use crate::daemon::{Daemon, Trouble};

/// Connections, and files that grow on each at one time: a connection may have 32 requests under way.
const CONNECTIONS: usize = 8;
const TOGETHER: usize = 24;

/// A file that is there.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// Its circle.
    pub(super) circle: CircleId,
    /// The person's number.
    pub(super) number: usize,
    /// Who follows them, by number.
    pub(super) team: Vec<usize>,
    /// Notes in it.
    pub(super) notes: usize,
}

/// Files of so many people with so many records in all, in the order of the people's numbers.
pub(super) fn fill(
    daemon: &Daemon,
    professionals: &[String],
    files: usize,
    records: u64,
) -> Result<Vec<File>, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Trouble::io("a runtime"))?;
    let next = Arc::new(AtomicUsize::new(0));
    let mut all = runtime.block_on(async {
        let mut desks = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let desk = Desk {
                pipe: Pipe::open(daemon).await?,
                professionals: professionals.to_vec(),
                next: Arc::clone(&next),
                files,
                growing: HashMap::new(),
                done: Vec::new(),
            };
            desks.spawn(desk.work());
        }
        let mut all = Vec::with_capacity(files);
        while let Some(done) = desks.join_next().await {
            all.extend(done.map_err(|_| Trouble::wrong("whoever fills the node panicked"))??);
        }
        Ok::<_, Trouble>(all)
    })?;
    all.sort_by_key(|file| file.number);
    // What is missing to the round number is written wherever there is a file.
    let held = daemon.client()?.status()?.records;
    let circles: Vec<CircleId> = all.iter().map(|file| file.circle).collect();
    let who = professionals.first();
    let crowd = Crowd {
        daemon,
        who: who.ok_or_else(|| Trouble::wrong("nobody works here"))?,
        circles: &circles,
        what: What::Notes,
        writers: CONNECTIONS * TOGETHER,
        together: TOGETHER,
    };
    crowd.count(records.saturating_sub(held))?;
    Ok(all)
}

/// A file that grows.
struct Growing {
    number: usize,
    plan: Plan,
    /// How much of the plan was asked for.
    asked: usize,
    circle: Option<CircleId>,
    alert: Option<RecordId>,
}

/// One connection.
struct Desk {
    pipe: Pipe,
    professionals: Vec<String>,
    next: Arc<AtomicUsize>,
    files: usize,
    growing: HashMap<u64, Growing>,
    done: Vec<File>,
}

impl Desk {
    async fn work(mut self) -> Result<Vec<File>, Trouble> {
        loop {
            while self.growing.len() < TOGETHER {
                let number = self.next.fetch_add(1, Relaxed);
                if number >= self.files {
                    break;
                }
                let plan = Plan::of(number, self.professionals.len());
                let growing = Growing {
                    number,
                    plan,
                    asked: 0,
                    circle: None,
                    alert: None,
                };
                self.go_on(growing)?;
            }
            if self.growing.is_empty() {
                return Ok(self.done);
            }
            for (id, answer) in self.pipe.answers().await? {
                let growing = self.growing.remove(&id);
                let mut growing =
                    growing.ok_or_else(|| Trouble::wrong("an answer that nobody asked for"))?;
                growing.hear(answer)?;
                self.go_on(growing)?;
            }
        }
    }

    /// Asks for the next act of a file, or takes it to what is done.
    fn go_on(&mut self, mut growing: Growing) -> Result<(), Trouble> {
        let Some((who, call)) = growing.next(&self.professionals)? else {
            let acts = growing.plan.acts.iter();
            self.done.extend(growing.circle.map(|circle| File {
                circle,
                number: growing.number,
                notes: acts.filter(|act| matches!(act, Act::Note(..))).count(),
                team: growing.plan.team,
            }));
            return Ok(());
        };
        // One request of a file at a time: its number is the request's.
        let id = growing.number as u64 + 1;
        self.pipe.put(id, &self.professionals[who], call)?;
        self.growing.insert(id, growing);
        Ok(())
    }
}

impl Growing {
    /// Who does what next, by their numbers; nothing where all is written.
    fn next(&mut self, professionals: &[String]) -> Result<Option<(usize, Call)>, Trouble> {
        let Some(act) = self.plan.acts.get(self.asked) else {
            return Ok(None);
        };
        self.asked += 1;
        let opener = self.plan.team[0];
        let circle = self.circle.map(|circle| circle.to_string());
        let circle = || circle.clone().unwrap_or_default();
        Ok(Some(match act.clone() {
            Act::Open(identity) => (
                opener,
                Call::CircleOpen {
                    identity: *identity,
                },
            ),
            Act::Consent => (
                opener,
                Call::ConsentRecord {
                    circle: circle(),
                    kind: ConsentKind::NonOpposition,
                    decision: ConsentDecision::Given,
                    answered_by: String::new(),
                    how: String::from("Information orale, dépliant remis"),
                },
            ),
            Act::Join(whom) => (
                opener,
                Call::Team(TeamCall::Add {
                    circle: circle(),
                    professional: professionals[whom].clone(),
                }),
            ),
            Act::Note(who, note, text) => (
                who,
                Call::NoteAdd {
                    circle: circle(),
                    note,
                    text,
                    emergency: false,
                },
            ),
            Act::Alert(who, severity, text) => (
                who,
                Call::AlertSend {
                    circle: circle(),
                    severity,
                    text,
                    to: Vec::new(),
                    within_s: 0,
                },
            ),
            Act::Close(who, comment) => {
                let alert = self.alert.take();
                let alert = alert.ok_or_else(|| Trouble::wrong("no alert to close"))?;
                let step = AlertStep::Close;
                let alert = alert.to_string();
                (
                    who,
                    Call::AlertAnswer {
                        alert,
                        step,
                        comment,
                    },
                )
            }
        }))
    }

    fn hear(&mut self, answer: Answer) -> Result<(), Trouble> {
        match answer {
            Answer::Circle(view) => self.circle = Some(view.line.circle),
            Answer::Written(written) => self.alert = Some(written.record),
            Answer::Team(_) => {}
            other => {
                let shown: String = format!("{other:?}").chars().take(80).collect();
                return Err(Trouble::Protocol(format!("an answer out of turn: {shown}")));
            }
        }
        Ok(())
    }
}
