//! Every command explains itself, and its examples work.

use clap::{Command, CommandFactory, Parser};

use crate::{EXIT_CODES, arguments::Arguments};

/// Words as a shell splits them, redirections left out. Only single quotes, which is all that the examples use.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    if let Some(end) = words.iter().position(|word| word == "<" || word == ">") {
        words.truncate(end);
    }
    words
}

/// The example lines of a help text, from `maillonctl` on.
fn examples(command: &Command) -> Vec<String> {
    let help = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    help.strip_prefix("Example:\n")
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            line.find("maillonctl")
                .map(|start| line[start..].to_owned())
        })
        .collect()
}

fn walk(command: &Command, path: &[&str], seen: &mut usize) {
    let examples = examples(command);
    let name = path.join(" ");
    assert!(!examples.is_empty(), "`{name}` has no example");
    assert!(command.get_about().is_some(), "`{name}` has no explanation");
    for example in &examples {
        let words = words(example);
        assert!(
            words.iter().zip(path).all(|(word, part)| word == part),
            "`{example}` is no example of `{name}`"
        );
        if let Err(error) = Arguments::try_parse_from(&words) {
            panic!("`{example}` does not parse: {error}");
        }
        *seen += 1;
    }
    for inner in command.get_subcommands() {
        let mut path = path.to_vec();
        path.push(inner.get_name());
        walk(inner, &path, seen);
    }
}

#[test]
fn every_command_has_an_example_that_parses() {
    Arguments::command().debug_assert();
    let mut seen = 0;
    walk(&Arguments::command(), &["maillonctl"], &mut seen);
    assert!(seen > 50, "only {seen} examples were found");
}

#[test]
fn every_command_of_the_issue_is_there() {
    let wanted = "status|doctor|peer invite|peer accept|peer confirm|peer reject|peer list|peer show|peer test|peer retry|peer suspend\
        |peer resume|peer end|peer replace|professional add|professional list|consent record|circle open|circle list|circle show|circle invite\
        |circle accept|circle decline|circle remove|circle replace|circle rotate|circle close|circle reopen|circle leave|circle request|circle requests|circle grant|circle refuse|circle withdraw|circle hand-over|circle deputies|circle continue|circle confirm|circle invitations|circle candidates|alert send\
        |alert answer|alert list|note add|watch|record list|record show|record export|record verify|import|outbox|worker list|worker set\
        |sync check|sync rebuild|keys show|keys rotate|keys revoke|checkpoint|audit list|audit verify|document add|document save";
    for path in wanted.split('|') {
        let mut command = Arguments::command();
        for name in path.split(' ') {
            command = command
                .find_subcommand(name)
                .unwrap_or_else(|| panic!("`{path}` is missing"))
                .clone();
        }
    }
}

#[test]
fn the_long_help_lists_the_exit_codes() {
    let help = Arguments::command().render_long_help().to_string();
    for line in EXIT_CODES.lines() {
        let code: String = line.chars().take(4).collect();
        assert!(help.contains(code.trim()), "{line}");
    }
    assert!(help.contains("Exit codes:"));
}

#[test]
fn who_accepts_an_invitation_says_exactly_once_whether_the_person_is_known() {
    let accept = ["maillonctl", "circle", "accept", "e81c"];
    let parses = |more: &[&str]| Arguments::try_parse_from(accept.iter().chain(more)).is_ok();
    assert!(parses(&["--new-person"]));
    assert!(parses(&["--same-as", "5f3a"]));
    assert!(!parses(&[]));
    assert!(!parses(&["--new-person", "--same-as", "5f3a"]));
}

#[test]
fn values_out_of_range_are_refused_before_anybody_is_asked() {
    for wrong in [
        "worker set verify --tranquillity 1001",
        "circle list --limit 201",
        "record list 5f3a --limit 0",
        "alert list --limit 201",
        "circle invite 5f3a x --past some",
        "alert send 5f3a x --within 0s",
        "alert send 5f3a x --within soon",
        "circle open --birth-name A --given-name B --birth-date 12/05/1938",
        "circle open --birth-name A",
        "circle close 5f3a --reason boredom",
        "circle reopen 5f3a",
        "circle deputies 5f3a",
        "circle deputies 5f3a x --none",
    ] {
        let words = format!("maillonctl {wrong}");
        assert!(
            Arguments::try_parse_from(words.split(' ')).is_err(),
            "{wrong}"
        );
    }
}
