//! Events as they commit.

use std::time::Duration;

use maillon_protocol::admin::WatchEvent;

use super::{Client, ClientError, Step};

/// A watch: yields events until either end closes. After [`ClientError::TimedOut`] it goes on; after any other error, and after the
/// daemon has closed, it has ended.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    id: u64,
    ended: bool,
}

impl Watch {
    pub(super) const fn new(client: Client, id: u64) -> Self {
        Self {
            client,
            id,
            ended: false,
        }
    }

    /// How long [`Iterator::next`] may wait for an event before it yields [`ClientError::TimedOut`]; `None`: for ever.
    ///
    /// # Errors
    /// [`ClientError::Io`], also where `timeout` is zero.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<(), ClientError> {
        self.client.set_read_timeout(timeout)
    }
}

impl Iterator for Watch {
    type Item = Result<WatchEvent, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.client.step(self.id) {
                Ok(Step::Event(event)) => return Some(Ok(event)),
                Ok(Step::Progress(_)) => {}
                Ok(Step::Done(_)) => self.ended = true,
                Err(ClientError::TimedOut) => return Some(Err(ClientError::TimedOut)),
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}
