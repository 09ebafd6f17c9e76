//! Frames: four bytes of length, big-endian, and so many bytes of JSON.

use std::{
    io::{ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use maillon_protocol::limits;
use serde::Serialize;

use super::ClientError;

/// Bytes of the length field.
const HEAD: usize = 4;

/// How much is read at once.
const STEP: usize = 16 << 10;

/// Both directions of a connection. What was read of an unfinished frame stays here, so that a read that timed out can be taken up again.
#[derive(Debug)]
pub(super) struct Frames {
    stream: UnixStream,
    pending: Vec<u8>,
}

impl Frames {
    pub(super) const fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            pending: Vec::new(),
        }
    }

    pub(super) fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<(), ClientError> {
        Ok(self.stream.set_read_timeout(timeout)?)
    }

    /// Writes one frame, length and bytes in one go.
    pub(super) fn write<T: Serialize>(&mut self, value: &T) -> Result<(), ClientError> {
        let mut bytes = vec![0; HEAD];
        serde_json::to_writer(&mut bytes, value).map_err(std::io::Error::from)?;
        let length = bytes.len() - HEAD;
        if length > limits::FRAME {
            return Err(ClientError::RequestTooLong { bytes: length });
        }
        let head = u32::try_from(length).map_err(|_| ClientError::Garbled)?;
        bytes[..HEAD].copy_from_slice(&head.to_be_bytes());
        match self.stream.write_all(&bytes) {
            // The daemon may have said why before it closed: the next read finds out.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// Reads one frame. The length is checked before the rest is waited for.
    pub(super) fn read(&mut self) -> Result<Vec<u8>, ClientError> {
        loop {
            if let Some(head) = self.pending.first_chunk::<HEAD>() {
                let length = u32::from_be_bytes(*head) as usize;
                if length > limits::FRAME {
                    return Err(ClientError::TooLong { bytes: length });
                }
                if self.pending.len() >= HEAD + length {
                    let rest = self.pending.split_off(HEAD + length);
                    let mut frame = std::mem::replace(&mut self.pending, rest);
                    frame.drain(..HEAD);
                    return Ok(frame);
                }
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<(), ClientError> {
        let start = self.pending.len();
        self.pending.resize(start + STEP, 0);
        let outcome = self.stream.read(&mut self.pending[start..]);
        let read = outcome.as_ref().map_or(0, |read| *read);
        self.pending.truncate(start + read);
        match outcome {
            Ok(0) => Err(ClientError::Closed),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(ClientError::TimedOut)
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Err(ClientError::Closed),
            Err(error) => Err(error.into()),
        }
    }
}
