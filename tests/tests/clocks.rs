//! Clocks that are wrong, in virtual time: nothing waits for them to be right.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use maillon_tests::net::Net;

const WALKED: &str = "A marché jusqu'au portail ce matin.";
/// Milliseconds.
const DAY: i64 = 24 * 3_600_000;

#[test]
fn what_a_node_acknowledges_after_its_clock_was_put_back_is_believed() {
    let mut net = Net::new(81, 3);
    // It starts three days ahead of the others, says what it has, and is set right with a restart.
    net.clocks.insert(1, 3 * DAY);
    let circle = net.circle(0, &[1, 2]);
    net.connect_all();
    net.run(120_000);
    net.clocks.clear();
    net.crash(1);
    net.connect(0, 1);
    net.connect(1, 2);
    net.write(0, &circle, WALKED);
    let second = net.id(1);
    let delivered = |net: &Net, node: usize| net.nodes[node].owed(&circle, &second).is_empty();
    assert!(net.run_until(|net| net.texts(1, &circle).contains(WALKED)));
    assert!(net.run_until(|net| delivered(net, 0) && delivered(net, 2)));
    // Whatever had been said before the clock was set, it stays so.
    net.run(4 * 3_600_000);
    assert!(delivered(&net, 0) && delivered(&net, 2));
}

#[test]
fn clocks_that_are_put_back_delay_no_comparison() {
    let mut net = Net::new(82, 2);
    let circle = net.circle(0, &[1]);
    net.run(120_000);
    for node in [0, 1] {
        net.clocks.insert(node, -3 * DAY);
    }
    // The push is lost, and the connection stands.
    net.weather.ordered = false;
    net.mute.insert((0, 1));
    net.write(0, &circle, WALKED);
    net.run(1_000);
    net.mute.clear();
    assert!(net.run_until(|net| net.texts(1, &circle).contains(WALKED)));
}
