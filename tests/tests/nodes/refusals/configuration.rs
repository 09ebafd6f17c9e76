//! A configuration that cannot be used: file, field and what the field takes.

use std::fs;

use maillon_tests::daemon::{Settings, Trouble};

use super::{USAGE, is_refused, read, still_works, stopped, write};
use crate::{Story, folder};

/// What is put in the place of what, and the words of the refusal beside the file's name.
const WRONG: [(&str, &str, &[&str]); 19] = [
    // unknown
    (
        "[network]",
        "[network]\nlisten_to = 1",
        &["line", "unknown field `listen_to`", "`listen`"],
    ),
    (
        "[network]",
        "[netvork]",
        &["line", "unknown field `netvork`", "`network`"],
    ),
    (
        "kind = \"dac\"",
        "kind = \"clinic\"",
        &["kind = ", "unknown variant `clinic`", "`cpts`"],
    ),
    // of the wrong type
    ("[structure]\n", "[structure\n", &["line 1"]),
    (
        "care_commands = true",
        "care_commands = \"yes\"",
        &["care_commands", "a boolean"],
    ),
    (
        "[network]",
        "[network]\nlongest_wait_s = \"long\"",
        &["longest_wait_s", "maillond config"],
    ),
    (
        "[network]",
        "[network]\nlongest_wait_s = -1",
        &["longest_wait_s", "`-1`", "maillond config"],
    ),
    (
        "name = \"DAC du Pays de Caux\"",
        "name = [\"a\", \"b\"]",
        &["name", "a string"],
    ),
    // missing
    (
        "name = \"DAC du Pays de Caux\"",
        "",
        &["structure.name", "missing"],
    ),
    // out of range
    (
        "name = \"DAC du Pays de Caux\"",
        "name = \" \"",
        &["structure.name", "1 to 200"],
    ),
    (
        "finess = \"\"",
        "finess = \"76\"",
        &["structure.finess", "nine characters"],
    ),
    (
        "[keys]",
        "[keys]\nreceive_key_days = 29",
        &["keys.receive_key_days", "29", "30 to 730"],
    ),
    (
        "[network]",
        "[network]\nlongest_wait_s = 4",
        &["network.longest_wait_s", "4", "5 to 3600"],
    ),
    (
        "[network]",
        "[network]\nlongest_wait_urgent_s = 61",
        &["network.longest_wait_urgent_s", "61", "1 to 60"],
    ),
    (
        "[network]",
        "[network]\ncompare_every_s = 0",
        &["network.compare_every_s", "0", "1 to 3600"],
    ),
    (
        "pairing_listen = [",
        "pairing_listen = [\"somewhere\", ",
        &["network.pairing_listen", "somewhere", "/ip4/"],
    ),
    (
        "listen = \"127.0.0.1:0\"",
        "listen = \"0.0.0.0:4080\"",
        &["http.listen", "loopback"],
    ),
    (
        "[http]",
        "[log]\nformat = \"xml\"\n[http]",
        &["log.format", "\"text\" or \"json\""],
    ),
    (
        "[http]",
        "[log]\nfilter = \"info,=,\"\n[http]",
        &["log.filter", "info,maillon_node=debug"],
    ),
];

#[test]
fn a_wrong_configuration_is_refused_with_its_file_its_field_and_what_the_field_takes() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path(), Settings::dac())?;
    let path = daemon.configuration();
    let right = String::from_utf8_lossy(&read(&path)?).into_owned();
    for (from, to, words) in WRONG {
        let wrong = right.replacen(from, to, 1);
        if wrong == right {
            return Err(Trouble::wrong(format!(
                "{from:?} is not in the configuration"
            )));
        }
        write(&path, wrong)?;
        is_refused(&daemon, USAGE, &["maillon.toml"])?;
        is_refused(&daemon, USAGE, words)?;
    }
    write(&path, [0xff, 0xfe])?;
    is_refused(&daemon, USAGE, &["maillon.toml", "utf-8"])?;
    fs::remove_file(&path).map_err(Trouble::io("the configuration"))?;
    is_refused(&daemon, USAGE, &["maillon.toml", "maillond init", "--dir"])?;
    still_works(daemon)
}
