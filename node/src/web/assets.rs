//! What the browser needs beside the pages: in this program, under addresses that change with the content.

use axum::{
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use super::{packed::unpacks, problem::Problem};

/// One file for the browser.
struct Asset {
    /// As templates name it.
    name: &'static str,
    /// Its address: the name with a part of its hash.
    address: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    /// The same, gzip; empty where that gains nothing.
    zipped: &'static [u8],
}

/// A library that this program carries for the browser.
#[derive(Debug, Clone, Copy)]
pub struct Library {
    /// Its name in the registry.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The file of it that is carried.
    pub file: &'static str,
    /// SHA-256 of that file, hexadecimal.
    pub sha256: &'static str,
}

// `ASSETS` and `LIBRARIES`, made and checked by build.rs.
include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The address of an asset. A name that does not exist leads to no file, and a test sees it.
pub(super) fn address(name: &str) -> &'static str {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    found.map_or("/assets/missing", |asset| asset.address)
}

/// Gives one out. It never changes under its address.
pub(super) async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    let wanted = |asset: &&Asset| asset.address == uri.path();
    let Some(asset) = ASSETS.iter().find(wanted) else {
        return Problem::not_found().into_response();
    };
    let mut answer = if unpacks(&headers) && !asset.zipped.is_empty() {
        ([(header::CONTENT_ENCODING, "gzip")], asset.zipped).into_response()
    } else {
        asset.bytes.into_response()
    };
    let all = answer.headers_mut();
    let fixed = header::HeaderValue::from_static;
    all.insert(header::CONTENT_TYPE, fixed(asset.kind));
    all.insert(
        header::CACHE_CONTROL,
        fixed("public, max-age=31536000, immutable"),
    );
    all.append(header::VARY, fixed("Accept-Encoding"));
    answer
}

/// What makes the pages an application on a phone's first screen.
pub(super) async fn manifest() -> Response {
    let icon = |name: &str, sizes: &str, purpose: &str| {
        serde_json::json!({
            "src": address(name), "sizes": sizes, "type": "image/png", "purpose": purpose,
        })
    };
    let manifest = serde_json::json!({
        "name": "Maillon",
        "short_name": "Maillon",
        "description": "Dossiers de coordination et alertes de votre territoire",
        "lang": "fr",
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f5f1e8",
        "theme_color": "#163f44",
        "icons": [
            icon("icon-192.png", "192x192", "any"),
            icon("icon-512.png", "512x512", "any"),
            icon("icon-maskable-512.png", "512x512", "maskable"),
        ],
    });
    (
        StatusCode::OK,
        [
            (header::CONTENT_TYPE, "application/manifest+json"),
            (header::CACHE_CONTROL, "public, max-age=3600"),
        ],
        manifest.to_string(),
    )
        .into_response()
}
