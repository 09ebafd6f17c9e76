//! The command line: what every command shares, and how typed values are read.

use std::path::PathBuf;

use clap::{
    Args, Parser,
    builder::{PossibleValuesParser, TypedValueParser},
};
use maillon_protocol::charter::Grant;
use serde::de::DeserializeOwned;

use crate::{commands::Command, failure::EXIT_CODES};

/// The administrator's command of a Maillon node.
///
/// It talks to the daemon maillond on the same machine. Circles, invitations, pairings, professionals and nodes may be named by the first 4
/// characters of their id or more, records by the first 12 or more, as long as they fit one only; peers also by the last characters of their
/// id, or by the name of their structure.
#[derive(Debug, Parser)]
#[command(
    name = "maillonctl",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Example:\n  maillonctl status",
    after_long_help = EXAMPLE_AND_CODES.as_str(),
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

static EXAMPLE_AND_CODES: std::sync::LazyLock<String> =
    std::sync::LazyLock::new(|| format!("Example:\n  maillonctl status\n\n{EXIT_CODES}"));

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Globals {
    /// The daemon's admin socket, or its data folder; without it, the usual places are tried: /run/maillon/admin.sock, then
    /// /var/lib/maillon/run/admin.sock
    #[arg(
        long,
        global = true,
        env = "MAILLON_SOCKET",
        value_name = "PATH",
        hide_env_values = true
    )]
    pub(crate) socket: Option<PathBuf>,
    /// Print answers and errors as JSON, one line for each
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The professional in whose name care content is read or written: their id at this node, or its first 4 digits or more
    #[arg(long = "as", global = true, value_name = "PROFESSIONAL")]
    pub(crate) actor: Option<String>,
}

/// Reads one of `words` as the protocol's type that has these words on the wire.
pub(crate) fn word<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words)
        .try_map(|word| serde_json::from_value(serde_json::Value::String(word)))
}

/// Reads how much of the past a new member may read.
pub(crate) fn grant(text: &str) -> Result<Grant, String> {
    match text {
        "nothing" => Ok(Grant::Nothing),
        "whole" => Ok(Grant::Whole),
        number => number
            .parse()
            .map(Grant::From)
            .map_err(|_| "say nothing, whole, or the number of the charter entry with which the first readable epoch began".to_owned()),
    }
}

/// Reads a duration such as `30m` or `2h` as seconds.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| u64::try_from(duration.as_secs()).ok())
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| "say a duration of at least a second, such as 30m, 2h or 1h30m".to_owned())
}
