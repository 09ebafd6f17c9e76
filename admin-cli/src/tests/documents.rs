//! Which files are taken as documents.

use std::{fs, path::Path, process::Command};

use maillon_protocol::{
    admin::{Answer, Call, DocumentBytes, DocumentState, FileState, Outcome, Upload},
    ids::{Hash, RecordId, Token},
    limits,
};

use super::{Ran, daemon::Daemon, maillonctl};

/// Adds a file where no daemon is: what is refused here was refused before anything was asked.
fn add(file: &Path) -> Ran {
    let file = file.to_str().expect("a path");
    let words = ["document", "add", file, "--circle", "5f3a", "--as", "7b21"];
    maillonctl(Path::new("/nowhere/admin.sock"), &words, None)
}

#[test]
fn what_is_not_a_regular_file_is_refused_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("letter.pdf");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    for file in [pipe.as_path(), Path::new("/dev/zero"), folder.path()] {
        let ran = add(file);
        assert_eq!(ran.code, 64, "{}", ran.notes);
        assert!(ran.notes.contains("is not a regular file"), "{}", ran.notes);
    }
}

#[test]
fn an_empty_file_and_one_byte_too_many_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("letter.pdf");
    fs::write(&file, b"").expect("a file");
    let ran = add(&file);
    assert_eq!(ran.code, 64, "{}", ran.notes);
    assert!(ran.notes.contains("is empty"), "{}", ran.notes);

    let long = fs::File::create(&file).expect("a file");
    long.set_len(limits::ATTACHMENT + 1).expect("a long file");
    assert_eq!(add(&file).code, 78);
}

#[test]
fn a_file_whose_metadata_says_nothing_is_read_to_its_end() {
    let daemon = Daemon::answering(|_| {
        Outcome::Done(Answer::Upload(Upload {
            upload: Token([1; 16]),
            received: 0,
        }))
    });
    // The kernel gives this regular file the length 0.
    let words = ["document", "add", "/proc/self/status", "--circle", "5f3a"];
    maillonctl(&daemon.socket(), &words, None);
    let asked = daemon.end();
    assert!(
        matches!(&asked[0].call, Call::DocumentAdd { length, .. } if *length > 0),
        "{:?}",
        asked[0].call
    );
}

/// A daemon with a document whose file is not the one that its record names.
fn another_file() -> Daemon<Vec<maillon_protocol::admin::Request>> {
    Daemon::answering(|call| {
        Outcome::Done(match call {
            Call::DocumentShow { .. } => Answer::Document(DocumentState {
                record: RecordId([0x9c; 32]),
                bytes: 4,
                chunks: (1, 1),
                complete: true,
                files: vec![FileState {
                    name: "letter.pdf".to_owned(),
                    media_type: "application/pdf".to_owned(),
                    bytes: 4,
                    sha256: Hash([7; 32]),
                    chunks: (1, 1),
                    complete: true,
                }],
            }),
            _ => Answer::DocumentBytes(DocumentBytes {
                bytes: "JVBERg==".to_owned(),
                next: None,
            }),
        })
    })
}

#[test]
fn a_file_that_is_not_the_one_of_its_record_is_not_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("letter.pdf");
    let daemon = another_file();
    let words = ["document", "save", "9c9c", to.to_str().expect("a path")];
    let ran = maillonctl(&daemon.socket(), &words, None);
    assert_eq!(ran.code, 74, "{}", ran.notes);
    let left = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "something was left behind");
}

#[test]
fn a_document_is_not_saved_to_standard_output() {
    let daemon = another_file();
    let ran = maillonctl(&daemon.socket(), &["document", "save", "9c9c", "-"], None);
    assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{}", ran.notes);
    assert!(ran.notes.contains("Name a new file"), "{}", ran.notes);
    assert!(!Path::new("-").exists());
}
