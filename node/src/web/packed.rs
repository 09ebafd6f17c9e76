//! Pages on their way: packed (gzip) for whoever unpacks. A file's page says the same words many times, and networks in the country are slow.
//!
//! Only what was asked for with GET, and of nobody at the door: what is looked for and what is typed comes by POST, so nothing stands in a packed page that another site
//! could have put into its address to learn from the length whether a guess is right (BREACH).

use std::io::{self, Write as _};

use axum::{
    body::{Body, HttpBody as _, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};

use super::{door::is_public, problem::Problem};

/// Bytes of a page from which on packing gains something, and up to which one is packed.
const LEAST: u64 = 1 << 10;
const MOST: usize = 8 << 20;

/// Whether a browser unpacks.
pub(super) fn unpacks(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT_ENCODING);
    let accepts = accepts.and_then(|accepts| accepts.to_str().ok());
    accepts.is_some_and(|all| all.split(',').any(|one| one.trim().starts_with("gzip")))
}

/// Packs pages.
pub(super) async fn pages(request: Request, next: Next) -> Response {
    let packs = request.method() == Method::GET
        && !is_public(request.uri().path())
        && unpacks(request.headers());
    let answer = next.run(request).await;
    if packs { packed(answer).await } else { answer }
}

/// An answer, packed where it is a page.
async fn packed(answer: Response) -> Response {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let length = answer.body().size_hint().exact();
    let fits = length.is_some_and(|length| (LEAST..=MOST as u64).contains(&length));
    if !is_page || !fits || answer.status() != StatusCode::OK {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let page = match to_bytes(body, MOST).await {
        Ok(page) => page,
        Err(error) => return Problem::broken(error).into_response(),
    };
    head.headers
        .append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    match pack(&page) {
        Ok(bytes) => {
            let gzip = HeaderValue::from_static("gzip");
            head.headers.insert(header::CONTENT_ENCODING, gzip);
            head.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(head, Body::from(bytes))
        }
        // Into memory: it does not happen.
        Err(_) => Response::from_parts(head, Body::from(page)),
    }
}

fn pack(page: &[u8]) -> io::Result<Vec<u8>> {
    // The fastest way: pages shrink to a tenth with it, and others wait.
    let room = Vec::with_capacity(page.len() / 4);
    let mut packed = GzEncoder::new(room, Compression::fast());
    packed.write_all(page)?;
    packed.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    async fn sent(status: StatusCode, kind: &'static str, text: String) -> (HeaderMap, Vec<u8>) {
        let answer = (status, [(header::CONTENT_TYPE, kind)], text).into_response();
        let (head, body) = packed(answer).await.into_parts();
        let bytes = to_bytes(body, MOST).await.expect("a body").to_vec();
        (head.headers, bytes)
    }

    #[tokio::test]
    async fn a_page_is_the_same_when_it_is_unpacked_and_smaller_before() {
        let page = "<p>Pansement refait, plaie propre.</p>".repeat(500);
        let html = "text/html; charset=utf-8";
        let (headers, bytes) = sent(StatusCode::OK, html, page.clone()).await;
        assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
        assert_eq!(headers[header::VARY], "Accept-Encoding");
        assert!(bytes.len() * 10 < page.len(), "{}", bytes.len());
        let mut unpacked = String::new();
        let mut reader = GzDecoder::new(&bytes[..]);
        reader.read_to_string(&mut unpacked).expect("a page");
        assert_eq!(unpacked, page);
    }

    #[tokio::test]
    async fn what_is_small_or_no_page_or_an_error_goes_as_it_is() {
        let (html, long) = ("text/html; charset=utf-8", "x".repeat(5_000));
        for (status, kind, text) in [
            (StatusCode::OK, html, "<p>Bonjour</p>".to_owned()),
            (StatusCode::OK, "application/pdf", long.clone()),
            (StatusCode::NOT_FOUND, html, long),
        ] {
            let (headers, bytes) = sent(status, kind, text.clone()).await;
            assert!(!headers.contains_key(header::CONTENT_ENCODING), "{kind}");
            assert_eq!(bytes, text.into_bytes());
        }
    }

    #[test]
    fn who_does_not_say_that_they_unpack_is_not_asked_to() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_static(value);
            headers.insert(header::ACCEPT_ENCODING, value);
            headers
        };
        assert!(unpacks(&with("gzip, deflate, br")) && unpacks(&with("br,gzip;q=0.8")));
        assert!(!unpacks(&with("br, deflate")) && !unpacks(&HeaderMap::new()));
    }
}
