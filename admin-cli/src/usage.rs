//! A command line that is not well formed, as programs are told of it: in the form of every other failure.
//!
//! People get clap's own text, which shows how the command is typed. Whoever asked for JSON gets one line of it, and nothing else.

use std::ffi::OsString;

use clap::error::ErrorKind;

use crate::failure::Failure;

/// Whether these words ask for JSON, where they could not be understood as a whole. What follows `--` is never an option.
pub(crate) fn asks_for_json(words: &[OsString]) -> bool {
    words
        .iter()
        .take_while(|word| *word != "--")
        .any(|word| word == "--json")
}

/// What clap found, as a failure: its first paragraph is the cause, its tips and its usage are what to do.
pub(crate) fn failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(on_one_line);
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let usage = paragraphs.find(|paragraph| paragraph.starts_with("Usage:"));
        return Failure::Usage {
            cause: "the command is not complete".to_owned(),
            action: usage.unwrap_or_else(help),
        };
    }
    let first = paragraphs.next().unwrap_or_default();
    let cause = first.strip_prefix("error: ").unwrap_or(&first).to_owned();
    let rest: Vec<String> = paragraphs
        .filter(|paragraph| !paragraph.is_empty() && !paragraph.starts_with("For more information"))
        .collect();
    let action = if rest.is_empty() {
        help()
    } else {
        rest.join("; ")
    };
    Failure::Usage { cause, action }
}

fn on_one_line(paragraph: &str) -> String {
    let words: Vec<_> = paragraph.split_whitespace().collect();
    words.join(" ")
}

fn help() -> String {
    "Try the command with --help.".to_owned()
}
