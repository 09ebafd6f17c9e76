//! Frames on a stream: four bytes of length, most significant first, then that many bytes.
//!
//! A length beyond the limit is refused before anything is allocated, and a frame's memory grows only with what has arrived. Between
//! frames a reader waits without end; in the middle of one, and while writing, `stall` without a byte is the end.

use std::{io, time::Duration};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Most bytes that are read or written at one time.
const PIECE: usize = 64 << 10;

/// Why no frame was read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The other side announced more than the limit.
    #[error("a frame is limited to {limit} bytes, this one has {announced}")]
    TooLong {
        /// What the length field says.
        announced: usize,
        /// What is allowed.
        limit: usize,
    },
    /// The other side takes nothing.
    #[error("nothing could be written for too long")]
    WriteStalled,
    /// The other side began a frame and does not go on.
    #[error("a frame was begun and not continued for too long")]
    ReadStalled,
    /// The stream broke.
    #[error("the stream broke: {0}")]
    Broken(io::ErrorKind),
}

/// Reads the length of the next frame; nothing where the other side has ended the stream between two frames.
pub(super) async fn read_length<R: AsyncRead + Unpin>(
    from: &mut R,
    limit: usize,
    stall: Duration,
) -> Result<Option<usize>, FrameError> {
    let mut length = [0; 4];
    let first = from.read(&mut length).await.map_err(broken)?;
    if first == 0 {
        return Ok(None);
    }
    timeout(stall, from.read_exact(&mut length[first..]))
        .await
        .map_err(|_| FrameError::ReadStalled)?
        .map_err(broken)?;
    let announced = u32::from_be_bytes(length) as usize;
    if announced > limit {
        return Err(FrameError::TooLong { announced, limit });
    }
    Ok(Some(announced))
}

/// Reads the bytes of a frame.
pub(super) async fn read_body<R: AsyncRead + Unpin>(
    from: &mut R,
    length: usize,
    stall: Duration,
) -> Result<Vec<u8>, FrameError> {
    let mut body = Vec::new();
    while body.len() < length {
        let begin = body.len();
        body.resize(length.min(begin + PIECE), 0);
        let mut filled = begin;
        while filled < body.len() {
            let read = timeout(stall, from.read(&mut body[filled..]))
                .await
                .map_err(|_| FrameError::ReadStalled)?
                .map_err(broken)?;
            if read == 0 {
                return Err(FrameError::Broken(io::ErrorKind::UnexpectedEof));
            }
            filled += read;
        }
    }
    Ok(body)
}

/// Writes a frame, without flushing.
pub(super) async fn write_frame<W: AsyncWrite + Unpin>(
    to: &mut W,
    frame: &[u8],
    stall: Duration,
) -> Result<(), FrameError> {
    let length = u32::try_from(frame.len()).map_err(|_| FrameError::TooLong {
        announced: frame.len(),
        limit: u32::MAX as usize,
    })?;
    // Length and beginning go together: one packet for a short frame.
    let (begin, rest) = frame.split_at(frame.len().min(PIECE));
    let mut head = Vec::with_capacity(4 + begin.len());
    head.extend_from_slice(&length.to_be_bytes());
    head.extend_from_slice(begin);
    write_pieces(to, &head, stall).await?;
    write_pieces(to, rest, stall).await
}

async fn write_pieces<W: AsyncWrite + Unpin>(
    to: &mut W,
    mut bytes: &[u8],
    stall: Duration,
) -> Result<(), FrameError> {
    while !bytes.is_empty() {
        let piece = &bytes[..bytes.len().min(PIECE)];
        let written = timeout(stall, to.write(piece))
            .await
            .map_err(|_| FrameError::WriteStalled)?
            .map_err(broken)?;
        if written == 0 {
            return Err(FrameError::Broken(io::ErrorKind::WriteZero));
        }
        bytes = &bytes[written..];
    }
    Ok(())
}

/// Hands everything written to the transport.
pub(super) async fn flush<W: AsyncWrite + Unpin>(
    to: &mut W,
    stall: Duration,
) -> Result<(), FrameError> {
    timeout(stall, to.flush())
        .await
        .map_err(|_| FrameError::WriteStalled)?
        .map_err(broken)
}

fn broken(error: io::Error) -> FrameError {
    FrameError::Broken(error.kind())
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;

    use super::*;

    const STALL: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_frame_is_read_as_it_was_written() {
        for length in [0, 1, PIECE - 1, PIECE, 3 * PIECE + 7] {
            let frame = vec![0x5a; length];
            let mut wire = Vec::new();
            write_frame(&mut wire, &frame, STALL)
                .await
                .expect("a vector takes it");
            assert_eq!(wire.len(), 4 + length);
            let mut wire = Cursor::new(wire);
            let announced = read_length(&mut wire, 1 << 20, STALL).await;
            assert_eq!(announced, Ok(Some(length)));
            assert_eq!(read_body(&mut wire, length, STALL).await, Ok(frame));
            assert_eq!(read_length(&mut wire, 1 << 20, STALL).await, Ok(None));
        }
    }

    #[tokio::test]
    async fn a_length_beyond_the_limit_is_refused_from_its_four_bytes() {
        let mut wire = Cursor::new(vec![0, 0x10, 0, 1]);
        assert_eq!(
            read_length(&mut wire, 1 << 20, STALL).await,
            Err(FrameError::TooLong {
                announced: (1 << 20) + 1,
                limit: 1 << 20
            })
        );
    }

    #[tokio::test]
    async fn a_frame_that_breaks_off_is_no_frame() {
        let mut length = Cursor::new(vec![0, 0]);
        let eof = Err(FrameError::Broken(io::ErrorKind::UnexpectedEof));
        assert_eq!(
            read_length(&mut length, 1 << 20, STALL).await.map(|_| ()),
            eof
        );
        let mut body = Cursor::new(vec![7; 9]);
        assert_eq!(read_body(&mut body, 10, STALL).await.map(|_| ()), eof);
    }

    #[tokio::test]
    async fn a_reader_waits_between_frames_and_not_within_one() {
        struct Silent(Vec<u8>);
        impl AsyncRead for Silent {
            fn poll_read(
                mut self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
                into: &mut [u8],
            ) -> std::task::Poll<io::Result<usize>> {
                if self.0.is_empty() {
                    return std::task::Poll::Pending;
                }
                into[0] = self.0.remove(0);
                std::task::Poll::Ready(Ok(1))
            }
        }
        let stall = Duration::from_millis(5);
        let within = read_length(&mut Silent(vec![0]), 9, stall).await;
        assert_eq!(within, Err(FrameError::ReadStalled));
        let body = read_body(&mut Silent(vec![0]), 9, stall).await;
        assert_eq!(body, Err(FrameError::ReadStalled));
        let mut silent = Silent(Vec::new());
        let between = timeout(stall * 20, read_length(&mut silent, 9, stall)).await;
        assert!(between.is_err(), "still waiting");
    }
}
