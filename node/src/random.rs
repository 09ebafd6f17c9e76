//! The operating system's randomness, in the forms that are needed.

use rand_core::{CryptoRng, Infallible, TryCryptoRng, TryRng, utils::next_word_via_fill};
use zeroize::Zeroizing;

/// The operating system's generator. A node whose system gives no randomness stops: it could keep no promise.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives randomness");
}

impl TryRng for SystemRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for SystemRandom {}

/// The same, a kibibyte at a time: for whoever needs a few bytes many thousand times a second. Each byte is given once, and none is left behind in
/// memory.
#[derive(Default)]
pub struct RandomPool {
    bytes: Zeroizing<Vec<u8>>,
}

impl RandomPool {
    const AT_A_TIME: usize = 1024;

    /// Fills `out`.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub fn fill(&mut self, out: &mut [u8]) -> Result<(), getrandom::Error> {
        if out.len() > Self::AT_A_TIME {
            return getrandom::fill(out);
        }
        if self.bytes.len() < out.len() {
            // Beside what is left: where the system gives none, no zeros are taken for random.
            let mut fresh = Zeroizing::new(vec![0; Self::AT_A_TIME]);
            getrandom::fill(&mut fresh)?;
            self.bytes = fresh;
        }
        let rest = self.bytes.len() - out.len();
        out.copy_from_slice(&self.bytes[rest..]);
        self.bytes[rest..].fill(0);
        self.bytes.truncate(rest);
        Ok(())
    }
}

impl TryRng for RandomPool {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes)
            .expect("the operating system gives randomness");
        Ok(())
    }
}

impl TryCryptoRng for RandomPool {}

const _: fn() = || {
    fn is_crypto<R: CryptoRng>() {}
    is_crypto::<SystemRandom>();
    is_crypto::<RandomPool>();
};

/// Sixteen random bytes.
pub fn token() -> [u8; 16] {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::RandomPool;

    #[test]
    fn a_pool_gives_each_byte_once_however_many_are_asked_for() {
        let mut pool = RandomPool::default();
        let mut seen = BTreeSet::new();
        for length in [16, 24, 32, 1024, 16, 5000, 1000, 32].repeat(50) {
            let mut bytes = vec![0; length];
            pool.fill(&mut bytes).expect("randomness");
            for part in bytes.chunks_exact(8) {
                assert!(seen.insert(part.to_vec()), "eight bytes came twice");
            }
            assert!(pool.bytes.len() <= RandomPool::AT_A_TIME);
        }
    }
}
