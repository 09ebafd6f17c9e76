//! What a node could read if its program kept everything that it was ever sent, and tried every key that it ever had.

use std::collections::BTreeSet;

use maillon_protocol::{
    record::{self, Header},
    sign::Unverified,
    sync::Message,
};

use super::{Net, contains};

/// The plaintexts that a node can make.
#[derive(Debug, Default)]
pub struct Opened(Vec<Vec<u8>>);

impl Opened {
    /// Whether a text stands in one of them.
    pub fn reads(&self, text: &str) -> bool {
        self.0.iter().any(|plain| contains(plain, text.as_bytes()))
    }
}

impl Net {
    /// Everything that a node can open of what it was sent, by whomever, in whatever circle.
    pub fn opened(&self, node: usize) -> Opened {
        let circles = &self.nodes[node].circles;
        let secrets: Vec<_> = circles
            .values()
            .flat_map(|circle| circle.secrets.values())
            .collect();
        let mut seen = BTreeSet::new();
        let mut opened = Opened::default();
        for ((_, to), frames) in &self.frames {
            if *to != node {
                continue;
            }
            let said = frames
                .iter()
                .filter_map(|frame| Message::decode(frame).ok());
            for message in said {
                let Message::Records { records, .. } = message else {
                    continue;
                };
                for sent in records {
                    let Ok(header) = Unverified::<Header>::parse(sent.header.0) else {
                        continue;
                    };
                    let header = header.object;
                    if sent.body.0.is_empty() || !seen.insert(header.body_hash) {
                        continue;
                    }
                    let plain = secrets
                        .iter()
                        .find_map(|secret| record::open(&header, secret, &sent.body.0).ok());
                    opened.0.extend(plain.map(|plain| plain.to_vec()));
                }
            }
        }
        opened
    }

    /// Whether one of these occurs in what a node holds or has been sent.
    pub fn knows_any(&self, node: usize, needles: &BTreeSet<[u8; 32]>) -> bool {
        let mut first = vec![false; 1 << 16];
        for needle in needles {
            first[usize::from(u16::from_be_bytes([needle[0], needle[1]]))] = true;
        }
        let occurs = |bytes: &[u8]| {
            bytes.windows(32).any(|window| {
                first[usize::from(u16::from_be_bytes([window[0], window[1]]))]
                    && <[u8; 32]>::try_from(window).is_ok_and(|window| needles.contains(&window))
            })
        };
        let sent = self.frames.iter().filter(|((_, to), _)| *to == node);
        let mut sent = sent.flat_map(|(_, frames)| frames);
        sent.any(|frame| occurs(frame))
            || needles.iter().any(|needle| self.nodes[node].holds(needle))
    }
}
