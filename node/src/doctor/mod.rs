//! Invariants, as code: each has a name, a sentence, and a repair where there is one.
//!
//! Those that are about what is kept run once a day as well, at low priority; `maillonctl doctor` runs all, now.

mod aside;
mod kept;

use std::sync::Arc;

use maillon_protocol::admin::Check;

use crate::{audit, daemon::Node};

/// What a person does where kept data is damaged: this version makes no backups that could be restored.
const GO_BACK: &str = "this version makes no backups: copy the data folder as it is, go back to your last good copy (deploy/GUIDE.md, \"To go back to a copy\"), and check the disk";

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
    pub(crate) async fn kept_checks(&self) -> Vec<Check> {
        let shared = Arc::clone(self.ledger.shared());
        let checked = tokio::task::spawn_blocking(move || {
            vec![
                check(
                    "store.every-row-opens",
                    "Every row of the database opens under this node's storage key.",
                    kept::rows_open(&shared),
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
                    "audit.lines-follow",
                    "Each line of the audit trail names the one before it.",
                    audit::verify(&shared.rows().0)
                        .map(|lines| format!("{lines} lines"))
                        .map_err(|found| (found, Remedy::Advice("somebody changed the database, or the disk did: copy the data folder as it is before anything else, and compare the trail with your last good copy"))),
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

    /// Checks every invariant now.
    pub(crate) async fn doctor(&self) -> Vec<Check> {
        let mut checks = self.kept_checks().await;
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
