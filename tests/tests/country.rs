//! A country in virtual time: it lives a part of a year with an outage in it, agrees afterwards, and no node had more to do than its own
//! circles ask for, however many other nodes there are.
//!
//! The whole country of 279 nodes and 20,000 circles takes half an hour; `tests/country/run.py` lives it and keeps what it came to. Here are
//! two small ones.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use maillon_tests::net::country::{Class, Country, Figures, Size};

/// Ten days of a country whose nodes have a dozen circles.
const SMALL: Size = Size {
    nodes: 30,
    circles: 120,
    days: 10,
};

/// How much more may fall to a record among three times as many nodes, or as many circles: in countries so small, chance alone makes a quarter.
const MARGIN: f64 = 1.4;

fn live(size: Size, seed: u64) -> Result<Figures, String> {
    let lived = Country::new(size, seed).live();
    lived.map_err(|broken| format!("seed {seed}, {size:?}: {broken}"))
}

/// Lives several countries at a time, all from the same seed.
fn lived_at_once(sizes: &[Size]) -> Result<Vec<Figures>, String> {
    std::thread::scope(|scope| {
        let lives: Vec<_> = sizes
            .iter()
            .map(|size| scope.spawn(|| live(*size, 1)))
            .collect();
        let lived = lives.into_iter().map(|life| life.join().unwrap());
        lived.collect()
    })
}

#[test]
fn a_country_agrees_after_an_outage_and_a_nodes_work_follows_its_own_circles() {
    let large = SMALL.with_nodes(90);
    let all = lived_at_once(&[large, SMALL, SMALL]).unwrap();
    let [large, small, again] = &all[..] else {
        unreachable!("three countries were lived");
    };
    assert_eq!(small.json(), again.json(), "the same seed, another life");
    for figures in [small, large] {
        let done = |what| figures.done.get(what).copied().unwrap_or_default();
        println!("{figures}{:?}\n", figures.done);
        assert_eq!(done("circles"), figures.size.circles as u64);
        for what in ["acceptances", "notes", "answers", "corrections", "restarts"] {
            assert!(done(what) > 20, "{what}: {}", done(what));
        }
        let rare = ["removals", "departures", "hand-overs", "rotations"];
        assert!(rare.iter().map(|what| done(what)).sum::<u64>() > 5);
    }
    // Three times as many nodes, with as many circles each.
    grows_little(&small.all(), &large.all());
    // Nodes with the most circles, beside those with the fewest.
    for figures in [small, large] {
        let classes = figures.classes(3);
        grows_little(&classes[0], &classes[2]);
    }
}

/// What falls to a record of a node.
fn grows_little(from: &Class, to: &Class) {
    for ((what, few), (_, many)) in from.parts().into_iter().zip(to.parts()) {
        let both = format!("{from:?}, {to:?}");
        assert!(many <= MARGIN * few, "{what} for a record: {both}");
    }
}

/// A month of the country, or of one with `MAILLON_NODES` nodes, from `MAILLON_SEED`; for `tests/country/run.py`.
#[test]
#[ignore = "takes half an hour: tests/country/run.py"]
fn a_month_of_the_whole_country() {
    let number = |name| std::env::var(name).ok()?.parse::<usize>().ok();
    let size = match number("MAILLON_NODES") {
        Some(nodes) => Size::COUNTRY.with_nodes(nodes),
        None => Size::COUNTRY,
    };
    let seed = number("MAILLON_SEED").unwrap_or(1) as u64;
    println!("seed {seed}, {size:?}");
    let figures = live(size, seed).unwrap();
    println!("{figures}");
    println!("COUNTRY {}", figures.json());
}
