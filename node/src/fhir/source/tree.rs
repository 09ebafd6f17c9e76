//! The tree: JSON values, numbered in the order of the file.

use sha2::{Digest, Sha256};

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
