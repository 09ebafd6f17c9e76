//! Chance that can be had twice: the same seed, the same draws.
//!
//! SplitMix64 (Steele, Lea, Flood 2014): enough to lose datagrams fairly, and no use for secrets.

/// A sequence of draws that depends on its seed only.
#[derive(Clone, Debug)]
pub(super) struct Chance {
    state: u64,
}

impl Chance {
    /// The sequence number `stream` of `seed`; different streams have nothing to do with each other.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut mixed = Self { state: seed };
        let start = mixed.bits() ^ stream.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        Self { state: start }
    }

    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The next draw, in `0.0..1.0`.
    pub(super) fn unit(&mut self) -> f64 {
        // 53 bits are what an f64 holds exactly.
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    fn draws(seed: u64, stream: u64) -> Vec<f64> {
        let mut chance = Chance::new(seed, stream);
        (0..1000).map(|_| chance.unit()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_draws_and_another_gives_others() {
        assert_eq!(draws(7, 0), draws(7, 0));
        assert_ne!(draws(7, 0), draws(8, 0));
        assert_ne!(draws(7, 0), draws(7, 1));
    }

    #[test]
    fn draws_are_spread_over_the_whole_unit() {
        let draws = draws(1, 0);
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        let low = draws.iter().filter(|draw| **draw < 0.3).count();
        assert!((240..360).contains(&low), "{low} of 1000 below 0.3");
    }
}
