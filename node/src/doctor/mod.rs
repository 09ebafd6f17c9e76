//! Invariants, as code: each has a name, a sentence, and a repair where there is one.
//!
//! All of them run once a day, at low priority; `maillonctl doctor` runs them now. The node works meanwhile: a check that compares what was read
//! at two moments must bear what was committed between them.

mod aside;
mod clock;
pub(crate) mod folder;
mod identities;
mod kept;
mod latest;

pub(crate) use latest::Latest;

use std::sync::Arc;

use maillon_protocol::admin::Check;

use crate::{audit, daemon::Node};

/// What a person does where kept data is damaged: this version makes no backups by itself.
const GO_BACK: &str = "copy the data folder as it is, go back to your last good copy (deploy/GUIDE.md, \"To go back to a copy\"), and check the disk";

/// For how long a record from ahead is worth a word: a week. It stays marked for ever.
const RECENT_MS: u64 = 7 * 24 * 3600 * 1000;

/// What to do where something does not hold.
enum Remedy {
    /// A command repairs it.
    Command(&'static str),
    /// A person does something about it.
    Advice(&'static str),
}

fn check(name: &str, sentence: &str, result: Result<String, (String, Remedy)>) -> Check {
    let (holds, found, remedy) = match result {
        Ok(found) => (true, found, None),
        Err((found, remedy)) => (false, found, Some(remedy)),
    };
    let (repair, advice) = match remedy {
        None => (None, None),
        Some(Remedy::Command(command)) => (Some(command.to_owned()), None),
        Some(Remedy::Advice(advice)) => (None, Some(advice.to_owned())),
    };
    Check {
        name: name.to_owned(),
        sentence: sentence.to_owned(),
        holds,
        found,
        repair,
        advice,
    }
}

impl Node {
    /// Checks what is kept: reads all of it.
    async fn kept_checks(&self, now_ms: u64) -> Vec<Check> {
        let shared = Arc::clone(self.ledger.shared());
        let checked = tokio::task::spawn_blocking(move || {
            vec![
                check(
                    "store.every-row-opens",
                    "Every row of the database opens under this node's storage key.",
                    kept::rows_open(&shared),
                ),
                check(
                    "store.commits",
                    "What is written reaches the disk.",
                    kept::commits(&shared).map_err(|found| (found, Remedy::Advice("make room on the disk (`df -h`); restart maillond if it does not go on by itself"))),
                ),
                check(
                    "store.log-whole",
                    "The database's log had all that had reached the disk, at every start of the last week.",
                    kept::log_whole(&shared, now_ms),
                ),
                check(
                    "circle.heights-hold",
                    "The last record of each log is the one that the circle names.",
                    kept::heights_hold(&shared).map_err(|found| (found, Remedy::Advice(GO_BACK))),
                ),
                check(
                    "charter.every-entry-here",
                    "Every entry of each charter is here.",
                    kept::charters_hold(&shared).map_err(|found| (found, Remedy::Advice(GO_BACK))),
                ),
                check(
                    "attachments.missing-ones-named",
                    "Each circle says in which logs files are missing.",
                    kept::files_hold(&shared).map_err(|found| (found, Remedy::Advice(GO_BACK))),
                ),
                check(
                    "audit.lines-follow",
                    "Each line of the audit trail names the one before it. What was signed is what is there.",
                    audit::verify(&shared.rows().0, &shared.own())
                        .map(|held| match held.signed {
                            Some(signed) => format!("{} lines, signed up to line {}", held.lines, signed.number),
                            None => format!("{} lines, not signed yet", held.lines),
                        })
                        .map_err(|found| (found.to_string(), Remedy::Advice("somebody changed the database, or the disk did: copy the data folder as it is before anything else, and compare the trail with your last good copy"))),
                ),
                check(
                    "exchange.nothing-aside",
                    "Nothing signed that does not fit is kept aside.",
                    aside::nothing_aside(&shared),
                ),
            ]
        });
        checked.await.unwrap_or_else(|_| {
            vec![check(
                "store.every-row-opens",
                "Every row of the database opens under this node's storage key.",
                Err(("reading it broke off".to_owned(), Remedy::Advice(GO_BACK))),
            )]
        })
    }

    /// Whose clock runs ahead: another's, or this node's own.
    async fn clocks_agree(&self, now_ms: u64) -> Check {
        let (shared, care) = (Arc::clone(self.ledger.shared()), self.care.clone());
        let read = tokio::task::spawn_blocking(move || {
            let ahead = care.clocks_ahead().map_err(|error| error.to_string())?;
            Ok::<_, String>((ahead, clock::own_ahead(&shared, now_ms)))
        });
        let read = read.await;
        let found = match read.unwrap_or_else(|_| Err("the look broke off".to_owned())) {
            Err(error) => Err(error),
            Ok((ahead, own)) => {
                let (recent, older): (Vec<_>, Vec<_>) = ahead
                    .into_iter()
                    .partition(|one| one.last_ms + RECENT_MS > now_ms);
                let mut words: Vec<String> = recent
                    .iter()
                    .map(|one| {
                        format!(
                            "{} records of {} came from more than ten minutes ahead, the last within a week",
                            one.records, one.structure
                        )
                    })
                    .collect();
                if let Some((node, ahead)) = own {
                    let structure = self.care.structure_of(&node);
                    let minutes = ahead / 60_000;
                    words.push(format!(
                        "this node's own clock ran {minutes} minutes ahead of that of {structure}"
                    ));
                }
                match words.is_empty() {
                    true => Ok(format!(
                        "{} structures wrote from ahead before the last week",
                        older.len()
                    )),
                    false => Err(words.join("; ")),
                }
            }
        };
        check(
            "clock.agrees",
            "The clocks of this node and of the others differ by ten minutes at most.",
            found.map_err(|found| (found, Remedy::Advice("set the clock of the machine that is named (`timedatectl`), or call its administrator; no record is lost or refused for it"))),
        )
    }

    /// Checks every invariant now, and what may be wrong for an hour and right again: that relays take this node.
    pub(crate) async fn doctor(&self, now_ms: u64) -> Vec<Check> {
        let mut checks = self.invariants(now_ms).await;
        let relays = match self.network.status().await {
            Ok(status) => self.relays_hold(&status),
            Err(error) => Err(error.to_string()),
        };
        checks.push(check(
            "relay.takes-this-node",
            "Each relay that this node uses takes it.",
            relays.map_err(|found| (found, Remedy::Advice("call the administrator of the relay: it must run, name this node in its [relay] allow, and stand in [relay] through of this node with its right address; direct ways are not concerned"))),
        ));
        checks
    }

    /// Checks every invariant now: what holds at any moment.
    pub(crate) async fn invariants(&self, now_ms: u64) -> Vec<Check> {
        let mut checks = self.kept_checks(now_ms).await;
        checks.push(check(
            "folder.closed",
            "The machine's other users can neither change the data folder nor read the keystore.",
            folder::closed(&self.dir).map_err(|found| (found, Remedy::Advice("as the node's user: `chmod 700` on the data folder and `chmod 600` on the file keystore in it; if somebody may have copied the keystore, tell your peers"))),
        ));
        let habilitations = self.care.kept_habilitations();
        checks.push(check(
            "access.habilitations",
            "The habilitations that are kept can be read.",
            habilitations
                .map(|kept| format!("changed {} times", kept.revision))
                .map_err(|error| (error.to_string(), Remedy::Advice(GO_BACK))),
        ));
        checks.push(self.identities_stand());
        checks.push(self.clocks_agree(now_ms).await);
        let problems: Vec<String> = self
            .peering
            .peers()
            .iter()
            .flat_map(|(node, _)| {
                let structure = self.care.structure_of(node);
                self.scores
                    .score(node)
                    .problems
                    .into_iter()
                    .map(move |(problem, count)| format!("{structure}: {problem} ({count})"))
            })
            .collect();
        checks.push(check(
            "exchange.peers-keep-the-rules",
            "No peer has sent anything that was refused since the start.",
            if problems.is_empty() {
                Ok("nothing was refused".to_owned())
            } else {
                Err((
                    problems.join("; "),
                    Remedy::Advice("tell the administrator of that structure (`maillonctl peer show PEER` says how to reach them); nothing here was changed by it"),
                ))
            },
        ));
        checks
    }
}
