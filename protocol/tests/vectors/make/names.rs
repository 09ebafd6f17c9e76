//! Names and padding.

use maillon_protocol::{ids::NodeId, record};
use serde_json::{Value, json};

use crate::{
    file::{File, hex},
    world::World,
};

pub(crate) fn ids(world: &World) -> Value {
    let mut file = File::new(
        "A node's name is its Ed25519 public key, printed as a libp2p PeerId; a receive key's id is the first eight \
         bytes of the SHA-256 of its X-Wing public key. Seeds are those of RFC 8032 and of X-Wing.",
    );
    for (number, node) in world.nodes.iter().enumerate() {
        let seal = node.seal();
        file.valid(
            &format!("keys of node {}", number + 1),
            json!({ "seed": hex(node.seed), "seal_seed": hex(node.seal_seed) }),
            json!({
                "node": hex(node.id()),
                "peer_id": node.id().to_string(),
                "seal_public": hex(&seal.public().public),
                "key_id": hex(seal.public().id),
            }),
        );
    }
    let node = NodeId([7; 32]);
    file.valid(
        "a PeerId read back",
        json!({ "peer_id": node.to_string() }),
        json!({ "node": hex(node), "peer_id_bytes": hex(node.peer_id_bytes()) }),
    );
    let text = node.to_string();
    for (name, wrong) in [
        ("cut short", text[..text.len() - 1].to_owned()),
        (
            "of an RSA key",
            "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N".to_owned(),
        ),
        (
            "a character outside the alphabet",
            text.replacen('D', "0", 1),
        ),
        ("nothing", String::new()),
    ] {
        file.invalid(name, json!({ "peer_id": wrong }), "peer-id");
    }
    file.json()
}

pub(crate) fn padding() -> Value {
    let mut file = File::new(
        "Content is followed by 0x80 and zeros, up to a multiple of 256 bytes where that is at most 4096, else of 4096.",
    );
    for length in [0, 1, 254, 255, 256, 4095, 4096, 8191, 8192] {
        let content = vec![0x80; length];
        file.valid(
            &format!("{length} bytes"),
            json!({ "padded": hex(&*record::pad(&content)) }),
            json!({ "content": hex(content) }),
        );
    }
    let short = record::pad(b"maillon").to_vec();
    let with = |place: usize, byte| {
        let mut changed = short.clone();
        changed[place] = byte;
        changed
    };
    for (name, padded) in [
        ("nothing", Vec::new()),
        ("zeros only", vec![0; 256]),
        ("another mark", with(7, 0x81)),
        ("something behind the zeros", with(255, 0x01)),
        ("one zero too few", short[..255].to_vec()),
        ("a step too many", [short.clone(), vec![0; 256]].concat()),
        (
            "the large step for little",
            [short.clone(), vec![0; 3840]].concat(),
        ),
        (
            "the small step for much",
            [vec![0x61; 4096], record::pad(b"").to_vec()].concat(),
        ),
    ] {
        file.invalid(name, json!({ "padded": hex(padded) }), "padding");
    }
    file.json()
}
