//! What a form sent: names and values, kept so that a page can give them back beside what is wrong with them.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
    http::header,
};
use tokio::time::timeout;
use zeroize::Zeroize;

use super::{Site, door::is_public, problem::Problem};

/// Bytes of a form without files; and of one that somebody sends who is not signed in.
pub(super) const MOST: usize = 256 * 1024;
const MOST_OUTSIDE: usize = 8 * 1024;
/// How long it may take to arrive.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Fields of a form.
const MOST_FIELDS: usize = 200;

/// The fields of one form. Wiped when dropped: passwords are among them.
#[derive(Default)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// What was typed into a field; nothing where it was not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The same without spaces around it.
    pub(super) fn word(&self, name: &str) -> &str {
        self.get(name).trim()
    }

    /// All of them, by name.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds a field of a form that comes part by part; not where there are too many.
    pub(super) fn add(&mut self, name: String, value: String) -> bool {
        let room = self.0.len() < MOST_FIELDS;
        if room {
            self.0.insert(name, value);
        }
        room
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Self::default();
        let mut pairs = form_urlencoded::parse(bytes);
        let fit = pairs.all(|(name, value)| fields.add(name.into_owned(), value.into_owned()));
        fit.then_some(fields)
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        self.0.values_mut().for_each(Zeroize::zeroize);
    }
}

impl FromRequest<Site> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Site) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
        if kind.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
            return Err(Problem::not_understood());
        }
        let outside = is_public(request.uri().path());
        let most = if outside { MOST_OUTSIDE } else { MOST };
        let bytes = timeout(PATIENCE, to_bytes(request.into_body(), most)).await;
        let bytes = bytes.map_err(|_| Problem::too_slow())?;
        let bytes = bytes.map_err(|_| Problem::too_large())?;
        Self::read(&bytes).ok_or_else(Problem::not_understood)
    }
}
