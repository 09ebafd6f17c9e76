//! Who is signed in: asked for every route but those of [`PUBLIC`].

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Site,
    problem::{self, Problem},
    serve::Way,
};
use crate::{
    access::{Account, Arrival, Signed, State as SessionState, Token},
    audit::{By, own_user},
    care::Actor,
    clock::now_ms,
};

/// The routes that whoever is not signed in may see. What begins with `/assets/` is in this program and says nothing about anybody.
pub const PUBLIC: &[&str] = &[
    "/connexion",
    "/premiere-connexion",
    "/secours",
    "/deverrouiller",
    "/manifest.webmanifest",
    "/assets/",
];

/// What stays as it is in an address that is part of another one.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.');

pub(super) fn is_public(path: &str) -> bool {
    PUBLIC
        .iter()
        .any(|public| path == *public || (public.ends_with('/') && path.starts_with(public)))
}

/// Who asks, for a handler: signed in, there, and in whose name.
#[derive(Debug, Clone)]
pub(super) struct Who {
    pub(super) signed: Signed,
    pub(super) token: Token,
    /// The professional in whose name they act; none for an administrator who is none.
    pub(super) actor: Option<Actor>,
    /// The structure that hosts this node.
    pub(super) structure: String,
    /// The newest change when the request came: what the page shows is no older.
    pub(super) seen: u64,
    /// When the request came, Unix milliseconds.
    pub(super) at_ms: u64,
}

impl Who {
    pub(super) fn account(&self) -> &Account {
        &self.signed.account
    }

    /// The professional who acts.
    ///
    /// # Errors
    /// [`Problem::nobodys_name`] where nobody does: whoever administers the node sees no health data.
    pub(super) fn professional(&self) -> Result<&Actor, Problem> {
        self.actor.as_ref().ok_or_else(Problem::nobodys_name)
    }

    /// Who stands in the audit trail.
    pub(super) fn by(&self) -> By {
        By {
            actor: self
                .actor
                .as_ref()
                .map_or(self.account().actor(), |actor| actor.id),
            user: own_user(),
        }
    }

    /// What they are, in words: the profession of the situation in which they act.
    pub(super) fn role(&self) -> &str {
        let profession = self.actor.as_ref();
        let profession = profession.and_then(|actor| actor.professional.profession.as_ref());
        match profession {
            Some(code) => &code.label,
            None if self.account().administrator => "Administration du nœud",
            None => "",
        }
    }
}

impl FromRequestParts<Site> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Site) -> Result<Self, Problem> {
        // The guard puts it there for each route that is not public.
        let who = parts.extensions.get::<Self>().cloned();
        who.ok_or_else(Problem::signed_out)
    }
}

/// Whence and when a request comes.
pub(super) struct From(pub(super) Arrival);

impl FromRequestParts<Site> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip());
        Ok(Self(Arrival {
            address: browser(&parts.headers, peer, site.way),
            device: device(&parts.headers),
            now_ms: now_ms(),
        }))
    }
}

/// The browser's address: the last that the proxy names, where there is one; nobody else's word is taken.
fn browser(headers: &HeaderMap, peer: IpAddr, way: Way) -> IpAddr {
    if way.proxy.map(|proxy| proxy.to_canonical()) != Some(peer.to_canonical()) {
        return peer;
    }
    let named = headers.get_all("x-forwarded-for").iter().next_back();
    let named = named.and_then(|value| value.to_str().ok());
    let last = named.and_then(|list| list.rsplit(',').next());
    last.and_then(|last| last.trim().parse().ok())
        .unwrap_or(peer)
}

/// A browser in words, for the list of sessions: what it says of itself, and only which one of a few it is.
fn device(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok()).unwrap_or("");
    let first = |all: &[(&str, &'static str)], otherwise| {
        let found = all.iter().find(|(sign, _)| agent.contains(sign));
        found.map_or(otherwise, |(_, words)| *words)
    };
    let browser = first(
        &[
            ("Firefox/", "Firefox"),
            ("Edg/", "Edge"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ],
        "Navigateur",
    );
    let system = first(
        &[
            ("Android", "Android"),
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Windows", "Windows"),
            ("Mac OS", "Mac"),
            ("Linux", "Linux"),
        ],
        "un appareil inconnu",
    );
    format!("{browser} sur {system}")
}

/// The cookie's name: with the prefix that binds it to this host and to TLS, where there is TLS.
fn cookie_name(way: Way) -> String {
    if way.secure {
        "__Host-maillon".to_owned()
    } else {
        format!("maillon-{}", way.port)
    }
}

/// The token that a browser sent.
pub(super) fn token(headers: &HeaderMap, way: Way) -> Option<Token> {
    let name = cookie_name(way);
    let cookies = headers.get_all(header::COOKIE).iter();
    let cookies = cookies.filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
    let value = pairs.find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })?;
    Token::read(value)
}

/// Gives the browser a token, or takes it away.
pub(super) fn set(mut answer: Response, way: Way, token: Option<&Token>) -> Response {
    let name = cookie_name(way);
    let secure = if way.secure { "; Secure" } else { "" };
    let value = match token {
        Some(token) => token.as_str(),
        None => "",
    };
    let life = if token.is_some() { "" } else { "; Max-Age=0" };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{life}");
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
        cookie.set_sensitive(true);
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

/// To the door, without a token and without whatever a browser has kept of these pages.
pub(super) fn signed_out(way: Way) -> Response {
    let mut answer = set(go("/connexion"), way, None);
    let clear = HeaderValue::from_static("\"cache\", \"storage\"");
    answer.headers_mut().insert("clear-site-data", clear);
    answer
}

/// Where to go on after signing in: a path of these pages, and nothing else.
pub(super) fn safe_return(path: &str) -> &str {
    let is_local = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.chars().any(char::is_control);
    if is_local { path } else { "/" }
}

/// `page` with the path to go on at.
pub(super) fn with_return(page: &str, path: &str) -> String {
    if path == "/" {
        return page.to_owned();
    }
    format!("{page}?retour={}", utf8_percent_encode(path, IN_QUERY))
}

/// Sends away to a page of the same site.
pub(super) fn go(to: &str) -> Response {
    Redirect::to(to).into_response()
}

fn here(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |path| path.as_str())
}

/// Sends away who is not there. Where a part of a page was asked for, the whole page loads itself again, and is sent away.
fn away(request: &Request, page: &str) -> Response {
    if request.headers().contains_key("hx-request") {
        return (StatusCode::UNAUTHORIZED, [("hx-refresh", "true")]).into_response();
    }
    go(&with_return(page, here(request.uri())))
}

/// Whether a page asks by itself: it says so, or asks for something that it is made of. What somebody opens or sends is no such thing, nor what a script fetches
/// because they type; an older browser says nothing of it.
fn is_by_itself(headers: &HeaderMap) -> bool {
    const PARTS: [&str; 10] = [
        "audio",
        "font",
        "image",
        "manifest",
        "script",
        "serviceworker",
        "style",
        "track",
        "video",
        "worker",
    ];
    let dest = headers.get("sec-fetch-dest");
    let part = dest.is_some_and(|dest| PARTS.iter().any(|part| dest == *part));
    part || headers.contains_key("x-maillon-alone")
}

/// Lets through who is signed in and there; sends others to sign in, and back afterwards.
pub(super) async fn guard(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    if is_public(request.uri().path()) {
        return next.run(request).await;
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let token = token(request.headers(), site.way);
    // What a page fetches by itself is no sign of a person.
    let by_itself = is_by_itself(request.headers());
    let (access, at_ms) = (&site.node.access, now_ms());
    let signed = token.and_then(|token| {
        let signed = access.who(&token, !by_itself, at_ms)?;
        Some((signed, token))
    });
    let Some((signed, token)) = signed else {
        return if reads {
            away(&request, "/connexion")
        } else {
            Problem::signed_out().into_response()
        };
    };
    // Whoever stands before a locked page may at least close it.
    if signed.state == SessionState::Locked && request.uri().path() != "/deconnexion" {
        return if reads {
            away(&request, "/deverrouiller")
        } else {
            Problem::locked().into_response()
        };
    }
    let care = &site.node.care;
    let actor = match signed.situation.map(|id| care.actor_of(id)).transpose() {
        Ok(actor) => actor.flatten().map(|actor| match by_itself {
            true => actor.at_page().away(),
            false => actor.at_page(),
        }),
        Err(error) => return Problem::broken(error).into_response(),
    };
    let structure = care.structure().name.clone();
    let seen = care.newest_change();
    let who = Who {
        signed,
        token,
        actor,
        structure,
        seen,
        at_ms,
    };
    request.extensions_mut().insert(who.clone());
    problem::inside(next.run(request).await, &who)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_one_goes_to_a_page_of_this_site_and_nowhere_else() {
        assert_eq!(safe_return("/patients?q=le+bras"), "/patients?q=le+bras");
        for elsewhere in [
            "//attaque.example",
            "https://attaque.example",
            "/\\attaque.example",
            "\\\\attaque.example",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: b",
            "",
        ] {
            assert_eq!(safe_return(elsewhere), "/", "{elsewhere:?}");
        }
    }

    #[test]
    fn only_the_named_proxy_is_believed_about_the_browsers_address() {
        let proxy: IpAddr = IpAddr::from([10, 0, 0, 1]);
        let way = Way {
            secure: true,
            port: 443,
            proxy: Some(proxy),
        };
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-forwarded-for",
            HeaderValue::from_static("198.51.100.1, 203.0.113.9"),
        );
        // What the browser itself wrote before is no word of the proxy.
        assert_eq!(
            browser(&headers, proxy, way),
            IpAddr::from([203, 0, 113, 9])
        );
        let stranger = IpAddr::from([198, 51, 100, 7]);
        assert_eq!(browser(&headers, stranger, way), stranger);
    }

    #[test]
    fn a_picture_on_a_page_that_nobody_watches_is_no_sign_of_a_person() {
        let alone = |name: &'static str, value: &'static str| {
            let value = HeaderValue::from_static(value);
            is_by_itself(&HeaderMap::from_iter([(
                header::HeaderName::from_static(name),
                value,
            )]))
        };
        for part in ["image", "script", "style", "font", "serviceworker"] {
            assert!(alone("sec-fetch-dest", part), "{part}");
        }
        assert!(alone("x-maillon-alone", "1"));
        // Somebody opens a page or sends a form; a script asks as they type; a browser that says nothing.
        for sign in ["document", "empty"] {
            assert!(!alone("sec-fetch-dest", sign), "{sign}");
        }
        assert!(!is_by_itself(&HeaderMap::new()));
    }

    #[test]
    fn a_route_is_public_by_its_whole_name() {
        for path in ["/connexion", "/assets/maillon.0a1b.css"] {
            assert!(is_public(path), "{path}");
        }
        for path in [
            "/",
            "/connexion/",
            "/connexionx",
            "/assets",
            "/compte",
            "/Connexion",
        ] {
            assert!(!is_public(path), "{path}");
        }
    }
}
