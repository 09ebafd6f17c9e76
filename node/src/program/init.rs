//! `maillond init`: makes a data folder, and says what to type next.

use std::{fs, io::Write, path::Path};

use maillon_node::{
    config::{self, FILE_NAME},
    founding::{Founded, FoundingError, found_in_place_of},
    keystore::{Unlock, create_key_file},
};

use super::{Failure, Init, USAGE, recover, shell, unlock};
use maillon_protocol::ids::NodeId;
use zeroize::Zeroizing;

/// The commented example with the given values in it.
fn configuration(init: &Init) -> String {
    let quote = |text: &str| toml_string(text);
    let mut text = config::example();
    let kind = maillon_protocol::descriptor::StructureKind::from(init.kind);
    let kind = serde_json::to_string(&kind).unwrap_or_default();
    let mut set = |commented: &str, line: String| {
        if let Some(found) = text
            .lines()
            .find(|line| line.trim_start_matches('#').starts_with(commented))
            .map(str::to_owned)
        {
            text = text.replacen(&found, &line, 1);
        }
    };
    set("name =", format!("name = {}", quote(&init.name)));
    set("kind =", format!("kind = {kind}"));
    if !init.finess.is_empty() {
        set("finess =", format!("finess = {}", quote(&init.finess)));
    }
    if let Some(path) = &init.key_file {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        set(
            "key_file =",
            format!("key_file = {}", quote(&path.to_string_lossy())),
        );
    }
    text
}

fn toml_string(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

impl From<FoundingError> for Failure {
    fn from(error: FoundingError) -> Self {
        let code = match error {
            FoundingError::NotEmpty(_) | FoundingError::Folder { .. } => 73,
            FoundingError::Config(_) | FoundingError::Statement(_) => USAGE,
            FoundingError::Keystore(cause) => return cause.into(),
        };
        Self::new(code, error)
    }
}

/// Makes keys and configuration; refuses a folder that holds something.
pub(super) fn init(init: &Init) -> Result<(), Failure> {
    if init.name.trim().is_empty() {
        return Err(Failure::new(
            USAGE,
            "a structure has a name: --name \"DAC du Ponant\"",
        ));
    }
    let before = match &init.recover {
        Some(old) => Some(recover::in_place_of(old, init)?),
        None => None,
    };
    let mut made = None;
    let unlock = match &init.key_file {
        Some(path) => {
            if !path.exists() {
                create_key_file(path).map_err(|error| Failure::new(73, error))?;
                made = Some(path);
            }
            Unlock::KeyFile(path.clone())
        }
        None => unlock::new_passphrase()?,
    };
    let founded = found_in_place_of(&init.dir, &unlock, &configuration(init), before.as_ref());
    if let (Err(_), Some(path)) = (&founded, made) {
        // A key that opens nothing is not left behind; where it stays, the next attempt uses it.
        let _ = fs::remove_file(path);
    }
    let founded = founded?;
    let dir = shell::whole(&init.dir);
    let text = match &before {
        Some(before) => recover::told(init, &founded, before),
        None => told(init, &founded),
    };
    let text = text + &next_steps(&dir, &founded);
    // It is shown once, so that even a reader that has gone is a failure.
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| {
        Failure::new(
            74,
            format!("the node was made, but its recovery key could not be shown ({error}): remove {} and begin again", dir.display()),
        )
    })
}

/// What is written on paper.
pub(super) fn on_paper(founded: &Founded) -> String {
    paper(&founded.node, &founded.recovery.seed())
}

/// A node's name, and a recovery key in groups of four.
pub(super) fn paper(node: &NodeId, seed: &[u8; 32]) -> String {
    let seed = Zeroizing::new(data_encoding::BASE32_NOPAD.encode(seed));
    let groups: Vec<&str> = seed
        .as_bytes()
        .chunks(4)
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    format!(
        "    node          {node}\n    recovery key  {}",
        groups.join(" ")
    )
}

fn told(init: &Init, founded: &Founded) -> String {
    format!(
        "The node of {name} is ready in {folder}.\n\n\
         Write its name and this recovery key on paper and keep it in a safe. It is shown once, and no other can ever be made:\n\n{paper}\n\n\
         Only with it can this structure get another identity if its machine is stolen (`maillond init --recover`).\n\n",
        name = init.name,
        folder = shell::whole(&init.dir).display(),
        paper = on_paper(founded),
    )
}

fn next_steps(dir: &Path, founded: &Founded) -> String {
    format!(
        "Read {config}: who is called when something is wrong, which addresses others dial. Then start the node:\n\n    \
             maillond run --dir {folder}\n\n\
         and administer it in another terminal:\n\n    \
             {export}\n    \
             maillonctl status\n",
        config = dir.join(FILE_NAME).display(),
        export = shell::export(&dir.join(&founded.config.admin.socket)),
        folder = shell::word(dir),
    )
}
