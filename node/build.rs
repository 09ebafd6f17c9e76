//! Puts what the pages need into the program: our own files, and those of the packages that `libraries.txt` names, each with its SHA-256. What ends
//! in `.json` is no file for the browser but the list of communes, of which code, inhabitants and name are kept.
//!
//! The packages come from the npm registry (`deploy/assets.sh`) and are in no commit. Where one is missing, or is another than the list says, nothing
//! is built.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use sha2::{Digest, Sha256};

const LIST: &str = "libraries.txt";
const OWN: &str = "src/web/assets";
const ASK: &str =
    "what the pages need for the browser is not here: run `deploy/assets.sh`, then build again";

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={LIST}");
    println!("cargo:rerun-if-changed={OWN}");
    let mut assets = String::from("const ASSETS: &[Asset] = &[\n");
    let mut libraries = String::from(
        "/// The libraries of `libraries.txt`.\npub const LIBRARIES: &[Library] = &[\n",
    );

    for line in fs::read_to_string(here.join(LIST))?.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.is_empty() || line.starts_with('#') {
            continue;
        }
        let [name, version, file, sha256] = words[..] else {
            return Err(format!("{LIST}: four words in a line: {line}").into());
        };
        let path = format!("node_modules/{name}/{file}");
        println!("cargo:rerun-if-changed={path}");
        let bytes =
            fs::read(here.join(&path)).map_err(|error| format!("{path}: {error}; {ASK}"))?;
        let found = HEXLOWER.encode(&Sha256::digest(&bytes));
        if found != sha256 {
            return Err(format!(
                "{path} is not what {LIST} says: SHA-256 {found}; run `deploy/assets.sh`, and where the version was changed on purpose, look at it and write the new hash"
            )
            .into());
        }
        if file.ends_with(".json") {
            fs::write(out.join("communes.txt"), communes(&bytes)?)?;
        } else {
            let short = Path::new(file).file_name().ok_or("a file has a name")?;
            add(&mut assets, &out, &short.to_string_lossy(), &bytes)?;
        }
        writeln!(
            libraries,
            "    Library {{ name: {name:?}, version: {version:?}, file: {file:?}, sha256: {sha256:?} }},"
        )?;
    }
    let mut own: Vec<_> = fs::read_dir(here.join(OWN))?.collect::<Result<_, _>>()?;
    own.sort_by_key(fs::DirEntry::file_name);
    for file in own {
        let name = file.file_name().to_string_lossy().into_owned();
        add(&mut assets, &out, &name, &fs::read(file.path())?)?;
    }
    assets.push_str("];\n\n");
    libraries.push_str("];\n");
    fs::write(out.join("assets.rs"), assets + &libraries)?;
    Ok(())
}

/// Lines of code, inhabitants and name, in the order of the codes; of one code the commune of today comes first.
fn communes(json: &[u8]) -> Result<String, Box<dyn Error>> {
    let all: Vec<Value> = serde_json::from_slice(json)?;
    let mut lines = Vec::with_capacity(all.len());
    for one in &all {
        let text = |name: &str| one[name].as_str().ok_or("a commune has a code and a name");
        let name = text("nom")?
            .replace('\'', "’")
            .replace(" Arrondissement", "");
        let of_old = text("type")? != "commune-actuelle";
        let inhabitants = one["population"].as_u64().unwrap_or_default();
        lines.push((text("code")?, of_old, name, inhabitants));
    }
    lines.sort();
    lines.dedup_by(|next, before| (next.0, &next.2) == (before.0, &before.2));
    let lines = lines
        .iter()
        .map(|(code, _, name, inhabitants)| format!("{code}\t{inhabitants}\t{name}\n"));
    Ok(lines.collect())
}

fn add(assets: &mut String, out: &Path, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let (stem, ending) = name.rsplit_once('.').ok_or("a file has an ending")?;
    let kind = match ending {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        other => return Err(format!("{name}: what is .{other} for a browser?").into()),
    };
    let hash = HEXLOWER.encode(&Sha256::digest(bytes)[..8]);
    let plain = out.join(name);
    fs::write(&plain, bytes)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    let mut zipped = encoder.finish()?;
    if zipped.len() * 10 > bytes.len() * 9 {
        zipped.clear();
    }
    let gz = out.join(format!("{name}.gz"));
    fs::write(&gz, zipped)?;
    writeln!(
        assets,
        "    Asset {{ name: {name:?}, address: \"/assets/{stem}.{hash}.{ending}\", kind: {kind:?}, bytes: include_bytes!({plain:?}), zipped: include_bytes!({gz:?}) }},"
    )?;
    Ok(())
}
