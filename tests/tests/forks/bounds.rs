//! Who forks without end costs the others a bounded room.

use maillon_protocol::{
    cbor::Bytes,
    charter::Entry,
    ids::CircleId,
    limits,
    record::Record,
    replica::{Notice, RowPrefix, Rows},
    sign::sign,
    sync::{Message, SentRecord},
};
use maillon_tests::net::Net;

use super::{ATE, SLEPT, WALKED, agree, aside, head, two_stewards, was_told};

fn as_sent(record: &Record) -> SentRecord {
    SentRecord {
        header: Bytes(record.header.bytes.clone()),
        body: Bytes(record.body.clone().unwrap_or_default()),
    }
}

/// Says records to a node as answers to nothing.
fn give(net: &mut Net, from: usize, to: usize, circle: &CircleId, records: Vec<SentRecord>) {
    let charter = &net.nodes[to].circles[circle].charter;
    let (entry, entry_hash) = (charter.number(), charter.head());
    for some in records.chunks(50) {
        let message = Message::Records {
            circle: *circle,
            entry,
            entry_hash,
            records: some.to_vec(),
            wanted: false,
        };
        net.say(from, to, &message);
    }
}

#[test]
fn a_member_that_forks_its_own_log_without_end_costs_the_others_a_bounded_room() {
    let mut net = Net::new(205, 3);
    let circle = net.circle(0, &[1, 2]);
    net.connect(1, 2);
    net.write(1, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle) && net.same(0, 2, &circle)));
    net.run(60_000);
    // The second member signs one record after another for one place of its log.
    let old = net.nodes[1].memory.clone();
    let log = net.nodes[1].replica.own_log();
    let place = net.nodes[1].circles[&circle].logs[&log].height + 1;
    let mut records = Vec::new();
    net.cut_all();
    for number in 0..limits::ASIDE + 100 {
        net.nodes[1].memory = old.clone();
        net.crash(1);
        net.write(1, &circle, &format!("Version {number}."));
        records.push(as_sent(&net.nodes[1].stored(&circle, &log, place).unwrap()));
    }
    net.nodes[1].memory = old;
    net.crash(1);
    net.connect(0, 1);
    net.connect(0, 2);
    net.run(10_000);
    give(&mut net, 1, 0, &circle, records.clone());
    net.run(600_000);
    for node in [0, 2] {
        assert_eq!(aside(&net, node, &circle), limits::ASIDE, "{node}");
        // The first one is the value, the others stand beside it.
        assert_eq!(net.notes(node, &circle).len(), limits::ASIDE + 2, "{node}");
        let full = |notice: &Notice| matches!(notice, Notice::NotKept { error, .. } if error.limit == limits::ASIDE as u64);
        assert!(
            node == 2
                || net.nodes[node]
                    .notices
                    .iter()
                    .filter(|one| full(one))
                    .count()
                    == 1
        );
    }
    // Said again, it changes nothing; and what others write arrives.
    let rows = net.nodes[0].memory.rows().len();
    give(&mut net, 1, 0, &circle, records);
    net.run(600_000);
    assert_eq!(net.nodes[0].memory.rows().len(), rows);
    net.write(2, &circle, ATE);
    assert!(net.run_until(|net| net.notes(0, &circle).contains(ATE)));
    net.invariants().unwrap();
}

#[test]
fn charter_entries_that_do_not_fit_cost_a_bounded_room_too() {
    let mut net = Net::new(206, 3);
    let circle = net.circle(0, &[1]);
    net.run(60_000);
    let last = {
        let rows = &net.nodes[0].memory;
        let all = rows.scan(&RowPrefix::Entries(circle, 0)).unwrap();
        let parsed =
            maillon_protocol::sign::Unverified::<Entry>::parse(all.last().unwrap().clone());
        parsed.unwrap().object
    };
    // A member that is not the steward signs entries, and so does somebody who was never in the circle.
    for signer in [1, 2] {
        let key = net.nodes[signer].key().clone();
        let entries: Vec<Bytes> = (0..limits::ASIDE as u64 + 50)
            .map(|number| {
                let entry = Entry {
                    number: last.number + 1,
                    previous: Some(net.nodes[0].circles[&circle].charter.head()),
                    signer: key.id(),
                    time: maillon_protocol::time::Timestamp::from_ms(number),
                    ..last.clone()
                };
                Bytes(sign(entry, &key).bytes)
            })
            .collect();
        for entry in entries {
            let message = Message::Entries {
                circle,
                entries: vec![entry],
                seals: Vec::new(),
                more: false,
            };
            net.say(1, 0, &message);
        }
        net.run(60_000);
        assert!(was_told(&net, 0, "entry"));
        assert_eq!(aside(&net, 0, &circle), limits::ASIDE, "{signer}");
    }
}

#[test]
fn a_steward_that_forks_a_charter_without_end_is_followed_on_a_few_branches() {
    let (mut net, circle, _) = two_stewards(213);
    let old = net.nodes[0].memory.clone();
    let mut entries = Vec::new();
    for number in 0..20 {
        net.nodes[0].memory = old.clone();
        net.crash(0);
        net.run(number);
        net.act(0, |node, now| node.rotate(&circle, now)).unwrap();
        let rows = &net.nodes[0].memory;
        entries.push(Bytes(
            rows.scan(&RowPrefix::Entries(circle, 4)).unwrap().remove(0),
        ));
    }
    net.connect(0, 1);
    assert!(net.run_until(|net| head(net, 1, &circle) == head(net, 0, &circle)));
    for entry in entries {
        let message = Message::Entries {
            circle,
            entries: vec![entry],
            seals: Vec::new(),
            more: false,
        };
        net.say(0, 1, &message);
    }
    net.run(60_000);
    let charter = |net: &Net| net.nodes[1].circles[&circle].charter.clone();
    assert_eq!(charter(&net).rivals().len() + 1, limits::BRANCHES);
    assert_eq!(aside(&net, 1, &circle), 19);
    // Those who stand on one of them all the same exchange what they write.
    net.cut_all();
    net.connect(1, 2);
    net.connect(2, 3);
    net.write(1, &circle, ATE);
    net.write(3, &circle, SLEPT);
    assert!(net.run_until(|net| agree(net, &[1, 2, 3], &circle, &[WALKED, ATE, SLEPT])));
    net.invariants().unwrap();
}
