//! The endpoints.

use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use futures_util::Stream;
use futures_util::stream::{self, StreamExt};
use rsvp_client::api::{
    Application, ClearRequest, Cleared, EventRecord, Happening, InterfaceView, Origin, Problem, Reloaded,
    ReservationRequest, SenderRequest, Status, Update,
};
use rsvp_core::snapshot::Snapshot;
use rsvp_core::{ApiId, Command, CommandError, Reply};
use rsvp_driver::Stopped;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::broadcast;

use super::registry::Refusal;
use super::{Asked, Registry, Shared, metrics as page};
use crate::config::Config;
use crate::convert::{self, Scene};

/// How often a quiet stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// All endpoints.
pub(crate) fn router(context: Shared) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/sessions", get(|s| state(s, |state, _, scene| convert::sessions(state, scene))))
        .route(
            "/v1/senders",
            get(|s| state(s, |state, _, scene| convert::senders(state, scene))).post(open_sender),
        )
        .route(
            "/v1/reservations",
            get(|s| state(s, |state, _, scene| convert::reservations(state, scene))).post(open_reservation),
        )
        .route("/v1/requests", get(|s| state(s, |state, _, scene| convert::requests(state, scene))))
        .route("/v1/refusals", get(|s| outline(s, |state, _, scene| convert::refusals(state, scene))))
        .route("/v1/installed", get(|s| state(s, |state, _, scene| convert::installed(state, scene))))
        .route("/v1/interfaces", get(interfaces))
        .route("/v1/neighbors", get(|s| outline(s, convert::neighbors)))
        .route("/v1/counters", get(|s| outline(s, |state, _, _| convert::counters(&state.counters))))
        .route("/v1/events", get(events))
        .route("/v1/monitor", get(monitor))
        .route("/v1/applications", get(applications))
        .route("/v1/applications/{id}", delete(release))
        .route("/v1/applications/{id}/events", get(follow))
        .route("/v1/applications/{id}/detach", post(detach))
        .route("/v1/clear", post(clear))
        .route("/v1/reload", post(reload))
        .route("/metrics", get(metrics))
        .fallback(|| async {
            Fault::new(StatusCode::NOT_FOUND, "there is no such endpoint; see docs/control-api.md")
        })
        .method_not_allowed_fallback(|| async {
            Fault::new(StatusCode::METHOD_NOT_ALLOWED, "the endpoint does not take this method")
        })
        .with_state(context)
}

/// An answer that says why not.
#[derive(Debug)]
struct Fault {
    status: StatusCode,
    message: String,
}

impl Fault {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    fn internal(error: &dyn std::error::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        (self.status, Json(Problem { error: self.message })).into_response()
    }
}

impl From<Stopped> for Fault {
    fn from(stopped: Stopped) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, stopped.to_string())
    }
}

impl From<CommandError> for Fault {
    fn from(error: CommandError) -> Self {
        let status = match error {
            CommandError::Refused(..) => StatusCode::FORBIDDEN,
            CommandError::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
            CommandError::UnknownApi(_)
            | CommandError::UnknownSession(_)
            | CommandError::UnknownSender(_)
            | CommandError::NoReservation => StatusCode::NOT_FOUND,
            CommandError::ConflictingPort
            | CommandError::ConflictingStyle(_)
            | CommandError::LimitReached(_) => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.to_string())
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::Command(error) => return error.into(),
            Refusal::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::Unknown(_) => StatusCode::NOT_FOUND,
            Refusal::NotYours { .. } => StatusCode::CONFLICT,
        };
        Self::new(status, refusal.to_string())
    }
}

/// Reads a JSON body, whatever the content type says; an empty one stands for the defaults.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body)
        .map_err(|e| Fault::new(StatusCode::BAD_REQUEST, format!("the request is not understood: {e}")))
}

/// How a document is made of the node's state.
type Look<T> = fn(&Snapshot, &Config, &Scene) -> T;

/// A document about sessions. There may be very many: neither the copy of the state nor the document keeps the node waiting.
async fn state<T: Serialize + 'static>(
    State(context): State<Shared>,
    look: Look<T>,
) -> Result<Response, Fault> {
    let snapshot = context.handle.snapshot().await?;
    let (config, now) = (context.config(), context.handle.clock().now());
    let render = move || {
        let document = look(&snapshot, &config, &Scene::new(&snapshot.interfaces, now));
        serde_json::to_vec(&document).map_err(|error| Fault::internal(&error))
    };
    let json = aside(render).await?;
    Ok(([(CONTENT_TYPE, "application/json")], json).into_response())
}

/// A document about what is not in sessions.
async fn outline<T: Serialize>(State(context): State<Shared>, look: Look<T>) -> Result<Json<T>, Fault> {
    let snapshot = context.handle.query(Snapshot::outline).await?;
    let (config, now) = (context.config(), context.handle.clock().now());
    Ok(Json(look(&snapshot, &config, &Scene::new(&snapshot.interfaces, now))))
}

/// Does work that takes long on a thread of its own.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Fault::internal(&error))?
}

async fn interfaces(State(context): State<Shared>) -> Result<Json<Vec<InterfaceView>>, Fault> {
    let outside = context.handle.outside_view().await?;
    let snapshot = context.handle.query(Snapshot::outline).await?;
    Ok(Json(convert::interfaces(&snapshot, &outside)))
}

async fn metrics(State(context): State<Shared>) -> Result<Response, Fault> {
    let snapshot = context.handle.snapshot().await?;
    let (config, now) = (context.config(), context.handle.clock().now());
    let started = context.started.1;
    let render = move || {
        let scene = Scene::new(&snapshot.interfaces, now);
        page::text(&snapshot, &config, &scene, started).map_err(|error| Fault::internal(&error))
    };
    let text = aside(render).await?;
    Ok(([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response())
}

async fn status(State(context): State<Shared>) -> Result<Json<Status>, Fault> {
    let config = context.config();
    let (started, _) = context.started;
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        started: Scene::at(context.handle.clock().now()).since(started),
        config: config.file.map(|file| file.display().to_string()),
        router: config.node.router,
        warnings: context.warnings().await?,
    }))
}

async fn events(State(context): State<Shared>) -> Json<Vec<EventRecord>> {
    Json(context.recorder.records())
}

async fn applications(State(context): State<Shared>) -> Json<Vec<Application>> {
    Json(context.registry.documents().await)
}

/// `?hold=true`.
#[derive(serde::Deserialize)]
struct OpenOptions {
    #[serde(default)]
    hold: bool,
}

async fn open_sender(
    State(context): State<Shared>,
    Query(options): Query<OpenOptions>,
    body: Bytes,
) -> Result<Response, Fault> {
    open(&context, Asked::Sender(parse::<SenderRequest>(&body)?), options.hold).await
}

async fn open_reservation(
    State(context): State<Shared>,
    Query(options): Query<OpenOptions>,
    body: Bytes,
) -> Result<Response, Fault> {
    open(&context, Asked::Reservation(parse::<ReservationRequest>(&body)?), options.hold).await
}

async fn open(context: &Shared, asked: Asked, hold: bool) -> Result<Response, Fault> {
    let registry = context.registry.clone();
    if !hold {
        let opening = async move { registry.open(asked, Origin::Detached).await };
        let application = to_the_end(opening).await??;
        return Ok((StatusCode::CREATED, Json(application)).into_response());
    }
    let opening = to_the_end(async move {
        let application = registry.open(asked, Origin::Held).await?;
        let guard = HoldGuard { registry, id: ApiId(application.id) };
        let (first, receiver) = guard.registry.follow(guard.id).await?;
        Ok::<_, Refusal>((guard, first, receiver))
    });
    let (guard, first, receiver) = opening.await??;
    let updates = updates(first, receiver).map(move |event| {
        // Lives as long as the stream, and with it the connection.
        let _held = &guard;
        event
    });
    Ok((StatusCode::CREATED, sse(updates)).into_response())
}

/// Does something in a task of its own, so that it is not left half done if the client leaves now.
async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T, Fault> {
    tokio::spawn(work).await.map_err(|error| Fault::internal(&error))
}

/// Releases when the connection that holds it is gone.
struct HoldGuard {
    registry: Registry,
    id: ApiId,
}

impl Drop for HoldGuard {
    fn drop(&mut self) {
        let (registry, id) = (self.registry.clone(), self.id);
        // Dropped with the runtime there is nothing left to release.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { registry.release_held(id).await });
        }
    }
}

async fn follow(State(context): State<Shared>, Path(id): Path<u64>) -> Result<Response, Fault> {
    let (first, receiver) = context.registry.follow(ApiId(id)).await?;
    Ok(sse(updates(first, receiver)).into_response())
}

async fn detach(State(context): State<Shared>, Path(id): Path<u64>) -> Result<Json<Application>, Fault> {
    Ok(Json(context.registry.detach(ApiId(id)).await?))
}

async fn release(State(context): State<Shared>, Path(id): Path<u64>) -> Result<Json<Application>, Fault> {
    let release = async move { context.registry.release(ApiId(id), &[Origin::Held, Origin::Detached]).await };
    Ok(Json(to_the_end(release).await??))
}

async fn clear(State(context): State<Shared>, body: Bytes) -> Result<Json<Cleared>, Fault> {
    let request: ClearRequest = parse(&body)?;
    let session = request.session.as_ref().map(convert::core_session);
    match context.handle.command(Command::Clear(session)).await? {
        Reply::Cleared(sessions) => Ok(Json(Cleared { sessions })),
        Reply::Done | Reply::Session(_) => Ok(Json(Cleared { sessions: usize::from(session.is_some()) })),
    }
}

async fn reload(State(context): State<Shared>) -> Result<Json<Reloaded>, Fault> {
    let reloaded = to_the_end(async move { crate::daemon::reload(&context).await }).await?;
    reloaded.map(Json).map_err(|message| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, message))
}

async fn monitor(State(context): State<Shared>) -> impl IntoResponse {
    let lost = |count| EventRecord {
        sequence: 0,
        time: convert::timestamp(std::time::SystemTime::now()),
        session: None,
        text: format!("{count} events were lost: this watcher did not keep up"),
        happening: Happening::Lost { count },
    };
    sse(received(context.recorder.watch(), move |count| Some(lost(count))).map(|record| json_event(&record)))
}

/// What an application is now, and then whatever happens to it until it is released.
fn updates(
    first: Update,
    receiver: broadcast::Receiver<Update>,
) -> impl Stream<Item = Result<Event, axum::Error>> + Send {
    // Each update carries the whole application: one that was missed needs no mention.
    let later = received(receiver, |_| None);
    stream::once(async { first }).chain(later).map(|update| json_event(&update))
}

/// A broadcast as a stream; `lagged` stands in for what was missed.
fn received<T: Clone + Send + 'static>(
    receiver: broadcast::Receiver<T>,
    lagged: impl Fn(u64) -> Option<T> + Send + 'static,
) -> impl Stream<Item = T> + Send {
    stream::unfold((receiver, lagged), |(mut receiver, lagged)| async move {
        loop {
            match receiver.recv().await {
                Ok(item) => return Some((item, (receiver, lagged))),
                Err(broadcast::error::RecvError::Closed) => return None,
                Err(broadcast::error::RecvError::Lagged(count)) => {
                    if let Some(item) = lagged(count) {
                        return Some((item, (receiver, lagged)));
                    }
                }
            }
        }
    })
}

fn json_event<T: serde::Serialize>(document: &T) -> Result<Event, axum::Error> {
    Event::default().json_data(document)
}

fn sse<S>(events: S) -> Sse<impl Stream<Item = Result<Event, axum::Error>> + Send>
where
    S: Stream<Item = Result<Event, axum::Error>> + Send + 'static,
{
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}
