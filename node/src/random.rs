//! The operating system's randomness, in the forms that are needed.

use rand_core::{CryptoRng, Infallible, TryCryptoRng, TryRng};

/// The operating system's generator. A node whose system gives no randomness stops: it could keep no promise.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives randomness");
}

impl TryRng for SystemRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for SystemRandom {}

const _: fn() = || {
    fn is_crypto<R: CryptoRng>() {}
    is_crypto::<SystemRandom>();
};

/// Sixteen random bytes.
pub fn token() -> [u8; 16] {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    bytes
}
