//! What every answer carries, and where a request that changes something must come from.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use percent_encoding::percent_decode_str;

use super::{Site, problem::Problem};

/// Nothing from elsewhere, nothing inline, no framing. `data:` images only because Bootstrap's check marks are that.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
     connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// Of a file that somebody sent: were it ever taken for a page, it could do nothing.
pub(super) const FILE: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// Two years, as browsers' lists ask for.
const ONLY_HTTPS: &str = "max-age=63072000";

/// Puts the policy on every answer.
pub(super) async fn headers(State(site): State<Site>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    // Handlers choose between these two and nothing else.
    let narrower = headers.get(header::CONTENT_SECURITY_POLICY);
    let policy = if narrower.is_some_and(|policy| policy == FILE) {
        FILE
    } else {
        POLICY
    };
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if site.way.secure {
        let value = HeaderValue::from_static(ONLY_HTTPS);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    // Whoever says nothing else is a page, and may hold what nobody else shall read.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let vary = HeaderValue::from_static("HX-Request");
    headers.append(header::VARY, vary);
    answer
}

/// Lets requests that change something through only from these pages themselves.
/// What it has begun it finishes, also where the
/// browser goes away meanwhile.
pub(super) async fn same_site(State(site): State<Site>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    if !is_from_here(request.headers(), authority, site.way.secure) {
        return Problem::from_elsewhere().into_response();
    }
    match tokio::spawn(next.run(request)).await {
        Ok(answer) => answer,
        Err(error) => Problem::broken(error).into_response(),
    }
}

/// An address that is no text leads nowhere, and says so as any other that does not exist.
pub(super) async fn readable(request: Request, next: Next) -> Response {
    let path = percent_decode_str(request.uri().path());
    if path.decode_utf8().is_err() {
        return Problem::not_found().into_response();
    }
    next.run(request).await
}

/// What a browser says of where a request comes from, and what no page can make it say otherwise.
fn is_from_here(headers: &HeaderMap, authority: Option<&str>, secure: bool) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    // An older browser: it names the origin at least. HTTP/2 has the host in the address.
    let host = text("host").or(authority);
    let scheme = if secure { "https://" } else { "http://" };
    let origin = text("origin").and_then(|origin| origin.strip_prefix(scheme));
    matches!((origin, host), (Some(origin), Some(host)) if origin == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_here(pairs: &[(&'static str, &'static str)]) -> bool {
        let pairs = pairs.iter().map(|(name, value)| {
            (
                axum::http::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        is_from_here(&pairs.collect(), None, true)
    }

    #[test]
    fn only_what_a_browser_calls_its_own_origin_may_change_something() {
        let host = ("host", "maillon.example:8443");
        assert!(from_here(&[host, ("sec-fetch-site", "same-origin")]));
        for other in ["cross-site", "same-site", "none", "Same-Origin"] {
            let origin = ("origin", "https://maillon.example:8443");
            assert!(
                !from_here(&[host, origin, ("sec-fetch-site", other)]),
                "{other}"
            );
        }
        assert!(from_here(&[
            host,
            ("origin", "https://maillon.example:8443")
        ]));
        for other in [
            "null",
            "https://maillon.example",
            "http://maillon.example:8443",
            "https://maillon.example:8443.attaque.example",
            "https://attaque.example/maillon.example:8443",
        ] {
            assert!(!from_here(&[host, ("origin", other)]), "{other}");
        }
        assert!(!from_here(&[host]), "who says nothing");
        assert!(!from_here(&[("origin", "https://maillon.example:8443")]));
    }
}
