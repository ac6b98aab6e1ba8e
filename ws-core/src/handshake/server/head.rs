//! What is judged of a request: its head, wherever it is kept.

use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri, Version};

/// The head of a request, made of a `&Request<B>` or a `&Parts`.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) version: Version,
    pub(super) headers: &'a HeaderMap,
}

impl<'a, B> From<&'a Request<B>> for Head<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
        }
    }
}

impl<'a> From<&'a Parts> for Head<'a> {
    fn from(parts: &'a Parts) -> Self {
        let Parts { method, uri, version, headers, .. } = parts;
        Self { method, uri, version: *version, headers }
    }
}
