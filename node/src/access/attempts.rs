//! Who has failed to sign in, and how long they wait.
//!
//! An account has a counter of its own, for as long as the node runs. Names that are nobody's share some thousand counters, so that they wait as others do
//! and cost no memory. Networks are counted too: passwords and codes apart, so that a crowd of wrong passwords behind one address leaves its recovery codes. Of a
//! network each failure counts for an hour by itself, so a ward whose people mistype now and then does not wait; whoever comes in moves nothing there.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

use super::AccountId;

/// Wrong passwords of one account before it waits.
pub(super) const ACCOUNT_FAILURES: u32 = 5;
/// Wrong passwords of one network within an hour before it waits; of a provider's customer with IPv6, a /48; and wrong codes.
const NETWORK_FAILURES: u32 = 20;
const CUSTOMER_FAILURES: u32 = 200;
const CODE_FAILURES: u32 = 100;
/// The first wait and the longest, milliseconds.
const FIRST_WAIT_MS: u64 = 60_000;
const LONGEST_WAIT_MS: u64 = 15 * 60_000;
/// After this long a network's failure is forgotten, and after this long without one those of an account, milliseconds.
const FORGET_MS: u64 = 3_600_000;
/// Networks that are remembered; beyond that the one that failed least goes.
const REMEMBERED: usize = 4096;
/// Counters of names that are nobody's.
const UNKNOWN: usize = 4096;

/// Whose door is tried.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose {
    /// An account.
    Account(AccountId),
    /// Nobody's: a number made of the name that was typed.
    Nobody(u64),
}

/// With what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum With {
    /// A password.
    Password,
    /// A code of 50 bits or more: only the network waits.
    Code,
}

/// Failures since the start.
pub(super) struct Attempts {
    accounts: HashMap<(AccountId, With), Failures>,
    unknown: Vec<Failures>,
    networks: HashMap<IpAddr, Moments>,
    codes: HashMap<IpAddr, Moments>,
}

/// Until when nothing counts, after so many failures of which the last was then.
fn until_ms(count: u32, last_ms: u64, free: u32) -> u64 {
    let Some(beyond) = count.checked_sub(free) else {
        return 0;
    };
    let wait = FIRST_WAIT_MS.saturating_mul(1 << beyond.min(8));
    last_ms + wait.min(LONGEST_WAIT_MS)
}

#[derive(Clone, Copy, Default)]
struct Failures {
    count: u32,
    last_ms: u64,
}

impl Failures {
    /// Until when nothing counts.
    fn until_ms(self, free: u32) -> u64 {
        until_ms(self.count, self.last_ms, free)
    }

    fn add(&mut self, now_ms: u64) {
        if now_ms >= self.last_ms.saturating_add(FORGET_MS) {
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.last_ms = now_ms;
    }

    const fn take_one(&mut self) {
        self.count = self.count.saturating_sub(1);
    }
}

/// When a network failed in the last hour, Unix milliseconds. Beyond those that are free each has waited for the one before, so they are few.
#[derive(Default)]
struct Moments(Vec<u64>);

/// Whether a failure of then counts still.
fn counts(at_ms: u64, now_ms: u64) -> bool {
    now_ms < at_ms.saturating_add(FORGET_MS)
}

impl Moments {
    /// Until when nothing counts.
    fn until_ms(&self, free: u32, now_ms: u64) -> u64 {
        let count = self
            .0
            .iter()
            .filter(|at_ms| counts(**at_ms, now_ms))
            .count();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        until_ms(count, self.last_ms(), free)
    }

    fn last_ms(&self) -> u64 {
        self.0.iter().copied().max().unwrap_or(0)
    }

    fn add(&mut self, now_ms: u64) {
        self.0.retain(|at_ms| counts(*at_ms, now_ms));
        self.0.push(now_ms);
    }

    /// What was counted then was none: the network waits from the failure before it.
    fn take(&mut self, at_ms: u64) {
        if let Some(place) = self.0.iter().rposition(|held| *held == at_ms) {
            self.0.remove(place);
        }
    }
}

/// An address as it counts: a household, a ward or a lodger of IPv6 has 2^64 of them.
pub fn network_of(address: IpAddr) -> IpAddr {
    cut(address, 4)
}

/// The first so many of its eight parts, where it is one of IPv6.
fn cut(address: IpAddr, parts: usize) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let mut segments = six.segments();
            segments[parts..].fill(0);
            IpAddr::V6(Ipv6Addr::from(segments))
        }
        four => four,
    }
}

/// What a network is counted as, and how much is free.
fn counted(address: IpAddr, with: With) -> Vec<(IpAddr, u32)> {
    let free = match with {
        With::Password => NETWORK_FAILURES,
        With::Code => CODE_FAILURES,
    };
    let mut all = vec![(network_of(address), free)];
    if address.to_canonical().is_ipv6() {
        all.push((cut(address, 3), CUSTOMER_FAILURES));
    }
    all
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            accounts: HashMap::new(),
            unknown: vec![Failures::default(); 2 * UNKNOWN],
            networks: HashMap::new(),
            codes: HashMap::new(),
        }
    }
}

impl Attempts {
    /// Wrong codes make no password wait: whoever knows a name could shut its person out with them.
    fn of(&mut self, whose: Whose, with: With) -> &mut Failures {
        match whose {
            Whose::Account(id) => self.accounts.entry((id, with)).or_default(),
            Whose::Nobody(number) => {
                let behind = if with == With::Code { UNKNOWN } else { 0 };
                &mut self.unknown[number as usize % UNKNOWN + behind]
            }
        }
    }

    const fn from(&mut self, with: With) -> &mut HashMap<IpAddr, Moments> {
        match with {
            With::Password => &mut self.networks,
            With::Code => &mut self.codes,
        }
    }

    /// Milliseconds until a try counts.
    pub(super) fn wait_ms(
        &mut self,
        whose: Whose,
        with: With,
        address: IpAddr,
        now_ms: u64,
    ) -> u64 {
        let mut until = match with {
            With::Password => self.of(whose, with).until_ms(ACCOUNT_FAILURES),
            With::Code => 0,
        };
        for (network, free) in counted(address, with) {
            let failures = self.from(with).get(&network);
            until = until.max(failures.map_or(0, |failures| failures.until_ms(free, now_ms)));
        }
        until.saturating_sub(now_ms)
    }

    /// One more try, which counts as a failure until it is known to be none: so that many at once are not as many guesses. How many that are of this door.
    pub(super) fn tries(&mut self, whose: Whose, with: With, address: IpAddr, now_ms: u64) -> u32 {
        for (network, _) in counted(address, with) {
            count(self.from(with), network, now_ms);
        }
        let failures = self.of(whose, with);
        failures.add(now_ms);
        failures.count
    }

    /// Somebody came in with the try of that moment: the failures before were their own. Those of their network stay, and it waits no longer for this one.
    pub(super) fn came_in(&mut self, whose: Whose, with: With, address: IpAddr, tried_ms: u64) {
        self.was_none(whose, with, address, tried_ms);
        for with in [With::Password, With::Code] {
            *self.of(whose, with) = Failures::default();
        }
    }

    /// The try of that moment was looked at and was no failure, or was not looked at. Failures before it stay.
    pub(super) fn was_none(&mut self, whose: Whose, with: With, address: IpAddr, tried_ms: u64) {
        for (network, _) in counted(address, with) {
            let held = self.from(with);
            if let Some(failures) = held.get_mut(&network) {
                failures.take(tried_ms);
                if failures.0.is_empty() {
                    held.remove(&network);
                }
            }
        }
        self.of(whose, with).take_one();
    }
}

fn count(held: &mut HashMap<IpAddr, Moments>, network: IpAddr, now_ms: u64) {
    if held.len() >= REMEMBERED && !held.contains_key(&network) {
        held.retain(|_, failures| counts(failures.last_ms(), now_ms));
        if held.len() >= REMEMBERED {
            let least = held.iter();
            let least = least.min_by_key(|(_, failures)| (failures.0.len(), failures.last_ms()));
            if let Some(least) = least.map(|(network, _)| *network) {
                held.remove(&least);
            }
        }
    }
    held.entry(network).or_default().add(now_ms);
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIRE: Whose = Whose::Account(AccountId([1; 16]));
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    #[test]
    fn the_fifth_failure_makes_an_account_wait_a_minute_then_two_and_never_more_than_fifteen() {
        for whose in [CLAIRE, Whose::Nobody(77)] {
            let mut attempts = Attempts::default();
            let mut waits = Vec::new();
            let mut now = 1_000_000;
            for _ in 0..12 {
                attempts.tries(whose, With::Password, HERE, now);
                let wait = attempts.wait_ms(whose, With::Password, HERE, now);
                waits.push(wait / 60_000);
                now += wait;
            }
            assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 15, 15, 15, 15]);
            // Its person has a recovery code.
            assert_eq!(attempts.wait_ms(whose, With::Code, HERE, now), 0);
            attempts.came_in(whose, With::Password, HERE, now);
            assert_eq!(attempts.wait_ms(whose, With::Password, HERE, now), 0);
        }
    }

    #[test]
    fn a_try_that_was_not_looked_at_leaves_the_failures_before_it() {
        let mut attempts = Attempts::default();
        for _ in 0..5 {
            attempts.tries(CLAIRE, With::Password, HERE, 5);
        }
        // Too many people at once: nobody looked.
        attempts.was_none(CLAIRE, With::Password, HERE, 5);
        assert_eq!(attempts.wait_ms(CLAIRE, With::Password, HERE, 5), 0);
        attempts.tries(CLAIRE, With::Password, HERE, 5);
        let wait = attempts.wait_ms(CLAIRE, With::Password, HERE, 5);
        assert_eq!(wait, FIRST_WAIT_MS);
    }

    #[test]
    fn who_tries_many_names_from_one_network_waits_and_others_do_not() {
        let mut attempts = Attempts::default();
        let nobody = Whose::Nobody(4000);
        for guess in 0..20_u16 {
            let address = format!("2001:db8:1:2::{guess:x}");
            let address = address.parse().expect("an address");
            attempts.tries(Whose::Nobody(guess.into()), With::Password, address, 5);
        }
        let same: IpAddr = "2001:db8:1:2:ffff::1".parse().expect("an address");
        let other: IpAddr = "2001:db8:1:3::1".parse().expect("an address");
        let mut wait = |address, with| attempts.wait_ms(nobody, with, address, 5);
        assert_eq!(wait(same, With::Password), FIRST_WAIT_MS);
        assert_eq!(wait(other, With::Password), 0);
        assert_eq!(wait(same, With::Code), 0);
    }

    /// Twenty wrong passwords of one network, one each second from then on.
    fn twenty_wrong(from_ms: u64) -> Attempts {
        let mut attempts = Attempts::default();
        for guess in 0..20_u64 {
            let at_ms = from_ms + guess * 1_000;
            attempts.tries(Whose::Nobody(guess), With::Password, HERE, at_ms);
        }
        attempts
    }

    #[test]
    fn wrong_codes_keep_nobody_from_their_password() {
        let mut attempts = Attempts::default();
        for now in 0..40 {
            attempts.tries(CLAIRE, With::Code, HERE, now);
        }
        assert_eq!(attempts.wait_ms(CLAIRE, With::Password, HERE, 40), 0);
    }

    #[test]
    fn whoever_comes_in_makes_nobody_else_of_their_network_wait() {
        let mut attempts = twenty_wrong(0);
        let wait = |attempts: &mut Attempts, now| {
            attempts.wait_ms(Whose::Nobody(4000), With::Password, HERE, now)
        };
        assert_eq!(wait(&mut attempts, 19_000), FIRST_WAIT_MS);
        let mut now = 19_000 + FIRST_WAIT_MS;
        for _ in 0..30 {
            assert_eq!(wait(&mut attempts, now), 0);
            attempts.tries(CLAIRE, With::Password, HERE, now);
            // Until it is known that it is none, the next one waits.
            assert!(wait(&mut attempts, now) > 0);
            attempts.came_in(CLAIRE, With::Password, HERE, now);
            now += 1_000;
        }
        // Whoever guesses there waits as before, and twice as long.
        attempts.tries(Whose::Nobody(4000), With::Password, HERE, now);
        assert_eq!(wait(&mut attempts, now), 2 * FIRST_WAIT_MS);
    }

    #[test]
    fn of_two_at_one_time_the_one_who_comes_in_takes_nothing_of_the_others_failure() {
        let mut attempts = twenty_wrong(0);
        let now = 19_000 + FIRST_WAIT_MS;
        attempts.tries(CLAIRE, With::Password, HERE, now);
        attempts.tries(Whose::Nobody(4000), With::Password, HERE, now + 1);
        attempts.came_in(CLAIRE, With::Password, HERE, now);
        let wait = attempts.wait_ms(Whose::Nobody(4001), With::Password, HERE, now + 1);
        assert_eq!(wait, 2 * FIRST_WAIT_MS);
    }

    #[test]
    fn a_networks_failures_are_forgotten_one_by_one_an_hour_after_each() {
        let mut attempts = twenty_wrong(0);
        let mut wait = |now| attempts.wait_ms(Whose::Nobody(4000), With::Password, HERE, now);
        assert_eq!(wait(19_000), FIRST_WAIT_MS);
        // One an hour old: nineteen are left, and one more makes it wait a minute and not two.
        let now = FORGET_MS;
        assert_eq!(wait(now), 0);
        attempts.tries(Whose::Nobody(4000), With::Password, HERE, now);
        let mut wait = |now| attempts.wait_ms(Whose::Nobody(4001), With::Password, HERE, now);
        assert_eq!(wait(now), FIRST_WAIT_MS);
        assert_eq!(wait(now + 1_000), 0);
    }

    #[test]
    fn who_has_a_thousand_networks_of_one_provider_waits_as_a_whole() {
        let mut attempts = Attempts::default();
        for guess in 1..=200_u16 {
            let address = format!("2001:db8:1:{guess:x}::1");
            let address = address.parse().expect("an address");
            attempts.tries(Whose::Nobody(guess.into()), With::Password, address, 5);
        }
        let fresh: IpAddr = "2001:db8:1:ffff::1".parse().expect("an address");
        let wait = attempts.wait_ms(Whose::Nobody(4000), With::Password, fresh, 5);
        assert_eq!(wait, FIRST_WAIT_MS);
    }

    #[test]
    fn no_crowd_of_names_and_networks_makes_an_accounts_failures_forgotten() {
        let mut attempts = Attempts::default();
        for _ in 0..4 {
            attempts.tries(CLAIRE, With::Password, HERE, 5);
        }
        for name in 0..20_000_u32 {
            let address = IpAddr::V4(std::net::Ipv4Addr::from(name));
            for _ in 0..5 {
                attempts.tries(Whose::Nobody(name.into()), With::Password, address, 5);
            }
        }
        assert_eq!(attempts.networks.len(), REMEMBERED);
        assert_eq!(attempts.tries(CLAIRE, With::Password, HERE, 5), 5);
        assert!(attempts.wait_ms(CLAIRE, With::Password, HERE, 5) > 0);
    }
}
