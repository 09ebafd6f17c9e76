//! The account of what was taken.
//!
//! Reading through the cursor marks what was read. What nobody marked in the end is kept in the original only, so no element can be
//! forgotten: the account begins with all of them.

use std::{cell::RefCell, collections::BTreeSet};

use super::{At, Node, Shape, shown};
use crate::fhir::{
    Cause, Problem,
    report::{Fate, KeptReason, Line, Report, Warning, WarningKind},
};

/// What became of each node, and what is wrong.
pub(crate) struct Account<'a> {
    root: &'a Node,
    name: String,
    fates: RefCell<Vec<Option<Fate>>>,
    pub(super) warnings: RefCell<BTreeSet<(u32, WarningKind)>>,
    pub(super) problems: RefCell<BTreeSet<(u32, Cause)>>,
}

impl<'a> Account<'a> {
    /// An account of a tree with so many nodes; `name` begins every path.
    pub(crate) fn new(root: &'a Node, nodes: u32, name: &str) -> Self {
        Self {
            root,
            name: name.to_owned(),
            fates: RefCell::new(vec![None; nodes as usize]),
            warnings: RefCell::default(),
            problems: RefCell::default(),
        }
    }

    /// The root.
    pub(crate) fn root(&'a self) -> At<'a> {
        At::new(self.root, self)
    }

    /// Notes what became of a subtree. Mapped outdoes kept, refused outdoes both.
    pub(super) fn mark(&self, node: &Node, fate: Fate) {
        let mut fates = self.fates.borrow_mut();
        for place in &mut fates[node.id as usize..node.end as usize] {
            let stronger = match (&place, fate) {
                (None, _) | (Some(Fate::Kept(_)), Fate::Mapped) => true,
                (Some(Fate::Refused(_)), _) | (_, Fate::Kept(_) | Fate::Mapped) => false,
                (_, Fate::Refused(_)) => true,
            };
            if stronger {
                *place = Some(fate);
            }
        }
    }

    /// The path of a node.
    fn path(&self, id: u32) -> String {
        let mut path = self.name.clone();
        let mut node = self.root;
        while node.id != id {
            match &node.shape {
                Shape::List(elements) => {
                    let index = elements.partition_point(|child| child.end <= id);
                    path.push_str(&format!("[{index}]"));
                    node = &elements[index];
                }
                Shape::Object(elements) => {
                    let index = elements.partition_point(|(_, child)| child.end <= id);
                    path.push('.');
                    path.push_str(shown(&elements[index].0));
                    node = &elements[index].1;
                }
                _ => break,
            }
        }
        path
    }

    /// Everything that is wrong, in the order of the file.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.problems
            .borrow()
            .iter()
            .map(|&(id, cause)| Problem {
                path: self.path(id),
                cause,
            })
            .collect()
    }

    /// The report.
    pub(crate) fn report(&self) -> Report {
        let mut lines = Vec::new();
        self.lines(self.root, self.name.clone(), &mut lines);
        let warnings = self.warnings.borrow();
        Report {
            lines,
            warnings: warnings
                .iter()
                .map(|&(id, kind)| Warning {
                    path: self.path(id),
                    kind,
                })
                .collect(),
        }
    }

    fn fate(&self, node: &Node) -> Fate {
        self.fates.borrow()[node.id as usize].unwrap_or(Fate::Kept(KeptReason::NoPlace))
    }

    /// Adds the lines of a subtree; gives its leaves and their common fate, if they have one.
    fn lines(&self, node: &Node, path: String, lines: &mut Vec<Line>) -> (u64, Option<Fate>) {
        let before = lines.len();
        let (mut leaves, mut common) = (0, None);
        if node.is_leaf() {
            (leaves, common) = (1, Some(self.fate(node)));
        } else {
            for (index, (step, child)) in node.children().into_iter().enumerate() {
                let (more, fate) = self.lines(child, format!("{path}{step}"), lines);
                leaves += more;
                common = if index == 0 {
                    fate
                } else {
                    common.filter(|common| fate == Some(*common))
                };
            }
        }
        if let Some(fate) = common {
            lines.truncate(before);
            lines.push(Line { path, leaves, fate });
        }
        (leaves, common)
    }
}
