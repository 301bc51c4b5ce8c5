//! The calls, a file each, and what is the same for all of them.

pub(crate) mod health;
pub(crate) mod instance;
mod limit;
pub(crate) mod openapi;
pub(crate) mod room;
pub(crate) mod rooms;

use crate::State;
use actix_web::{
    http::header::CACHE_CONTROL,
    middleware::{DefaultHeaders, from_fn},
    web,
};
use runtime::{http::only_get, server::Routes};
use std::sync::Arc;
use utoipa::openapi::OpenApi;

pub(crate) fn routes(state: Arc<State>, document: &OpenApi) -> Routes {
    let document = openapi::Document::new(document);
    Arc::new(move |cfg| {
        let limited = state.clone();
        cfg.service(
            web::scope("/api")
                .app_data(web::Data::from(state.clone()))
                .app_data(web::Data::new(document.clone()))
                .service(only_get("/health", health::health))
                .service(only_get("/rooms", rooms::rooms))
                .service(only_get("/rooms/{id}", room::room))
                .service(only_get("/instance", instance::instance))
                .service(only_get("/openapi.json", openapi::openapi))
                // What is true now; a call that knows better says so itself.
                .wrap(DefaultHeaders::new().add((CACHE_CONTROL, "no-store")))
                .wrap(from_fn(move |request, next| limit::limit(limited.clone(), request, next))),
        );
    })
}
