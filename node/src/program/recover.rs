//! `maillond init --recover`: a new node in the place of one whose machine was stolen or lost, by the recovery key from the safe.
//!
//! The key is typed on the terminal without being shown, or comes from a file or a pipe: never from the command line, which other users of the
//! machine can read.

use std::{
    fs,
    io::{self, IsTerminal, Read},
    path::Path,
};

use maillon_node::founding::{Founded, InPlaceOf};
use maillon_protocol::{identity::recovery_hash, ids::NodeId, keys::NodeKey};
use zeroize::Zeroizing;

use super::{Failure, Init, USAGE, init::on_paper, shell};

/// More than a key takes, with every group on a line of its own.
const LONGEST: u64 = 1024;

/// Whose place is taken, with the key that says so.
pub(super) fn in_place_of(old: &str, init: &Init) -> Result<InPlaceOf, Failure> {
    let old: NodeId = old.trim().parse().map_err(|error| {
        Failure::new(
            USAGE,
            format!("--recover takes the name of the node that is replaced: {error}; it stands on the paper with the key, and your peers see it in `maillonctl peer list`"),
        )
    })?;
    Ok(InPlaceOf {
        old,
        recovery: held(init.recovery_key.as_deref())?,
        another: init.new_recovery_key,
    })
}

/// The recovery key from paper: from a file, or from the terminal, or from standard input where that is none.
pub(super) fn held(file: Option<&Path>) -> Result<NodeKey, Failure> {
    let text = match file {
        Some(path) => from(path)?,
        None if io::stdin().is_terminal() => Zeroizing::new(
            rpassword::prompt_password("Recovery key (not shown): ").map_err(|error| {
                Failure::new(77, format!("the key cannot be asked for: {error}"))
            })?,
        ),
        None => read(io::stdin(), "standard input")?,
    };
    key(&text)
}

fn from(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let named = path.display().to_string();
    let file = fs::File::open(path).map_err(|error| {
        Failure::new(
            77,
            format!("the recovery key in {named} cannot be read: {error}"),
        )
    })?;
    read(file, &named)
}

fn read(source: impl Read, named: &str) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = source.take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| {
        Failure::new(
            77,
            format!("the recovery key on {named} cannot be read: {error}"),
        )
    })?;
    Ok(text)
}

/// The key as it stands on paper: 52 letters and digits, in groups or not, in capitals or not.
fn key(text: &str) -> Result<NodeKey, Failure> {
    let typed = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '-');
    let typed: Zeroizing<String> = Zeroizing::new(typed.collect::<String>().to_ascii_uppercase());
    let wrong = || {
        Failure::new(
            USAGE,
            format!(
                "a recovery key is 52 letters A to Z and digits 2 to 7, as `maillond init` printed it; this has {} signs, or others among them",
                typed.chars().count()
            ),
        )
    };
    let seed = data_encoding::BASE32_NOPAD.decode(typed.as_bytes());
    let seed = Zeroizing::new(seed.map_err(|_| wrong())?);
    let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| wrong())?;
    Ok(NodeKey::from_seed(seed))
}

/// What is said once the node is made.
pub(super) fn told(init: &Init, founded: &Founded, before: &InPlaceOf) -> String {
    let paper = if before.another {
        format!(
            "It has another recovery key. Write both on paper, keep it in a safe, and destroy the old paper once your peers have confirmed:\n\n{}\n",
            on_paper(founded)
        )
    } else {
        format!(
            "The recovery key on your paper stays the same. Write the new name beside it:\n\n    node          {}\n",
            founded.node
        )
    };
    format!(
        "The node of {name} is ready in {folder}. It stands in the place of\n\n    {old}\n\n{paper}\n\
         Its statement counts with your peers if the recovery key that you typed has the SHA-256\n\n    {hash}\n\n\
         as `maillonctl peer show` shows it for the old node at each of them. Ask one before you go on: a mistyped letter is another key.\n\n\
         Pair this node anew with each peer and compare the words. Each peer's administrator then says `maillonctl peer replace OLD --by NEW --circles`,\n\
         and the files come back to this node from those circles.\n\n",
        name = init.name,
        folder = shell::whole(&init.dir).display(),
        old = before.old,
        hash = recovery_hash(&before.recovery.id()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_whatever_its_groups_and_its_capitals() {
        let written = data_encoding::BASE32_NOPAD.encode(&[0xa7; 32]);
        let wanted = NodeKey::from_seed(&[0xa7; 32]).id();
        let groups: Vec<String> = written
            .as_bytes()
            .chunks(4)
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect();
        for typed in [
            written.clone(),
            groups.join(" "),
            groups.join("-\n").to_lowercase(),
        ] {
            assert_eq!(
                key(&typed).ok().map(|key| key.id()),
                Some(wanted),
                "{typed}"
            );
        }
        for wrong in [
            "",
            "A",
            &written[1..],
            &format!("{written}A"),
            &written.replace('A', "1"),
        ] {
            let Err(refused) = key(wrong) else {
                // No letter was changed where the key has none of them.
                assert_eq!(wrong, written);
                continue;
            };
            assert_eq!(refused.code, USAGE);
            // A single letter stands in many a sentence.
            assert!(
                wrong.len() < 8 || !refused.sentence.contains(wrong),
                "a key is not repeated"
            );
        }
    }
}
