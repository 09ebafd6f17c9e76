//! Who has failed to sign in, and how long they wait.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
};

use super::Login;

/// Failures of one account before it waits, and of one address.
const ACCOUNT_FAILURES: u32 = 5;
const ADDRESS_FAILURES: u32 = 20;
/// The first wait and the longest, milliseconds.
const FIRST_WAIT_MS: u64 = 60_000;
const LONGEST_WAIT_MS: u64 = 15 * 60_000;
/// After this long without a failure all is forgotten, milliseconds.
const FORGET_MS: u64 = 3_600_000;
/// Names and addresses that are remembered; beyond that the one that failed least goes.
const REMEMBERED: usize = 4096;

/// Failures since the start, by account and by address.
#[derive(Default)]
pub(super) struct Attempts {
    accounts: HashMap<Login, Failures>,
    addresses: HashMap<IpAddr, Failures>,
}

#[derive(Clone, Copy, Default)]
struct Failures {
    count: u32,
    last_ms: u64,
}

impl Failures {
    /// Until when nothing counts.
    fn until_ms(self, free: u32) -> u64 {
        let Some(beyond) = self.count.checked_sub(free) else {
            return 0;
        };
        let wait = FIRST_WAIT_MS.saturating_mul(1 << beyond.min(8));
        self.last_ms + wait.min(LONGEST_WAIT_MS)
    }
}

/// A household, a ward or a lodger of IPv6 has 2^64 addresses: they count as one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        four => four,
    }
}

impl Attempts {
    /// Milliseconds until a try counts. Where a recovery code is given only the address waits.
    pub(super) fn wait_ms(&self, login: Option<&Login>, address: IpAddr, now_ms: u64) -> u64 {
        let account = login.and_then(|login| self.accounts.get(login));
        let account = account.map_or(0, |failures| failures.until_ms(ACCOUNT_FAILURES));
        let address = self.addresses.get(&network(address));
        let address = address.map_or(0, |failures| failures.until_ms(ADDRESS_FAILURES));
        account.max(address).saturating_sub(now_ms)
    }

    /// One more try, which counts as a failure until it is known to be none: so that many at once are not as many guesses.
    pub(super) fn tries(&mut self, login: &Login, address: IpAddr, now_ms: u64) {
        count(&mut self.accounts, login.clone(), now_ms);
        count(&mut self.addresses, network(address), now_ms);
    }

    /// Somebody came in: the failures before were their own.
    pub(super) fn came_in(&mut self, login: &Login, address: IpAddr) {
        self.was_none(login, address);
        self.accounts.remove(login);
    }

    /// A try was looked at and was no failure, or was not looked at. Failures before it stay.
    pub(super) fn was_none(&mut self, login: &Login, address: IpAddr) {
        let account = self.accounts.get_mut(login);
        let address = self.addresses.get_mut(&network(address));
        for failures in account.into_iter().chain(address) {
            failures.count = failures.count.saturating_sub(1);
        }
    }
}

fn count<K: Eq + Hash + Clone>(held: &mut HashMap<K, Failures>, key: K, now_ms: u64) {
    let fresh = |failures: &Failures| now_ms < failures.last_ms.saturating_add(FORGET_MS);
    if held.len() >= REMEMBERED && !held.contains_key(&key) {
        held.retain(|_, failures| fresh(failures));
        if held.len() >= REMEMBERED {
            // Whoever has failed least goes first: a crowd of names does not make one forgotten that is being guessed at.
            let oldest = held.iter();
            let oldest = oldest.min_by_key(|(_, failures)| (failures.count, failures.last_ms));
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                held.remove(&oldest);
            }
        }
    }
    let failures = held.entry(key).or_default();
    if !fresh(failures) {
        failures.count = 0;
    }
    failures.count += 1;
    failures.last_ms = now_ms;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_that_was_not_looked_at_leaves_the_failures_before_it() {
        let mut attempts = Attempts::default();
        let name = login("claire.martin");
        for _ in 0..4 {
            attempts.tries(&name, HERE, 0);
        }
        // Too many people at once: nobody looked.
        attempts.tries(&name, HERE, 0);
        attempts.was_none(&name, HERE);
        assert_eq!(attempts.wait_ms(Some(&name), HERE, 0), 0);
        attempts.tries(&name, HERE, 0);
        assert_eq!(attempts.wait_ms(Some(&name), HERE, 0), FIRST_WAIT_MS);
    }

    fn login(name: &str) -> Login {
        Login::parse(name).expect("a name")
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    #[test]
    fn the_fifth_failure_makes_an_account_wait_a_minute_then_two_and_never_more_than_fifteen() {
        let mut attempts = Attempts::default();
        let name = login("claire.martin");
        let mut waits = Vec::new();
        let mut now = 1_000_000;
        for _ in 0..12 {
            attempts.tries(&name, HERE, now);
            let wait = attempts.wait_ms(Some(&name), HERE, now);
            waits.push(wait / 60_000);
            now += wait;
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 15, 15, 15, 15]);
        // Its person has a recovery code, and comes from elsewhere.
        assert_eq!(attempts.wait_ms(None, HERE, now), 0);
        attempts.came_in(&name, HERE);
        assert_eq!(attempts.wait_ms(Some(&name), HERE, now), 0);
    }

    #[test]
    fn who_tries_many_names_from_one_network_waits_and_others_do_not() {
        let mut attempts = Attempts::default();
        for guess in 0..20_u16 {
            let address = format!("2001:db8:1:2::{guess:x}")
                .parse()
                .expect("an address");
            attempts.tries(&login(&format!("name{guess}")), address, 5);
        }
        let same: IpAddr = "2001:db8:1:2:ffff::1".parse().expect("an address");
        let other: IpAddr = "2001:db8:1:3::1".parse().expect("an address");
        assert_eq!(attempts.wait_ms(None, same, 5), FIRST_WAIT_MS);
        assert_eq!(attempts.wait_ms(None, other, 5), 0);
    }

    #[test]
    fn what_is_remembered_of_failures_is_bounded() {
        let mut attempts = Attempts::default();
        let guessed = login("claire.martin");
        for _ in 0..5 {
            attempts.tries(&guessed, HERE, 0);
        }
        for guess in 0..REMEMBERED + 100 {
            attempts.tries(&login(&format!("name{guess}")), HERE, guess as u64);
        }
        assert_eq!(attempts.accounts.len(), REMEMBERED);
        let newest = login(&format!("name{}", REMEMBERED + 99));
        assert!(attempts.accounts.contains_key(&newest));
        assert!(
            attempts.accounts.contains_key(&guessed),
            "the one that is guessed at"
        );
    }
}
