//! Identities that were revoked or replaced, and whether anything is still to be done about them.

use maillon_protocol::{
    admin::Check,
    replica::{Fate, Replica},
};

use super::{Remedy, check};
use crate::daemon::Node;

impl Node {
    /// Nobody whose identity is given up is left where people believe it to be who it was.
    pub(super) fn identities_stand(&self) -> Check {
        let shared = self.ledger.shared();
        let found = match Replica::fates(shared.rows()) {
            Err(error) => Err(error.to_string()),
            Ok(fates) => {
                let open: Vec<String> = fates
                    .iter()
                    .filter_map(|fate| self.still_open(fate))
                    .collect();
                match open.is_empty() {
                    true => Ok(format!("{} identities were given up", fates.len())),
                    false => Err(open.join("; ")),
                }
            }
        };
        check(
            "identities.stand",
            "No identity that was revoked or replaced waits for a person.",
            found.map_err(|found| (found, Remedy::Advice("see `maillonctl status` for the command; deploy/GUIDE.md, \"A machine is stolen\""))),
        )
    }

    /// What is still to be done about one.
    fn still_open(&self, fate: &Fate) -> Option<String> {
        // Another recovery key rules it: nothing is open.
        if fate.replaced.is_none() && fate.revoked.is_none() && fate.others.is_empty() {
            return None;
        }
        let own = self.ledger.shared().own();
        let whose = if fate.node == own {
            "this node".to_owned()
        } else {
            self.care.structure_of(&fate.node)
        };
        let ruled = self.care.rules_with(&fate.node);
        let replaced_by = fate.replaced_by();
        if replaced_by == Some(own) {
            return None;
        }
        if !fate.others.is_empty() {
            return Some(format!(
                "{whose}: its recovery key has named two nodes in its place"
            ));
        }
        if fate.node == own {
            return Some(match fate.revoked {
                Some(_) => "this node: its identity was revoked".to_owned(),
                None => "this node: its recovery key names another node in its place".to_owned(),
            });
        }
        if replaced_by.is_some() && fate.confirmed_ms == 0 {
            return Some(format!("{whose}: nobody has compared its new node yet"));
        }
        (ruled > 0)
            .then(|| format!("{whose}: given up, and still a member of {ruled} circles here"))
    }
}
