//! A path and the methods that it answers to. Any other method gets 405 with `Allow`.

use super::Problem;
use actix_web::{
    FromRequest, Handler, Resource, Responder,
    dev::{AppService, HttpServiceFactory},
    http::Method,
    web,
};

/// One path, or several that mean the same, with a handler for each method.
///
/// ```
/// # use actix_web::HttpResponse;
/// # async fn show() -> HttpResponse { HttpResponse::Ok().finish() }
/// # async fn delete() -> HttpResponse { HttpResponse::NoContent().finish() }
/// # let _: fn(&mut actix_web::web::ServiceConfig) = |cfg| {
/// use runtime::http::Endpoint;
/// cfg.service(Endpoint::at_any(&["/admin/room/{id}", "/admin/rooms/{id}"]).get(show).delete(delete));
/// # };
/// ```
#[must_use]
pub struct Endpoint {
    resource: Resource,
    allow: Vec<&'static str>,
}

impl Endpoint {
    /// At one path.
    pub fn at(path: &str) -> Self {
        Self { resource: web::resource(path), allow: Vec::new() }
    }

    /// At any of several.
    pub fn at_any(paths: &[&str]) -> Self {
        Self { resource: web::resource(paths.to_vec()), allow: Vec::new() }
    }

    /// Answers GET, and HEAD with the same less the body, which actix leaves out.
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args> + Clone,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::GET, "GET", handler.clone()).on(Method::HEAD, "HEAD", handler)
    }

    /// Answers POST.
    pub fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::POST, "POST", handler)
    }

    /// Answers DELETE.
    pub fn delete<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.on(Method::DELETE, "DELETE", handler)
    }

    fn on<F, Args>(mut self, method: Method, name: &'static str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.allow.push(name);
        self.resource = self.resource.route(web::method(method).to(handler));
        self
    }
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        let allow = self.allow.join(", ");
        let refuse = move || {
            let problem = Problem::method_not_allowed(&allow);
            async move { Err::<String, _>(problem) }
        };
        self.resource.default_service(web::to(refuse)).register(config);
    }
}

/// A path that answers GET and HEAD.
pub fn only_get<F, Args>(path: &str, handler: F) -> Endpoint
where
    F: Handler<Args> + Clone,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Endpoint::at(path).get(handler)
}

/// A path that answers POST.
pub fn only_post<F, Args>(path: &str, handler: F) -> Endpoint
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Endpoint::at(path).post(handler)
}
