//! JSON into a tree whose nodes are numbered, within limits.
//!
//! Unlike `serde_json::Value`, an element that stands twice in one object is an error, and a limit stops the reading where it is hit.

use std::cell::{Cell, RefCell};

use maillon_protocol::limits::{LimitError, within};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Node, Shape, shown};
use crate::fhir::{ImportError, ImportLimits};

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
