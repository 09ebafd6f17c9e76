//! What the handshake offers, read from the wire.

mod network;

use std::process::Command;

use maillon_node::network::{NetworkError, refuse_key_log};
use network::{Node, node, quick, soon};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// X25519MLKEM768, as registered with IANA.
const HYBRID: u16 = 0x11ec;
const SUPPORTED_GROUPS: u16 = 10;
const SUPPORTED_VERSIONS: u16 = 43;
const KEY_SHARE: u16 = 51;

/// A position in bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn number(&mut self, bytes: usize) -> usize {
        let digits = self.take(bytes).iter();
        digits.fold(0, |number, byte| number << 8 | usize::from(*byte))
    }

    /// A part that is preceded by its length in so many bytes.
    fn part(&mut self, bytes: usize) -> Reader<'a> {
        let length = self.number(bytes);
        Reader(self.take(length))
    }
}

/// Answers one line of the negotiation that stands before TLS: the same back.
async fn agree(stream: &mut TcpStream) -> String {
    let length = stream.read_u8().await.expect("a length");
    let mut line = vec![0; usize::from(length)];
    stream.read_exact(&mut line).await.expect("a line");
    stream.write_u8(length).await.expect("written");
    stream.write_all(&line).await.expect("written");
    String::from_utf8(line).expect("text")
}

#[tokio::test]
async fn the_client_hello_offers_the_hybrid_exchange_first_and_tls_1_3_only() {
    let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = server.local_addr().expect("bound").port();
    let a = Node::start(1, &[2], quick(&[])).await;
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    let address = [address.parse().expect("an address")];
    a.handle.keep(node(2), &address).await.expect("kept");

    let (mut stream, _) = soon(server.accept()).await.expect("it dials");
    assert_eq!(soon(agree(&mut stream)).await, "/multistream/1.0.0\n");
    assert_eq!(soon(agree(&mut stream)).await, "/tls/1.0.0\n");
    let mut record = [0; 5];
    soon(stream.read_exact(&mut record))
        .await
        .expect("a record");
    assert_eq!(record[0], 22, "a handshake record");
    let mut hello = vec![0; usize::from(u16::from_be_bytes([record[3], record[4]]))];
    soon(stream.read_exact(&mut hello))
        .await
        .expect("all of it");

    let mut message = Reader(&hello);
    assert_eq!(message.number(1), 1, "a ClientHello");
    let mut body = message.part(3);
    body.take(2 + 32); // legacy version, random
    body.part(1); // session id
    body.part(2); // cipher suites
    body.part(1); // compression methods
    let mut extensions = body.part(2);
    let (mut groups, mut shares, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    while !extensions.0.is_empty() {
        let kind = extensions.number(2) as u16;
        let mut content = extensions.part(2);
        match kind {
            SUPPORTED_GROUPS => {
                let mut list = content.part(2);
                while !list.0.is_empty() {
                    groups.push(list.number(2) as u16);
                }
            }
            KEY_SHARE => {
                let mut list = content.part(2);
                while !list.0.is_empty() {
                    shares.push((list.number(2) as u16, list.part(2).0.len()));
                }
            }
            SUPPORTED_VERSIONS => {
                let mut list = content.part(1);
                while !list.0.is_empty() {
                    versions.push(list.number(2));
                }
            }
            _ => {}
        }
    }
    assert_eq!(groups.first(), Some(&HYBRID), "{groups:x?}");
    // 1184 bytes of ML-KEM-768 and 32 of X25519.
    assert_eq!(shares.first(), Some(&(HYBRID, 1184 + 32)), "{shares:x?}");
    assert_eq!(versions, [0x0304]);
}

/// Run by the test below in a process of its own, where the variable can be set.
#[test]
fn a_process_whose_environment_asks_for_tls_keys_is_refused() {
    if std::env::var_os("SSLKEYLOGFILE").is_some() {
        assert!(matches!(refuse_key_log(), Err(NetworkError::KeyLog)));
        return;
    }
    refuse_key_log().expect("nothing asks for keys here");
    let me = std::env::current_exe().expect("a path");
    let run = Command::new(me)
        .args([
            "--exact",
            "a_process_whose_environment_asks_for_tls_keys_is_refused",
        ])
        .env("SSLKEYLOGFILE", "")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}
