//! Looking for what must not be found: words and ids, in every form in which bytes may carry them.
//!
//! A [`Needle`] knows its forms: as it is, in upper case, in hexadecimal (both cases), and in base64 (both alphabets) at each of the three
//! offsets at which it may stand in the encoded text. [`Sieve`] looks for all forms of all needles at once, in bytes, files and folders.
//!
//! A search that finds nothing shows something only beside one that finds: each test that uses this has a counter-proof.

use std::{
    collections::HashMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

/// Shorter ones are found by chance in a few megabytes of noise.
const SHORTEST: usize = 5;

/// Something to look for.
#[derive(Clone, Debug)]
pub struct Needle {
    name: String,
    forms: Vec<(String, Vec<u8>)>,
}

impl Needle {
    /// A word or a sentence. `name` is what a finding says.
    pub fn text(name: &str, text: &str) -> Self {
        let mut needle = Self::bytes(name, text.as_bytes());
        needle.add("upper case", text.to_uppercase().into_bytes());
        needle.add(
            "upper case, ASCII only",
            text.to_ascii_uppercase().into_bytes(),
        );
        needle.add("JSON, ASCII only", json_ascii(text));
        needle
    }

    /// Bytes, such as an id.
    pub fn bytes(name: &str, bytes: &[u8]) -> Self {
        let mut needle = Self {
            name: name.to_owned(),
            forms: Vec::new(),
        };
        needle.add("as it is", bytes.to_vec());
        needle.add("hexadecimal", HEXLOWER.encode(bytes).into_bytes());
        needle.add("upper hexadecimal", HEXUPPER.encode(bytes).into_bytes());
        for offset in 0..3 {
            for (alphabet, encoding) in [("base64", &BASE64_NOPAD), ("base64url", &BASE64URL_NOPAD)]
            {
                let padded = [&[0; 2][..offset.min(2)], bytes].concat();
                let text = encoding.encode(&padded).into_bytes();
                // Only characters whose six bits all come from the needle.
                let (from, to) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
                needle.add(&format!("{alphabet} at {offset}"), text[from..to].to_vec());
            }
        }
        needle
    }

    fn add(&mut self, form: &str, bytes: Vec<u8>) {
        let known = self.forms.iter().any(|(_, other)| *other == bytes);
        if bytes.len() >= SHORTEST && !known {
            self.forms.push((form.to_owned(), bytes));
        }
    }
}

fn json_ascii(text: &str) -> Vec<u8> {
    let mut units = [0; 2];
    let escaped = text.chars().map(|letter| match letter {
        letter if letter.is_ascii() => letter.to_string(),
        letter => letter
            .encode_utf16(&mut units)
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect(),
    });
    escaped.collect::<String>().into_bytes()
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// In which file, where it was a file.
    pub file: PathBuf,
    /// Which needle.
    pub name: String,
    /// In which form.
    pub form: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}) in {}",
            self.name,
            self.form,
            self.file.display()
        )
    }
}

/// Looks for many needles at once.
#[derive(Clone, Debug)]
pub struct Sieve {
    forms: Vec<(String, String, Vec<u8>)>,
    // By the first two bytes.
    starts: HashMap<[u8; 2], Vec<usize>>,
    possible: Vec<bool>,
}

impl Sieve {
    /// For these needles.
    pub fn new(needles: &[Needle]) -> Self {
        let mut sieve = Self {
            forms: Vec::new(),
            starts: HashMap::new(),
            possible: vec![false; 1 << 16],
        };
        for needle in needles {
            for (form, bytes) in &needle.forms {
                let start = [bytes[0], bytes[1]];
                sieve.possible[usize::from(u16::from_be_bytes(start))] = true;
                sieve
                    .starts
                    .entry(start)
                    .or_default()
                    .push(sieve.forms.len());
                sieve
                    .forms
                    .push((needle.name.clone(), form.clone(), bytes.clone()));
            }
        }
        sieve
    }

    /// What stands in these bytes, each needle and form once. `file` is what a finding says.
    pub fn bytes(&self, file: &Path, bytes: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        for (place, pair) in bytes.windows(2).enumerate() {
            let start = [pair[0], pair[1]];
            if !self.possible[usize::from(u16::from_be_bytes(start))] {
                continue;
            }
            for number in &self.starts[&start] {
                let (name, form, wanted) = &self.forms[*number];
                if bytes[place..].starts_with(wanted) {
                    found.push(Found {
                        file: file.to_owned(),
                        name: name.clone(),
                        form: form.clone(),
                    });
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// What stands in a file, or in all files below a folder, their names included. A path that is not there holds nothing, and a
    /// database may delete a file while we look.
    ///
    /// # Errors
    /// The system's.
    pub fn path(&self, path: &Path) -> io::Result<Vec<Found>> {
        let looked: io::Result<Vec<Found>> = (|| {
            let mut found = self.bytes(path, path.as_os_str().as_encoded_bytes());
            let kind = fs::symlink_metadata(path)?.file_type();
            if kind.is_dir() {
                for entry in fs::read_dir(path)? {
                    found.extend(self.path(&entry?.path())?);
                }
            } else if kind.is_file() {
                found.extend(self.bytes(path, &fs::read(path)?));
            }
            Ok(found)
        })();
        match looked {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            looked => looked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms_found(sieve: &Sieve, bytes: &[u8]) -> Vec<String> {
        let found = sieve.bytes(Path::new("-"), bytes);
        found.into_iter().map(|found| found.form).collect()
    }

    #[test]
    fn a_word_is_found_in_each_of_its_forms() {
        let sieve = Sieve::new(&[Needle::text("name", "Léontine")]);
        assert_eq!(forms_found(&sieve, "… Léontine …".as_bytes()), ["as it is"]);
        assert_eq!(forms_found(&sieve, "… LÉONTINE".as_bytes()), ["upper case"]);
        let hex = HEXLOWER.encode("xLéontiney".as_bytes());
        assert_eq!(forms_found(&sieve, hex.as_bytes()), ["hexadecimal"]);
        assert_eq!(forms_found(&sieve, b"L\\u00e9ontine"), ["JSON, ASCII only"]);
    }

    #[test]
    fn a_word_is_found_in_base64_wherever_it_stands() {
        let sieve = Sieve::new(&[Needle::text("name", "Léontine")]);
        for before in ["", "a", "ab", "abc", "abcd"] {
            for after in ["", "x", "xy"] {
                let encoded = BASE64_NOPAD.encode(format!("{before}Léontine{after}").as_bytes());
                let forms = forms_found(&sieve, encoded.as_bytes());
                let due = format!("base64 at {}", before.len() % 3);
                assert!(forms.contains(&due), "{before}|{after}: {forms:?}");
            }
        }
    }

    #[test]
    fn noise_and_half_a_word_are_not_found() {
        let sieve = Sieve::new(&[Needle::text("name", "Léontine")]);
        assert!(forms_found(&sieve, "Léontin".as_bytes()).is_empty());
        assert!(forms_found(&sieve, &[0xc3; 100]).is_empty());
        assert!(forms_found(&sieve, b"").is_empty());
    }

    #[test]
    fn a_folder_is_searched_with_its_names() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let deep = folder.path().join("one/two");
        fs::create_dir_all(&deep)?;
        fs::write(deep.join("file"), "…Léontine…")?;
        fs::write(deep.join("LÉONTINE"), "")?;
        let sieve = Sieve::new(&[Needle::text("name", "Léontine")]);
        let found = sieve.path(folder.path())?;
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(sieve.path(&deep.join("gone"))?.is_empty());
        Ok(())
    }
}
