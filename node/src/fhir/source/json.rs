//! JSON into a tree whose nodes are numbered, within limits.
//!
//! Unlike `serde_json::Value`, an element that stands twice in one object is an error, and a limit stops the reading where it is hit.

use std::cell::{Cell, RefCell};

use maillon_protocol::limits::{LimitError, within};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use sha2::{Digest, Sha256};

use crate::fhir::{ImportError, ImportLimits};

/// One JSON value. Its subtree has the numbers `id..end`.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: u32,
    pub(crate) end: u32,
    pub(crate) shape: Shape,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Shape {
    Null,
    Bool(bool),
    /// Its value where it is a whole number from 0 on.
    Number(Option<u64>),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Whether this is a leaf: a scalar, or an empty list or object.
    pub(crate) fn is_leaf(&self) -> bool {
        self.end == self.id + 1
    }

    /// The element of an object.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.shape {
            Shape::Object(elements) => elements.iter().find(|(name, _)| name == key).map(|e| &e.1),
            _ => None,
        }
    }

    /// The text of an element, blanks around it cut off; `None` where there is nothing else.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match &self.get(key)?.shape {
            Shape::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// The children with the part of the path that leads to each.
    pub(crate) fn children(&self) -> Vec<(String, &Self)> {
        match &self.shape {
            Shape::List(elements) => elements
                .iter()
                .enumerate()
                .map(|(index, node)| (format!("[{index}]"), node))
                .collect(),
            Shape::Object(elements) => elements
                .iter()
                .map(|(name, node)| (format!(".{}", shown(name)), node))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// SHA-256 over the content: the same for the same elements in the same order.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        self.feed(&mut hash);
        hash.finalize().into()
    }

    fn feed(&self, hash: &mut Sha256) {
        let mut part = |tag: u8, bytes: &[u8]| {
            hash.update([tag]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        match &self.shape {
            Shape::Null => part(0, &[]),
            Shape::Bool(value) => part(1, &[u8::from(*value)]),
            Shape::Number(value) => part(2, &value.unwrap_or(u64::MAX).to_be_bytes()),
            Shape::Text(text) => part(3, text.as_bytes()),
            Shape::List(elements) => {
                part(4, &(elements.len() as u64).to_be_bytes());
                elements.iter().for_each(|node| node.feed(hash));
            }
            Shape::Object(elements) => {
                part(5, &(elements.len() as u64).to_be_bytes());
                for (name, node) in elements {
                    hash.update((name.len() as u64).to_be_bytes());
                    hash.update(name.as_bytes());
                    node.feed(hash);
                }
            }
        }
    }
}

/// An element's name as a path shows it; `?` where it is no name that FHIR could have, because it may be a value then.
pub(crate) fn shown(name: &str) -> &str {
    let letters = name.strip_prefix('_').unwrap_or(name);
    let plausible = letters.len() <= 64
        && letters.starts_with(|first: char| first.is_ascii_alphabetic())
        && letters.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plausible { name } else { "?" }
}

/// Reads one JSON document; gives its root and the number of its nodes.
pub(crate) fn parse(bytes: &[u8], limits: &ImportLimits) -> Result<(Node, u32), ImportError> {
    let whole = |limit| ImportError::Limit {
        limit,
        path: "?".to_owned(),
    };
    within("the file in bytes", bytes.len() as u64, limits.bytes as u64).map_err(whole)?;
    // A byte order mark says nothing in UTF-8; some editors write one.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let reading = Reading {
        limits,
        next: Cell::new(0),
        path: RefCell::new(String::new()),
        fault: RefCell::new(None),
    };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = Place {
        reading: &reading,
        depth: 0,
        name: "",
    }
    .deserialize(&mut deserializer)
    .and_then(|root| deserializer.end().map(|()| root));
    match (read, reading.fault.into_inner()) {
        (Ok(root), None) => Ok((root, reading.next.get())),
        (_, Some(fault)) => Err(fault),
        (Err(error), None) => Err(ImportError::NotJson {
            line: error.line(),
            column: error.column(),
        }),
    }
}

struct Reading<'l> {
    limits: &'l ImportLimits,
    next: Cell<u32>,
    path: RefCell<String>,
    fault: RefCell<Option<ImportError>>,
}

impl Reading<'_> {
    /// Remembers the typed fault; what serde carries on is only a signal to stop.
    fn stop<E: serde::de::Error>(&self, fault: ImportError) -> E {
        self.fault.borrow_mut().get_or_insert(fault);
        E::custom("stopped")
    }

    fn within<E: serde::de::Error>(
        &self,
        what: &'static str,
        found: usize,
        limit: usize,
    ) -> Result<(), E> {
        within(what, found as u64, limit as u64).map_err(|limit: LimitError| {
            let path = self.here();
            self.stop(ImportError::Limit { limit, path })
        })
    }

    fn here(&self) -> String {
        format!("?{}", self.path.borrow())
    }

    /// Reads one child with `step` appended to the path.
    fn below<T>(&self, step: &str, read: impl FnOnce() -> T) -> T {
        let length = self.path.borrow().len();
        self.path.borrow_mut().push_str(step);
        let value = read();
        self.path.borrow_mut().truncate(length);
        value
    }
}

#[derive(Clone, Copy)]
struct Place<'r, 'l, 'n> {
    reading: &'r Reading<'l>,
    depth: usize,
    name: &'n str,
}

impl Place<'_, '_, '_> {
    fn node<E: serde::de::Error>(self, read: impl FnOnce() -> Result<Shape, E>) -> Result<Node, E> {
        let id = self.reading.next.get();
        self.reading.within(
            "the values of a file",
            id as usize + 1,
            self.reading.limits.values,
        )?;
        self.reading.next.set(id + 1);
        let shape = read()?;
        Ok(Node {
            id,
            end: self.reading.next.get(),
            shape,
        })
    }

    fn deeper<E: serde::de::Error>(self) -> Result<usize, E> {
        let depth = self.depth + 1;
        self.reading.within(
            "the depth of a file",
            depth,
            self.reading.limits.depth.min(100),
        )?;
        Ok(depth)
    }

    fn string<E: serde::de::Error>(self, text: String) -> Result<Node, E> {
        if !matches!(self.name, "data" | "div") {
            self.reading
                .within("a string in bytes", text.len(), self.reading.limits.string)?;
        }
        self.node(|| Ok(Shape::Text(text)))
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_, '_, '_> {
    type Value = Node;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_, '_, '_> {
    type Value = Node;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Node, E> {
        self.node(|| Ok(Shape::Null))
    }
    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Node, E> {
        self.node(|| Ok(Shape::Bool(value)))
    }
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Node, E> {
        self.node(|| Ok(Shape::Number(Some(value))))
    }
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Node, E> {
        self.node(|| Ok(Shape::Number(None)))
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Node, E> {
        self.node(|| Ok(Shape::Number(None)))
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node, E> {
        self.string(text.to_owned())
    }
    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Node, E> {
        self.string(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Node, A::Error> {
        let depth = self.deeper()?;
        self.node(|| {
            let mut elements = Vec::new();
            loop {
                let step = format!("[{}]", elements.len());
                let place = Place { depth, ..self };
                match self
                    .reading
                    .below(&step, || input.next_element_seed(place))?
                {
                    Some(node) => elements.push(node),
                    None => return Ok(Shape::List(elements)),
                }
                // A bundle's own list has its own limit, which the resources of the file are counted against.
                let limit = self.reading.limits.list.max(self.reading.limits.entries);
                self.reading
                    .within("the elements of a list", elements.len(), limit)?;
            }
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Node, A::Error> {
        let depth = self.deeper()?;
        self.node(|| {
            let mut elements: Vec<(String, Node)> = Vec::new();
            let mut names = std::collections::HashSet::new();
            while let Some(name) = input.next_key::<String>()? {
                self.reading.within(
                    "an element's name in bytes",
                    name.len(),
                    self.reading.limits.string,
                )?;
                let step = format!(".{}", shown(&name));
                if !names.insert(name.clone()) {
                    let path = format!("{}{step}", self.reading.here());
                    return Err(self.reading.stop(ImportError::DuplicateElement { path }));
                }
                let place = Place {
                    depth,
                    name: &name,
                    ..self
                };
                let node = self.reading.below(&step, || input.next_value_seed(place))?;
                elements.push((name, node));
            }
            Ok(Shape::Object(elements))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Node, u32), ImportError> {
        parse(text.as_bytes(), &ImportLimits::default())
    }

    #[test]
    fn every_value_has_its_own_number_and_knows_where_its_subtree_ends() {
        let (root, nodes) = read(r#"{"a":[1,{"b":null}],"c":""}"#).expect("valid");
        assert_eq!((root.id, root.end, nodes), (0, 6, 6));
        let c = root.get("c").expect("there");
        assert_eq!((c.id, c.is_leaf(), root.text("c")), (5, true, None));
    }

    #[test]
    fn an_element_that_stands_twice_is_refused_even_where_both_say_the_same() {
        let error = read(r#"{"name":[{"family":"A","family":"A"}]}"#).expect_err("twice");
        let path = "?.name[0].family".to_owned();
        assert_eq!(error, ImportError::DuplicateElement { path });
    }

    #[test]
    fn an_element_whose_name_could_be_a_value_is_not_shown() {
        assert_eq!(shown("_birthDate"), "_birthDate");
        assert_eq!(shown("Jeanne Martin"), "?");
        assert_eq!(shown("254017512345678"), "?");
    }

    #[test]
    fn depth_strings_lists_and_values_have_limits_that_the_error_names() {
        let what = |text: &str, limits: &ImportLimits| match parse(text.as_bytes(), limits) {
            Err(ImportError::Limit { limit, .. }) => limit.what,
            other => panic!("{other:?}"),
        };
        let limits = ImportLimits {
            string: 8,
            list: 2,
            entries: 2,
            values: 20,
            depth: 8,
            bytes: 4000,
            ..Default::default()
        };
        assert_eq!(what(&"[".repeat(1000), &limits), "the depth of a file");
        assert_eq!(
            what(r#"{"family":"Marchand!"}"#, &limits),
            "a string in bytes"
        );
        assert!(parse(br#"{"data":"TWFydGluTWFydGlu"}"#, &limits).is_ok());
        assert_eq!(what("[1,2,3]", &limits), "the elements of a list");
        assert_eq!(
            what(
                "[[1,1],[[1,1],[1,1]],[[1,1],[1,1],[1,1]]]",
                &ImportLimits {
                    values: 8,
                    ..limits
                }
            ),
            "the values of a file"
        );
        assert_eq!(what(&" ".repeat(4001), &limits), "the file in bytes");
    }

    #[test]
    fn what_is_not_one_json_document_is_refused_with_its_place() {
        for text in ["", "{", "{} {}", "{\"a\":1e999}", "\u{0}"] {
            assert!(
                matches!(read(text), Err(ImportError::NotJson { .. })),
                "{text:?}"
            );
        }
        assert!(matches!(
            parse(b"\"\xff\"", &ImportLimits::default()),
            Err(ImportError::NotJson { .. })
        ));
    }
}
