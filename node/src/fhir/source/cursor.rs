//! A cursor over the tree: reading through it marks what was read.

use super::{Account, Node, Shape};
use crate::fhir::{
    Cause,
    report::{Fate, KeptReason, RefusedReason, WarningKind},
};

/// A place in the tree.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) node: &'a Node,
    account: &'a Account<'a>,
}

impl<'a> At<'a> {
    /// The place of a node.
    pub(super) fn new(node: &'a Node, account: &'a Account<'a>) -> Self {
        Self { node, account }
    }

    fn to(self, node: &'a Node) -> Self {
        Self {
            node,
            account: self.account,
        }
    }

    /// The element, if it is there.
    pub(crate) fn get(self, key: &str) -> Option<Self> {
        let node = self.node.get(key)?;
        (!matches!(node.shape, Shape::Null)).then(|| self.to(node))
    }

    /// The element, where it is an object; a problem where it is anything else.
    pub(crate) fn object(self, key: &str) -> Option<Self> {
        self.get(key)?.expect_object()
    }

    fn expect_object(self) -> Option<Self> {
        if matches!(self.node.shape, Shape::Object(_)) {
            return Some(self);
        }
        self.problem(Cause::WrongType {
            expected: "an object",
        });
        None
    }

    /// The elements of a list that are not null; a problem where it is no list.
    fn elements(self, key: &str) -> Vec<Self> {
        let Some(list) = self.get(key) else {
            return Vec::new();
        };
        let Shape::List(elements) = &list.node.shape else {
            list.problem(Cause::WrongType { expected: "a list" });
            return Vec::new();
        };
        elements
            .iter()
            .filter(|node| !matches!(node.shape, Shape::Null))
            .map(|node| self.to(node))
            .collect()
    }

    /// The objects of a list.
    pub(crate) fn list(self, key: &str) -> Vec<Self> {
        self.elements(key)
            .into_iter()
            .filter_map(Self::expect_object)
            .collect()
    }

    /// The texts of a list of them, marked as mapped.
    pub(crate) fn texts(self, key: &str) -> Vec<&'a str> {
        self.elements(key)
            .into_iter()
            .filter_map(|at| at.here(true))
            .collect()
    }

    /// The texts of a list of them.
    pub(crate) fn peek_texts(self, key: &str) -> Vec<&'a str> {
        self.elements(key)
            .into_iter()
            .filter_map(|at| at.here(false))
            .collect()
    }

    fn here(self, map: bool) -> Option<&'a str> {
        let Shape::Text(text) = &self.node.shape else {
            self.problem(Cause::WrongType { expected: "a text" });
            return None;
        };
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if map {
            self.map();
        }
        Some(text)
    }

    /// The text of an element, marked as mapped. Empty counts as absent.
    pub(crate) fn text(self, key: &str) -> Option<&'a str> {
        self.get(key)?.here(true)
    }

    /// The text of an element, not marked.
    pub(crate) fn peek(self, key: &str) -> Option<&'a str> {
        self.get(key)?.here(false)
    }

    /// The truth of an element, not marked.
    pub(crate) fn flag(self, key: &str) -> Option<bool> {
        let at = self.get(key)?;
        match at.node.shape {
            Shape::Bool(value) => Some(value),
            _ => {
                at.problem(Cause::WrongType {
                    expected: "true or false",
                });
                None
            }
        }
    }

    /// The whole number of an element, not marked.
    pub(crate) fn number(self, key: &str) -> Option<u64> {
        match self.get(key)?.node.shape {
            Shape::Number(value) => value,
            _ => None,
        }
    }

    /// The extensions with this address; the address itself is marked as mapped.
    pub(crate) fn extensions(self, url: &str) -> Vec<Self> {
        self.list("extension")
            .into_iter()
            .filter(|at| at.peek("url") == Some(url))
            .inspect(|at| at.map_at("url"))
            .collect()
    }

    /// The first extension with this address.
    pub(crate) fn extension(self, url: &str) -> Option<Self> {
        self.extensions(url).into_iter().next()
    }

    /// Everything here is in what came out.
    pub(crate) fn map(self) {
        self.account.mark(self.node, Fate::Mapped);
    }

    /// One element is in what came out.
    pub(crate) fn map_at(self, key: &str) {
        if let Some(at) = self.get(key) {
            at.map();
        }
    }

    /// What was not marked yet here stays in the original only.
    pub(crate) fn keep(self, reason: KeptReason) {
        self.account.mark(self.node, Fate::Kept(reason));
    }

    /// What was not marked yet in one element stays in the original only.
    pub(crate) fn keep_at(self, key: &str, reason: KeptReason) {
        if let Some(at) = self.get(key) {
            at.keep(reason);
        }
    }

    /// What is here is not valid and was not taken.
    pub(crate) fn refuse(self, reason: RefusedReason) {
        self.account.mark(self.node, Fate::Refused(reason));
        self.warn(match reason {
            RefusedReason::Empty => WarningKind::Empty,
            RefusedReason::NotADate => WarningKind::NotADate,
            RefusedReason::NotAnInstant => WarningKind::NotAnInstant,
            RefusedReason::UnknownCode => WarningKind::UnknownCode,
        });
    }

    /// To know.
    pub(crate) fn warn(self, kind: WarningKind) {
        self.account
            .warnings
            .borrow_mut()
            .insert((self.node.id, kind));
    }

    /// One element has something to know.
    pub(crate) fn warn_at(self, key: &str, kind: WarningKind) {
        if let Some(at) = self.get(key) {
            at.warn(kind);
        }
    }

    /// The file cannot go in.
    pub(crate) fn problem(self, cause: Cause) {
        self.account
            .problems
            .borrow_mut()
            .insert((self.node.id, cause));
    }

    /// Every node below and here.
    pub(crate) fn walk(self, visit: &mut impl FnMut(Option<&'a str>, Self)) {
        self.walk_as(None, visit);
    }

    fn walk_as(self, name: Option<&'a str>, visit: &mut impl FnMut(Option<&'a str>, Self)) {
        visit(name, self);
        match &self.node.shape {
            Shape::List(elements) => elements
                .iter()
                .for_each(|node| self.to(node).walk_as(None, visit)),
            Shape::Object(elements) => elements
                .iter()
                .for_each(|(name, node)| self.to(node).walk_as(Some(name), visit)),
            _ => {}
        }
    }
}
