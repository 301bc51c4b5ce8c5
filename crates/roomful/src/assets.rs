//! The built front end, over HTTP.
//!
//! The directory is read once, at start-up, into memory, and then never looked at again. So a path of a request is only
//! ever looked up in a map of what was built: there is no path that could lead out of the directory, and what is put
//! beside the build later is not served.

mod encoding;
mod file;
mod load;

pub use load::AssetsError;

use actix_web::{
    HttpRequest, HttpResponse,
    guard::fn_guard,
    http::{
        StatusCode,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
            IF_NONE_MATCH, LOCATION, VARY,
        },
    },
    web,
};
use encoding::{Encoding, choose};
use file::File;
use runtime::{env::Variable, http, http::Endpoint, server::Routes};
use std::{collections::HashMap, path::Path, sync::Arc};

/// Where the built front end is.
pub const FRONTEND_DIR: Variable =
    Variable::new("FRONTEND_DIR", "The directory of the built front end.").default("frontend/dist");

/// The page at `/`.
const INDEX: &str = "/index.html";
/// The pages that have an address of their own.
const PAGES: [(&str, &str); 2] = [("/", INDEX), (DASHBOARD, "/admin.html")];
/// Where the dashboard is. Without the last slash it is looked for, too.
const DASHBOARD: &str = "/admin/";
/// The page's service worker.
const WORKER: &str = "/sw.js";

/// The built front end, in memory.
#[derive(Debug, Clone)]
pub struct Assets(Arc<HashMap<String, File>>);

impl Assets {
    /// Reads the whole directory.
    ///
    /// # Errors
    /// When it is not there or holds no front end, in one line that says what to do.
    pub fn load(directory: &Path) -> Result<Self, AssetsError> {
        load::load(directory).map(|files| Self(Arc::new(files)))
    }

    /// How many files it has, pre-compressed variants not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none, which [`Assets::load`] refuses.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What it answers: `GET` and `HEAD` of its files, and 405 to other methods there. Every other path is left to the
    /// other routes, wherever they stand, and to the server's 404.
    #[must_use]
    pub fn routes(&self) -> Routes {
        let assets = self.clone();
        Arc::new(move |cfg| {
            let (known, served) = (assets.clone(), assets.clone());
            let handler = move |request: HttpRequest| {
                let served = served.clone();
                async move { served.answer(&request) }
            };
            cfg.service(
                Endpoint::at("/admin")
                    .get(async || HttpResponse::PermanentRedirect().insert_header((LOCATION, DASHBOARD)).finish()),
            );
            cfg.service(
                web::scope("")
                    .guard(fn_guard(move |request| known.file(request.head().uri.path()).is_some()))
                    .service(Endpoint::at("/{file:.*}").get(handler)),
            );
        })
    }

    /// The file at the path, as it came: a path with escapes names nothing, for no file needs any.
    fn file(&self, path: &str) -> Option<&File> {
        let page = PAGES.iter().find(|(address, _)| *address == path).map(|(_, file)| *file);
        self.0.get(page.or_else(|| is_room_link(path).then_some(INDEX)).unwrap_or(path))
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, http::Problem> {
        // The guard has looked already.
        let file = self.file(request.uri().path()).ok_or_else(|| http::Problem::not_found("there is no such file"))?;
        let accepted = request.headers().get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
        let (encoding, body) = file.variant(choose(accepted, |encoding| file.has(encoding)));
        let known = request.headers().get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
        let is_known = known.flat_map(|line| line.split(',')).any(|tag| names(tag.trim(), &body.etag));

        // A 304 has the headers that a cache keeps, and nothing of the body.
        let mut response = HttpResponse::build(if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
        response
            .insert_header((ETAG, body.etag.as_str()))
            .insert_header((CACHE_CONTROL, if file.immutable { IMMUTABLE } else { "no-cache" }));
        if file.varies() {
            response.insert_header((VARY, "accept-encoding"));
        }
        if file.content_type.starts_with("text/html") {
            response.insert_header((CONTENT_SECURITY_POLICY, http::CONTENT_SECURITY_POLICY));
        } else if request.uri().path() == WORKER {
            response.insert_header((CONTENT_SECURITY_POLICY, http::WORKER_SECURITY_POLICY));
        }
        if is_known {
            return Ok(response.finish());
        }
        response.insert_header((CONTENT_TYPE, file.content_type));
        if encoding != Encoding::Identity {
            response.insert_header((CONTENT_ENCODING, encoding.name()));
        }
        Ok(response.body(body.bytes.clone()))
    }
}

/// Whether it is a link to a room, `/r/12345`: the page asks for the room itself, and says so when there is none. So what
/// is mistyped is the page's matter as well; that it has an end keeps out what is no link at all.
fn is_room_link(path: &str) -> bool {
    path.strip_prefix("/r/").is_some_and(|id| (1..=16).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit()))
}

/// For names that change with their content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Whether a tag of `If-None-Match` means this one. Weak ones count: a proxy that compresses makes them of ours.
fn names(given: &str, etag: &str) -> bool {
    given == "*" || given.strip_prefix("W/").unwrap_or(given) == etag
}
