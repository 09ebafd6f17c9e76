//! Durability, read from a system call trace: nothing leaves a daemon before the write-ahead log's sync has returned.
//!
//! strace writes its lines in the order in which the traced threads stopped, so that what stands later in the file did not happen before.
//! For each request on the admin socket, [`judge`] looks for this order: the request is read · the log is written · a sync of that log
//! begins and returns 0 · the reply is written. No push, that is no large send to another machine, may begin between the first and the
//! third.

use std::{collections::HashMap, path::Path};

/// Larger sends to other nodes carry records: a sealed record has more bytes, a ping and an acknowledgement fewer.
const PUSH: i64 = 500;

/// The arguments that make strace write what [`judge`] reads. `-D` leaves the daemon our direct child.
pub fn arguments(file: &Path) -> Vec<String> {
    let calls = "trace=read,recvfrom,recvmsg,readv,write,writev,pwrite64,sendto,sendmsg,sendmmsg,fdatasync,fsync";
    let words = [
        "-D",
        "-f",
        "-yy",
        "-s",
        "400",
        "-e",
        calls,
        "-e",
        "signal=none",
        "-o",
    ];
    let mut words = words.map(str::to_owned).to_vec();
    words.push(file.display().to_string());
    words
}

/// What a trace showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Requests whose reply came after a sync of their own.
    pub replies: usize,
    /// Large sends to other nodes after such a sync, and before the next request was read.
    pub pushes: usize,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The trace does not show what must be judged.
    #[error("the trace does not show how request {0} was read and answered")]
    Unseen(u64),
    /// The reply left although no sync had returned.
    #[error("request {0} was answered before a sync of the log had returned")]
    Unsynced(u64),
    /// Something large left for another node.
    #[error(
        "{bytes} bytes left for another node before the sync of request {request} had returned"
    )]
    Pushed {
        /// The request.
        request: u64,
        /// How much.
        bytes: i64,
    },
}

/// One system call, from the line where it began to the line where it ended.
#[derive(Debug)]
struct Call<'a> {
    name: &'a str,
    arguments: &'a str,
    begun: usize,
    ended: usize,
    result: i64,
}

impl Call<'_> {
    fn reads(&self) -> bool {
        matches!(self.name, "read" | "recvfrom" | "recvmsg" | "readv")
    }

    fn syncs(&self) -> bool {
        matches!(self.name, "fdatasync" | "fsync")
    }

    fn sends(&self) -> bool {
        !self.reads() && !self.syncs()
    }

    /// What strace shows as the first argument: `27</data/000004.log>`.
    fn file(&self) -> &str {
        let end = match self.arguments.find(">,") {
            Some(end) => end + 1,
            None => self.arguments.trim_end_matches(')').len(),
        };
        &self.arguments[..end]
    }

    fn is_log(&self) -> bool {
        self.file().ends_with(".log>")
    }

    /// A socket to another node. Where strace cannot tell sockets apart, every socket counts.
    fn is_outward(&self) -> bool {
        ["<TCP", "<UDP", "<socket:["]
            .iter()
            .any(|kind| self.file().contains(kind))
    }
}

/// Judges the requests with these numbers, which were made one after the other.
///
/// # Errors
/// The first [`Fault`].
pub fn judge(trace: &str, requests: &[u64]) -> Result<Judged, Fault> {
    let calls = calls(trace);
    let mut judged = Judged::default();
    for (place, request) in requests.iter().enumerate() {
        let asked = format!("{{\\\"id\\\":{request},");
        let answered = format!("{{\\\"id\\\":{request},\\\"outcome\\\"");
        let read = calls
            .iter()
            .find(|call| call.reads() && call.arguments.contains(&asked));
        let reply = calls
            .iter()
            .find(|call| call.sends() && call.arguments.contains(&answered));
        let (Some(read), Some(reply)) = (read, reply) else {
            return Err(Fault::Unseen(*request));
        };
        let sync = sync_between(&calls, read, reply).ok_or(Fault::Unsynced(*request))?;
        let pushes = |from: usize, to: usize| {
            calls.iter().filter(move |call| {
                call.sends()
                    && call.is_outward()
                    && call.result > PUSH
                    && (from..to).contains(&call.begun)
            })
        };
        if let Some(push) = pushes(read.ended, sync.ended).next() {
            return Err(Fault::Pushed {
                request: *request,
                bytes: push.result,
            });
        }
        judged.replies += 1;
        let next = requests.get(place + 1).and_then(|next| {
            let asked = format!("{{\\\"id\\\":{next},");
            calls
                .iter()
                .find(|call| call.reads() && call.arguments.contains(&asked))
        });
        judged.pushes += pushes(sync.ended, next.map_or(usize::MAX, |next| next.begun)).count();
    }
    Ok(judged)
}

/// The first sync that covers a write to the log made after the request was read, and that returned before the reply began.
fn sync_between<'a>(
    calls: &'a [Call<'a>],
    read: &Call<'_>,
    reply: &Call<'_>,
) -> Option<&'a Call<'a>> {
    let written = calls
        .iter()
        .filter(|call| call.sends() && call.is_log() && call.begun > read.ended);
    let syncs = written.filter_map(|write| {
        calls.iter().find(|sync| {
            sync.syncs()
                && sync.result == 0
                && sync.file() == write.file()
                && sync.begun > write.ended
                && sync.ended < reply.begun
        })
    });
    syncs.min_by_key(|sync| sync.ended)
}

/// All calls that ended, joined where strace had to break them.
fn calls(trace: &str) -> Vec<Call<'_>> {
    let mut open: HashMap<(&str, &str), (&str, usize)> = HashMap::new();
    let mut calls = Vec::new();
    for (number, line) in trace.lines().enumerate() {
        let Some((pid, rest)) = line.trim_start().split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let Some((name, rest)) = resumed.split_once(" resumed>") else {
                continue;
            };
            let Some((begun_with, begun)) = open.remove(&(pid, name)) else {
                continue;
            };
            let Some((shown, result)) = result_of(rest) else {
                continue;
            };
            // What was read is only known at the end; what was written, at the beginning.
            let arguments = if begun_with.contains('"') || shown.len() < 3 {
                begun_with
            } else {
                shown
            };
            calls.push(Call {
                name,
                arguments,
                begun,
                ended: number,
                result,
            });
        } else if let Some((name, arguments)) = rest.split_once('(') {
            if let Some(unfinished) = arguments.strip_suffix(" <unfinished ...>") {
                open.insert((pid, name), (unfinished, number));
            } else if let Some((arguments, result)) = result_of(arguments) {
                calls.push(Call {
                    name,
                    arguments,
                    begun: number,
                    ended: number,
                    result,
                });
            }
        }
    }
    calls.sort_by_key(|call| call.begun);
    calls
}

/// Splits `…) = 0` or `…) = -1 EAGAIN (…)`.
fn result_of(text: &str) -> Option<(&str, i64)> {
    let (arguments, result) = text.rsplit_once(" = ")?;
    let number = result.split_whitespace().next()?;
    Some((arguments.trim_end(), number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = r#"7 recvfrom(20<UNIX-STREAM:[1->2]>, "\0\0\0\213{\"id\":9,\"call\":{\"note-add\"", 4096, 0, NULL, NULL) = 143"#;
    const WRITE: &str = r#"8 write(11</d/rocksdb/000004.log>, "abc", 700) = 700"#;
    const SYNC: &str = r#"8 fdatasync(11</d/rocksdb/000004.log>) = 0"#;
    const REPLY: &str = r#"7 sendto(20<UNIX-STREAM:[1->2]>, "\0\0\1\0{\"id\":9,\"outcome\":{\"done\"", 260, MSG_NOSIGNAL, NULL, 0) = 260"#;
    const PUSH_OUT: &str = r#"9 sendto(30<TCP:[127.0.0.1:1->127.0.0.1:2]>, "\27\3\3", 900, MSG_NOSIGNAL, NULL, 0) = 900"#;

    fn judged(lines: &[&str]) -> Result<Judged, Fault> {
        judge(&lines.join("\n"), &[9])
    }

    #[test]
    fn read_written_synced_answered_and_pushed_is_right() {
        let right = judged(&[READ, WRITE, SYNC, REPLY, PUSH_OUT]);
        assert_eq!(
            right,
            Ok(Judged {
                replies: 1,
                pushes: 1
            })
        );
        let right = judged(&[READ, WRITE, SYNC, PUSH_OUT, REPLY]);
        assert_eq!(
            right,
            Ok(Judged {
                replies: 1,
                pushes: 1
            })
        );
    }

    #[test]
    fn an_answer_without_a_sync_is_a_fault() {
        assert_eq!(judged(&[READ, WRITE, REPLY]), Err(Fault::Unsynced(9)));
        assert_eq!(judged(&[READ, WRITE, REPLY, SYNC]), Err(Fault::Unsynced(9)));
        // A sync that began before the write does not cover it.
        assert_eq!(judged(&[READ, SYNC, WRITE, REPLY]), Err(Fault::Unsynced(9)));
        let other = SYNC.replace("000004.log", "000005.sst");
        assert_eq!(
            judged(&[READ, WRITE, &other, REPLY]),
            Err(Fault::Unsynced(9))
        );
        let failed = SYNC.replace("= 0", "= -1 EIO (Input/output error)");
        assert_eq!(
            judged(&[READ, WRITE, &failed, REPLY]),
            Err(Fault::Unsynced(9))
        );
    }

    #[test]
    fn a_sync_that_has_not_returned_is_none() {
        let begun = "8 fdatasync(11</d/rocksdb/000004.log> <unfinished ...>";
        let ended = "8 <... fdatasync resumed>) = 0";
        let late = judged(&[READ, WRITE, begun, REPLY, ended]);
        assert_eq!(late, Err(Fault::Unsynced(9)));
        let pushed = judged(&[READ, WRITE, begun, PUSH_OUT, ended, REPLY]);
        assert_eq!(
            pushed,
            Err(Fault::Pushed {
                request: 9,
                bytes: 900
            })
        );
        let right = judged(&[READ, WRITE, begun, ended, REPLY]);
        assert_eq!(
            right,
            Ok(Judged {
                replies: 1,
                pushes: 0
            })
        );
    }

    #[test]
    fn a_read_that_was_broken_in_two_is_joined() {
        let begun = "7 recvfrom(20<UNIX-STREAM:[1->2]>,  <unfinished ...>";
        let ended =
            r#"7 <... recvfrom resumed>"\0\0\0\213{\"id\":9,\"call\"", 4096, 0, NULL, NULL) = 143"#;
        let right = judged(&[begun, ended, WRITE, SYNC, REPLY]);
        assert_eq!(
            right,
            Ok(Judged {
                replies: 1,
                pushes: 0
            })
        );
        assert_eq!(
            judged(&[begun, WRITE, SYNC, ended, REPLY]),
            Err(Fault::Unsynced(9))
        );
    }

    #[test]
    fn a_trace_without_the_request_shows_nothing() {
        assert_eq!(judged(&[WRITE, SYNC, PUSH_OUT]), Err(Fault::Unseen(9)));
    }
}
