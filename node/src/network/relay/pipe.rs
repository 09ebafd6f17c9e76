//! How fast bytes go into a relay: its connections' streams, slowed to a rate.
//!
//! What a relay reads it writes on, so reading is what is measured: each byte that a node sends costs from that node's allowance and from
//! that of all. A node that has used its own up waits, and its sender feels it; nothing is dropped.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, SubstreamBox};
use tokio::time::Sleep;

use super::admission::Register;
use crate::network::{Direction, Tap};

/// A reader that waits is woken when so much may be read, so that a slow pipe carries pieces and not single bytes.
const PIECE: u64 = 8 << 10;

/// An allowance of bytes: it fills at its rate and holds one second of it.
#[derive(Debug)]
pub(super) struct Allowance {
    rate: u64,
    state: Mutex<(u64, Instant)>,
}

impl Allowance {
    pub(super) fn new(rate: u64, now: Instant) -> Self {
        let rate = rate.max(PIECE);
        Self {
            rate,
            state: Mutex::new((rate, now)),
        }
    }

    /// Takes up to `wanted` bytes, or says how long to wait for some.
    fn take(&self, wanted: u64, now: Instant) -> Result<u64, Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (saved, counted) = *state;
        let passed = now.saturating_duration_since(counted).as_micros();
        let come = u64::try_from(u128::from(self.rate) * passed / 1_000_000).unwrap_or(u64::MAX);
        if come > 0 {
            *state = (saved.saturating_add(come).min(self.rate), now);
        }
        let least = PIECE.min(wanted);
        if state.0 < least {
            let missing = Duration::from_secs_f64((least - state.0) as f64 / self.rate as f64);
            return Err(missing.max(Duration::from_millis(1)));
        }
        let taken = wanted.min(state.0);
        state.0 -= taken;
        Ok(taken)
    }

    fn give_back(&self, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = state.0.saturating_add(bytes).min(self.rate);
    }
}

/// What the streams of one node share.
#[derive(Clone)]
pub(super) struct Pipe {
    pub(super) own: Arc<Allowance>,
    pub(super) all: Arc<Allowance>,
    pub(super) register: Arc<Register>,
    pub(super) tap: Option<Tap>,
}

impl Pipe {
    fn take(&self, wanted: u64, now: Instant) -> Result<u64, Duration> {
        let own = self.own.take(wanted, now)?;
        match self.all.take(own, now) {
            Ok(both) => {
                self.own.give_back(own - both);
                Ok(both)
            }
            Err(wait) => {
                self.own.give_back(own);
                Err(wait)
            }
        }
    }

    fn give_back(&self, bytes: u64) {
        self.own.give_back(bytes);
        self.all.give_back(bytes);
    }
}

/// A connection whose streams are slowed, counted and tapped.
pub(super) struct Piped {
    inner: StreamMuxerBox,
    pipe: Pipe,
}

impl Piped {
    pub(super) fn new(inner: StreamMuxerBox, pipe: Pipe) -> Self {
        Self { inner, pipe }
    }

    fn stream(&self, inner: SubstreamBox) -> PipedStream {
        PipedStream {
            inner,
            pipe: self.pipe.clone(),
            waits: None,
        }
    }
}

impl StreamMuxer for Piped {
    type Substream = PipedStream;
    type Error = io::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<PipedStream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_inbound(cx))?;
        Poll::Ready(Ok(self.stream(stream)))
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<PipedStream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_outbound(cx))?;
        Poll::Ready(Ok(self.stream(stream)))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        StreamMuxer::poll(Pin::new(&mut self.inner), cx)
    }
}

/// A stream that is slowed, counted and tapped.
pub(super) struct PipedStream {
    inner: SubstreamBox,
    pipe: Pipe,
    waits: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for PipedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        loop {
            if let Some(waits) = &mut this.waits {
                ready!(waits.as_mut().poll(cx));
                this.waits = None;
            }
            let taken = match this.pipe.take(into.len() as u64, Instant::now()) {
                Ok(taken) => taken,
                Err(wait) => {
                    this.waits = Some(Box::pin(tokio::time::sleep(wait)));
                    continue;
                }
            };
            let room = usize::try_from(taken).unwrap_or(into.len());
            let read = Pin::new(&mut this.inner).poll_read(cx, &mut into[..room]);
            let used = match &read {
                Poll::Ready(Ok(read)) => *read as u64,
                _ => 0,
            };
            this.pipe.give_back(taken - used);
            if let Poll::Ready(Ok(read)) = &read {
                this.pipe.register.bytes.fetch_add(used, Relaxed);
                if let Some(tap) = &this.pipe.tap {
                    tap(Direction::In, &into[..*read]);
                }
            }
            return read;
        }
    }
}

impl AsyncWrite for PipedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
        if let Some(tap) = &self.pipe.tap {
            tap(Direction::Out, &bytes[..written]);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::AllowList;

    #[test]
    fn an_allowance_gives_one_second_at_once_and_then_its_rate() {
        let start = Instant::now();
        let allowance = Allowance::new(100_000, start);
        assert_eq!(allowance.take(1_000_000, start), Ok(100_000));
        let wait = allowance.take(50_000, start).expect_err("it is used up");
        assert_eq!(wait, Duration::from_secs_f64(PIECE as f64 / 100_000.0));
        assert_eq!(
            allowance.take(50_000, start + Duration::from_millis(200)),
            Ok(20_000)
        );
        let much_later = start + Duration::from_secs(3600);
        assert_eq!(allowance.take(1_000_000, much_later), Ok(100_000));
    }

    #[test]
    fn a_node_takes_from_its_own_and_from_that_of_all_and_leaves_what_it_did_not_read() {
        let start = Instant::now();
        let all = Arc::new(Allowance::new(150_000, start));
        let pipe = || Pipe {
            own: Arc::new(Allowance::new(100_000, start)),
            all: Arc::clone(&all),
            register: Register::new(AllowList::new([])),
            tap: None,
        };
        let (one, other) = (pipe(), pipe());
        assert_eq!(one.take(200_000, start), Ok(100_000));
        assert_eq!(
            other.take(200_000, start),
            Ok(50_000),
            "what the first one left"
        );
        other.give_back(30_000);
        assert_eq!(other.take(200_000, start), Ok(30_000));
        assert!(
            other.take(1, start).is_err(),
            "nothing is left of that of all"
        );
    }
}
