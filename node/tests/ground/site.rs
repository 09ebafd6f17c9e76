//! One node without a network, as its professionals use it.

use maillon_node::{
    audit::{By, Trail, Wanted},
    care::{Actor, Care},
    ledger::Ledger,
    store::Table,
};
use maillon_protocol::content::Structure;

/// A node's care services over a real database.
pub(crate) struct Site {
    pub(crate) care: Care,
    pub(crate) ledger: Ledger,
    folder: tempfile::TempDir,
}

fn over(ledger: &Ledger) -> Care {
    let structure = Structure {
        name: "DAC du Pays de Caux".to_owned(),
        identifiers: Vec::new(),
    };
    Care::new(ledger.clone(), structure)
}

pub(crate) fn site() -> Site {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = super::ground::ledger(folder.path(), 7, "DAC du Pays de Caux");
    Site {
        care: over(&ledger),
        ledger,
        folder,
    }
}

impl Site {
    /// The same after a restart.
    pub(crate) async fn restarted(self) -> Self {
        let Self {
            care,
            ledger: old,
            folder,
        } = self;
        drop(care);
        old.stop().await;
        drop(old);
        let ledger = super::ground::ledger(folder.path(), 7, "DAC du Pays de Caux");
        Self {
            care: over(&ledger),
            ledger,
            folder,
        }
    }

    /// A professional of this structure.
    pub(crate) async fn somebody(&self, name: &str, profession: Option<&str>) -> Actor {
        let added = self
            .care
            .add_professional(By::itself(), name, None, profession);
        added.await.expect("a professional")
    }

    /// The trail's newest line: what was done, and to what.
    pub(crate) fn last(&self) -> (String, String) {
        let wanted = Wanted {
            limit: 1,
            ..Wanted::default()
        };
        let store = &self.ledger.shared().rows().0;
        let page = Trail(store).page(&wanted, |_| None).expect("a trail");
        let line = page.lines.into_iter().next().expect("a line");
        (line.action, line.object.unwrap_or_default())
    }

    /// Lines of the trail, and rows of the files.
    pub(crate) fn size(&self) -> (usize, usize) {
        let store = &self.ledger.shared().rows().0;
        let count = |table, prefix: &[u8]| {
            let rows = store.scan(table, prefix, maillon_node::store::Range::all());
            rows.expect("rows").count()
        };
        (count(Table::Audit, b"l"), count(Table::Records, b""))
    }
}
