//! `eximious serve`: a page to try a configuration on, as an application for axum. Whoever
//! serves it listens on this machine alone; who has not the token in the address gets
//! nothing. A text that is tried is never written anywhere.

mod asked;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use eximious::{Macros, World};
use serde_json::{Value, json};

use crate::page::{Page, TREE};
use asked::{Asked, answer};

/// How large a question may be: a configuration, and a message.
const LARGEST: usize = 16 << 20;

/// What is served.
pub struct WorkbenchPage {
    /// What stands in the address of those who may ask.
    pub token: String,
    /// The name of the configuration's file.
    pub name: String,
    /// What is in it.
    pub text: String,
    /// Macros that are given.
    pub macros: Macros,
    /// The outside, as those see it who try something: it is only looked at.
    pub world: World,
}

/// The application. Its page is `/TOKEN/`.
pub fn app(page: WorkbenchPage) -> Router {
    let page = Arc::new(page);
    Router::new()
        .route("/{token}/", get(shown))
        .route("/{token}/ask", post(ask))
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(middleware::from_fn_with_state(page.clone(), guard))
        .with_state(page)
}

/// Lets in who has the token and asks this machine by a name of its own: a page of another
/// site, whose name leads here, has another.
async fn guard(State(page): State<Arc<WorkbenchPage>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let token = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_own = matches!(host, "127.0.0.1" | "localhost" | "::1");
    if !is_own || !is_same(token.as_bytes(), page.token.as_bytes()) {
        return (StatusCode::NOT_FOUND, "nothing is here\n").into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}

/// Whether two tokens are the same, in a time that tells nothing of where they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

async fn shown(State(page): State<Arc<WorkbenchPage>>, Path(_): Path<String>) -> Html<String> {
    let data = json!({ "name": page.name, "text": page.text });
    Html(
        Page {
            title: "eximious",
            style: include_str!("serve/page.css"),
            body: include_str!("serve/body.html"),
            scripts: &[TREE, include_str!("serve/page.js")],
            data: &data,
            asks: "'self'",
        }
        .html(),
    )
}

async fn ask(
    State(page): State<Arc<WorkbenchPage>>,
    Path(_): Path<String>,
    headers: HeaderMap,
    Json(asked): Json<Asked>,
) -> Result<Json<Value>, (StatusCode, String)> {
    // Forms of other sites can't send that.
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "JSON is wanted".to_owned()));
    }
    let work = tokio::task::spawn_blocking(move || answer(&page, &asked));
    match work.await {
        Ok(value) => Ok(Json(value)),
        Err(_) => {
            let why = "the evaluation ended by a fault".to_owned();
            Err((StatusCode::INTERNAL_SERVER_ERROR, why))
        }
    }
}
