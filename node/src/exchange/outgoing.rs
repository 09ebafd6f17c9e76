//! Frames on their way to the link.

use std::{collections::VecDeque, pin::Pin};

use crate::network::{LinkSender, SendError};

type Sending = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send>>;

/// Frames that the link has no room for yet, in order. What puts them here is bounded: a session answers about half a MiB ahead, the driver
/// stops pushing news at one, and everything else is small.
pub(super) struct Outgoing {
    link: LinkSender,
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    sending: Option<(usize, Sending)>,
}

impl Outgoing {
    pub(super) const fn new(link: LinkSender) -> Self {
        Self {
            link,
            waiting: VecDeque::new(),
            bytes: 0,
            sending: None,
        }
    }

    pub(super) fn push(&mut self, frame: Vec<u8>) {
        self.bytes += frame.len();
        self.waiting.push_back(frame);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.sending.is_none()
    }

    /// Bytes that wait, the frame under way included.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Sends one frame. May be dropped and called again: no frame is lost or sent twice.
    pub(super) async fn send(&mut self) -> Result<(), SendError> {
        if self.sending.is_none()
            && let Some(frame) = self.waiting.pop_front()
        {
            let link = self.link.clone();
            let length = frame.len();
            let sending: Sending = Box::pin(async move { link.send(frame).await });
            self.sending = Some((length, sending));
        }
        if let Some((length, sending)) = &mut self.sending {
            let sent = sending.as_mut().await;
            self.bytes -= *length;
            self.sending = None;
            sent?;
        }
        Ok(())
    }
}
