//! A form that may bring a file (`multipart/form-data`): read part by part, as it comes. The file goes to `care` piece by piece and is never here as a whole.
//!
//! What is wrong with the file is said beside its field, and what was typed is kept: so the rest of such a form is still read, up to a bound. The name that
//! a browser gives a file is a text to show and nothing else; its word for the kind of the file is not looked at.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::{FromRequest, Request},
    http::header,
};
use futures::Stream;
use maillon_protocol::{ids::CircleId, limits};
use multer::{Field, Multipart};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    Site,
    fields::{Fields, MOST, PATIENCE},
    problem::Problem,
};
use crate::{
    care::{Actor, CareError, Category, Incoming, NamedFile},
    signs::is_invisible,
};

/// The field of the file.
pub(super) const FILE: &str = "fichier";
/// How long all of it may take: a photo over a bad line in the country.
const WHOLE: Duration = Duration::from_secs(15 * 60);
/// Bytes that are read of a file that is refused, so that a browser hears why.
const DRAINED: u64 = 2 * limits::ATTACHMENT;
/// Bytes that may come before something is made of them: the head of a part, or its beginning.
const AHEAD: usize = 128 * 1024;
/// Bytes of a file's name.
const NAME: usize = 200;

/// Where the form comes back for another reason.
pub(super) const AGAIN: &str =
    "Un navigateur ne garde pas les fichiers : choisissez de nouveau celui-ci.";
const TOO_LARGE: &str =
    "Ce fichier dépasse 25 Mo : réduisez-le, ou divisez-le en plusieurs fichiers.";
const OTHER_KIND: &str = "Ce fichier n’est ni un PDF, ni une photo JPEG, PNG ou WebP : enregistrez-le dans un de ces formats.";
const BROKEN: &str =
    "Cette photo est illisible : ouvrez-la, enregistrez-la de nouveau en JPEG, puis recommencez.";
const BUSY: &str = "D’autres fichiers sont en train d’arriver : recommencez dans un instant.";

/// What a form with a file sent.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) fields: Fields,
    /// The file, where one was chosen and taken.
    pub(super) file: Option<NamedFile>,
    /// Why it was not taken; empty where nothing is wrong.
    pub(super) fault: &'static str,
}

impl Sent {
    /// Takes the file away again, where the form comes back for another reason; what to say beside its field then.
    pub(super) async fn give_up(&mut self, site: &Site) -> &'static str {
        let Some(file) = self.file.take() else {
            return self.fault;
        };
        site.node.care.give_up(file.file).await;
        AGAIN
    }
}

/// Reads a form; its file is for a record of this category. A form without files may come in the other encoding.
pub(super) async fn read(
    site: &Site,
    request: Request,
    actor: &Actor,
    circle: CircleId,
    category: Category,
) -> Result<Sent, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let Ok(boundary) = multer::parse_boundary(kind) else {
        let fields = Fields::from_request(request, site).await?;
        return Ok(Sent {
            fields,
            ..Sent::default()
        });
    };
    let ahead = Arc::new(AtomicUsize::new(AHEAD));
    let body = Measured::new(request.into_body(), Arc::clone(&ahead));
    let mut reading = Reading {
        site,
        actor,
        circle,
        category,
        form: Multipart::new(body, boundary),
        ahead,
        left: MOST,
        sent: Sent::default(),
    };
    // Of a file that is half here then, nothing stays: what is dropped is taken away.
    let whole = timeout_at(Instant::now() + WHOLE, reading.all()).await;
    let Reading { mut sent, .. } = reading;
    if let Err(problem) = whole.unwrap_or_else(|_| Err(Problem::too_slow())) {
        sent.give_up(site).await;
        return Err(problem);
    }
    Ok(sent)
}

/// A form that is being read.
struct Reading<'a> {
    site: &'a Site,
    actor: &'a Actor,
    circle: CircleId,
    category: Category,
    form: Multipart<'static>,
    ahead: Arc<AtomicUsize>,
    /// Bytes of text that may still come.
    left: usize,
    sent: Sent,
}

impl Reading<'_> {
    async fn all(&mut self) -> Result<(), Problem> {
        loop {
            let part = timeout(PATIENCE, self.form.next_field()).await;
            let part = part.map_err(|_| Problem::too_slow())?;
            let Some(part) = part.map_err(|_| Problem::not_understood())? else {
                return Ok(());
            };
            self.ahead.store(AHEAD, Ordering::Relaxed);
            let name = part.name().unwrap_or_default().to_owned();
            match part.file_name().map(shown) {
                Some(file) if name == FILE && self.sent.file.is_none() => {
                    if !self.file(part, file).await? {
                        return Ok(());
                    }
                }
                Some(_) => return Err(Problem::not_understood()),
                None => self.text(part, name).await?,
            }
        }
    }

    async fn next(&self, part: &mut Field<'_>) -> Result<Option<Bytes>, Problem> {
        let piece = timeout(PATIENCE, part.chunk()).await;
        let piece = piece.map_err(|_| Problem::too_slow())?;
        self.ahead.store(AHEAD, Ordering::Relaxed);
        piece.map_err(|_| Problem::not_understood())
    }

    async fn text(&mut self, mut part: Field<'_>, name: String) -> Result<(), Problem> {
        let mut text = Vec::new();
        while let Some(piece) = self.next(&mut part).await? {
            self.left = (self.left.checked_sub(piece.len())).ok_or_else(Problem::too_large)?;
            text.extend_from_slice(&piece);
        }
        let text = String::from_utf8(text).map_err(|_| Problem::not_understood())?;
        if self.sent.fields.add(name, text) {
            return Ok(());
        }
        Err(Problem::not_understood())
    }

    /// Whether what comes after the file is worth reading.
    async fn file(&mut self, mut part: Field<'_>, name: String) -> Result<bool, Problem> {
        let mut coming: Option<Incoming> = None;
        let mut came = 0_u64;
        loop {
            let piece = match self.next(&mut part).await {
                Ok(piece) => piece,
                Err(problem) => {
                    self.give_up(coming).await;
                    return Err(problem);
                }
            };
            let Some(piece) = piece else { break };
            came += piece.len() as u64;
            if !self.sent.fault.is_empty() {
                if came > DRAINED {
                    return Ok(false);
                }
                continue;
            }
            if let Err(error) = self.take(&mut coming, &piece).await {
                self.give_up(coming.take()).await;
                self.sent.fault = fault(error)?;
            }
        }
        // A field in which nothing was chosen comes without a byte.
        self.sent.file = coming.map(|file| NamedFile { file, name });
        Ok(true)
    }

    async fn take(&self, coming: &mut Option<Incoming>, piece: &[u8]) -> Result<(), CareError> {
        if piece.is_empty() {
            return Ok(());
        }
        let care = &self.site.node.care;
        let file = match coming {
            Some(file) => file,
            None => coming.insert(care.receive(self.actor, self.circle, self.category)?),
        };
        care.take(file, piece).await
    }

    async fn give_up(&self, coming: Option<Incoming>) {
        if let Some(file) = coming {
            self.site.node.care.give_up(file).await;
        }
    }
}

/// What to say beside the field of a file that is not taken.
pub(super) fn fault(error: CareError) -> Result<&'static str, Problem> {
    match error {
        CareError::Attachment(_) => Ok(TOO_LARGE),
        CareError::FileKind => Ok(OTHER_KIND),
        CareError::FileBroken => Ok(BROKEN),
        CareError::Busy(_) => Ok(BUSY),
        other => Err(other.into()),
    }
}

/// A file's name as pages show it: without the folders before it, and without signs that show nothing or turn the writing round.
fn shown(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let hidden = |sign: &char| sign.is_control() || is_invisible(*sign);
    let mut kept: String = last.chars().filter(|sign| !hidden(sign)).collect();
    while kept.len() > NAME {
        // The end tells more than the beginning.
        kept.remove(0);
    }
    let kept = kept.trim().trim_start_matches('.');
    if kept.is_empty() { "fichier" } else { kept }.to_owned()
}

/// A body, a frame each time it is asked, and not more than is made use of: the parser takes all that is ready before it looks at any of it.
struct Measured {
    body: BodyDataStream,
    ahead: Arc<AtomicUsize>,
    given: bool,
}

impl Measured {
    fn new(body: Body, ahead: Arc<AtomicUsize>) -> Self {
        Self {
            body: body.into_data_stream(),
            ahead,
            given: false,
        }
    }
}

/// More comes than is made use of.
#[derive(Debug, thiserror::Error)]
enum Unmeasured {
    /// The head of a part has no end.
    #[error("a part of the form begins with too many bytes")]
    Ahead,
    /// The connection.
    #[error(transparent)]
    Body(#[from] axum::Error),
}

impl Stream for Measured {
    type Item = Result<Bytes, Unmeasured>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.given) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_next(cx) else {
            return Poll::Pending;
        };
        self.given = true;
        Poll::Ready(match frame {
            Some(Ok(bytes)) => {
                let ahead = self.ahead.load(Ordering::Relaxed);
                match ahead.checked_sub(bytes.len()) {
                    // A frame may be longer than that; two are not.
                    None if ahead < AHEAD => Some(Err(Unmeasured::Ahead)),
                    left => {
                        self.ahead.store(left.unwrap_or(0), Ordering::Relaxed);
                        Some(Ok(bytes))
                    }
                }
            }
            Some(Err(error)) => Some(Err(error.into())),
            None => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_is_a_text_and_leads_nowhere() {
        for (sent, kept) in [
            ("pied gauche.jpg", "pied gauche.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\photos\\pied.jpg", "pied.jpg"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("a\0b\r\nc.pdf", "abc.pdf"),
            ("..", "fichier"),
            ("/", "fichier"),
            ("", "fichier"),
        ] {
            assert_eq!(shown(sent), kept, "{sent:?}");
        }
        let long = format!("{}.jpg", "é".repeat(300));
        assert!(shown(&long).len() <= NAME && shown(&long).ends_with("é.jpg"));
    }
}
