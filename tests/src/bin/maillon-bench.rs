//! Measures the figures with real daemons and writes each as `NAME.json` into the folder that `MAILLON_FIGURES` names.
//!
//! ```text
//! maillon-bench [--records N] [--circles N] [NAME...]     NAME: only these figures
//! maillon-bench --curves                                  how they grow, instead: an hour
//! ```
//!
//! With another scale than 100,000 records in 1,000 circles nothing is written: the names promise that scale, and for the pages five times as many records in
//! twenty times as many files. Environment: `MAILLON_BIN`,
//! `MAILLON_FIGURES` (`target/figures`), `MAILLON_COMMIT`. Exit code 0 if all figures are within their goals, 1 if not or where one could not
//! be measured, 2 for a wrong command line.
#![forbid(unsafe_code)]

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use maillon_tests::{
    bench::{self, Figure, Scale},
    daemon::Trouble,
};

fn main() -> ExitCode {
    let folder = env::var_os("MAILLON_FIGURES")
        .filter(|folder| !folder.is_empty())
        .map_or_else(|| PathBuf::from("target/figures"), PathBuf::from);
    if env::args().skip(1).eq(["--curves"]) {
        return match grown(&folder) {
            Ok(()) => ExitCode::SUCCESS,
            Err(trouble) => {
                println!("FAIL {trouble}");
                ExitCode::FAILURE
            }
        };
    }
    let Some((scale, names)) = command_line(env::args().skip(1)) else {
        println!("usage: maillon-bench [--records N] [--circles N] [NAME...] | --curves");
        println!("figures: {}", bench::names().join(" "));
        return ExitCode::from(2);
    };
    match measured(scale, &names, &folder) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            println!("FAIL {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn temporary() -> Result<tempfile::TempDir, Trouble> {
    tempfile::Builder::new()
        .prefix("maillon-bench-")
        .tempdir()
        .map_err(Trouble::io("a temporary folder"))
}

/// Measures the curves.
fn grown(folder: &Path) -> Result<(), Trouble> {
    bench::curves::measure(temporary()?.path(), |curve| {
        println!("{} {:?}", curve.name, curve.points);
        curve.write(folder)
    })
}

/// Whether all are within their goals.
fn measured(scale: Scale, names: &[String], folder: &Path) -> Result<bool, Trouble> {
    let root = temporary()?;
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let mut within = true;
    bench::measure(root.path(), scale, wanted, |figure| {
        within &= figure.is_within();
        println!("{}", line(&figure));
        if scale == Scale::FULL {
            figure.write(folder)?;
        }
        Ok(())
    })?;
    Ok(within)
}

fn line(figure: &Figure) -> String {
    let verdict = if figure.is_within() { "ok  " } else { "FAIL" };
    let Figure {
        name,
        value,
        unit,
        goal,
        ..
    } = figure;
    match (figure.floor, figure.ratio) {
        (Some(floor), Some(ratio)) => {
            format!(
                "{verdict} {name}: {value:.3} {unit}, floor {floor:.3}, ratio {ratio:.2} ({goal})"
            )
        }
        _ => format!("{verdict} {name}: {value:.3} {unit} ({goal})"),
    }
}

/// `None` where it makes no sense.
fn command_line(words: impl Iterator<Item = String>) -> Option<(Scale, Vec<String>)> {
    let (mut scale, mut names) = (Scale::FULL, Vec::new());
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--records" => scale.records = words.next()?.parse().ok()?,
            "--circles" => {
                scale.circles = words.next()?.parse().ok().filter(|circles| *circles > 0)?;
            }
            name if bench::names().contains(&name) => names.push(word),
            _ => return None,
        }
    }
    Some((scale, names))
}
