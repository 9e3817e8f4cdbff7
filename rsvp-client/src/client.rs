//! One method for each endpoint of the control API.

use std::path::{Path, PathBuf};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::api::{
    Application, ClearRequest, Cleared, Counters, EventRecord, InstalledView, InterfaceView, NeighborView,
    Problem, RefusalView, Reloaded, RequestView, ReservationRequest, ReservationView, SenderRequest,
    SenderView, Session, SessionView, Status, Update,
};
use crate::{Error, EventStream, Held};

/// Where the daemon listens unless it is told otherwise.
pub const DEFAULT_SOCKET: &str = "/run/rsvp/rsvp.sock";

/// The environment variable that names another socket.
pub const SOCKET_VARIABLE: &str = "RSVP_SOCKET";

/// The control socket to use when none is named: that of the environment variable `RSVP_SOCKET`; else
/// `/run/rsvp/rsvp.sock` if it exists or its directory can be used; else `rsvp.sock` in the user's runtime directory.
#[must_use]
pub fn default_socket() -> PathBuf {
    if let Some(socket) = std::env::var_os(SOCKET_VARIABLE) {
        return socket.into();
    }
    let system = Path::new(DEFAULT_SOCKET);
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(runtime) if !system.exists() => {
            let own = PathBuf::from(runtime).join("rsvp.sock");
            if own.exists() { own } else { system.to_path_buf() }
        }
        _ => system.to_path_buf(),
    }
}

/// A client of one daemon. Cheap to clone; every call makes its own connection.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// A client of the daemon at `socket`.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] if nobody answers there.
    pub async fn connect(socket: impl Into<PathBuf>) -> Result<Self, Error> {
        let client = Self { socket: socket.into() };
        client.status().await?;
        Ok(client)
    }

    /// The daemon's control socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The daemon itself: version, configuration, what does not work as wished.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn status(&self) -> Result<Status, Error> {
        self.fetch("/v1/status").await
    }

    /// All sessions.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn sessions(&self) -> Result<Vec<SessionView>, Error> {
        self.fetch("/v1/sessions").await
    }

    /// All senders: path state.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn senders(&self) -> Result<Vec<SenderView>, Error> {
        self.fetch("/v1/senders").await
    }

    /// All reservations that next hops and local receivers asked for.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn reservations(&self) -> Result<Vec<ReservationView>, Error> {
        self.fetch("/v1/reservations").await
    }

    /// All that the daemon asks of previous hops.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn requests(&self) -> Result<Vec<RequestView>, Error> {
        self.fetch("/v1/requests").await
    }

    /// The requests that the daemon has refused lately.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn refusals(&self) -> Result<Vec<RefusalView>, Error> {
        self.fetch("/v1/refusals").await
    }

    /// All reservations in traffic control.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn installed(&self) -> Result<Vec<InstalledView>, Error> {
        self.fetch("/v1/installed").await
    }

    /// All interfaces.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn interfaces(&self) -> Result<Vec<InterfaceView>, Error> {
        self.fetch("/v1/interfaces").await
    }

    /// All neighbours.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn neighbors(&self) -> Result<Vec<NeighborView>, Error> {
        self.fetch("/v1/neighbors").await
    }

    /// All counters.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn counters(&self) -> Result<Counters, Error> {
        self.fetch("/v1/counters").await
    }

    /// Counters and gauges in the text format of Prometheus.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn metrics(&self) -> Result<String, Error> {
        let body = read_body(self.call(Method::GET, "/metrics", None::<&()>).await?).await?;
        String::from_utf8(body.into()).map_err(|error| Error::Protocol(error.to_string()))
    }

    /// The last events that the daemon remembers, oldest first.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn events(&self) -> Result<Vec<EventRecord>, Error> {
        self.fetch("/v1/events").await
    }

    /// What applications and the configuration have asked of the daemon.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn applications(&self) -> Result<Vec<Application>, Error> {
        self.fetch("/v1/applications").await
    }

    /// Events from now on.
    ///
    /// # Errors
    ///
    /// If the daemon does not answer.
    pub async fn monitor(&self) -> Result<EventStream<EventRecord>, Error> {
        let response = self.call(Method::GET, "/v1/monitor", None::<&()>).await?;
        Ok(EventStream::new(response.into_body()))
    }

    /// Announces a sender for as long as the guard lives.
    ///
    /// # Errors
    ///
    /// If the request is not valid, or the daemon does not answer.
    pub async fn send(&self, request: &SenderRequest) -> Result<Held, Error> {
        self.hold("/v1/senders?hold=true", request).await
    }

    /// Announces a sender until it is [released](Self::release).
    ///
    /// # Errors
    ///
    /// If the request is not valid, or the daemon does not answer.
    pub async fn send_detached(&self, request: &SenderRequest) -> Result<Application, Error> {
        self.post("/v1/senders", request).await
    }

    /// Makes a reservation for as long as the guard lives.
    ///
    /// # Errors
    ///
    /// If the request is not valid, or the daemon does not answer.
    pub async fn reserve(&self, request: &ReservationRequest) -> Result<Held, Error> {
        self.hold("/v1/reservations?hold=true", request).await
    }

    /// Makes a reservation until it is [released](Self::release).
    ///
    /// # Errors
    ///
    /// If the request is not valid, or the daemon does not answer.
    pub async fn reserve_detached(&self, request: &ReservationRequest) -> Result<Application, Error> {
        self.post("/v1/reservations", request).await
    }

    /// Follows what happens to an application, beginning with what it is now.
    ///
    /// # Errors
    ///
    /// If there is no such application, or the daemon does not answer.
    pub async fn follow(&self, id: u64) -> Result<EventStream<Update>, Error> {
        let path = format!("/v1/applications/{id}/events");
        let response = self.call(Method::GET, &path, None::<&()>).await?;
        Ok(EventStream::new(response.into_body()))
    }

    /// Leaves a held application with the daemon: the loss of its connection releases it no more.
    ///
    /// # Errors
    ///
    /// If there is no such application, or the daemon does not answer.
    pub async fn detach(&self, id: u64) -> Result<Application, Error> {
        self.post(&format!("/v1/applications/{id}/detach"), &()).await
    }

    /// Withdraws what an application asked for and forgets it.
    ///
    /// # Errors
    ///
    /// If there is no such application, or the daemon does not answer.
    pub async fn release(&self, id: u64) -> Result<Application, Error> {
        let path = format!("/v1/applications/{id}");
        let response = self.call(Method::DELETE, &path, None::<&()>).await?;
        read_json(response).await
    }

    /// Removes the protocol state of one session, or of all, with tears to the neighbours.
    ///
    /// # Errors
    ///
    /// If there is no such session, or the daemon does not answer.
    pub async fn clear(&self, session: Option<Session>) -> Result<Cleared, Error> {
        self.post("/v1/clear", &ClearRequest { session }).await
    }

    /// Makes the daemon read its configuration file again.
    ///
    /// # Errors
    ///
    /// If the file is not valid (the old configuration then stays in force), or the daemon does not answer.
    pub async fn reload(&self) -> Result<Reloaded, Error> {
        self.post("/v1/reload", &()).await
    }

    async fn fetch<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        read_json(self.call(Method::GET, path, None::<&()>).await?).await
    }

    async fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, Error> {
        read_json(self.call(Method::POST, path, Some(body)).await?).await
    }

    async fn hold<B: Serialize>(&self, path: &str, body: &B) -> Result<Held, Error> {
        let response = self.call(Method::POST, path, Some(body)).await?;
        Held::open(self.clone(), EventStream::new(response.into_body())).await
    }

    /// Sends one request on a connection of its own; the connection ends when the response's body is dropped.
    async fn call<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<Response<Incoming>, Error> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|source| Error::Unreachable { socket: self.socket.clone(), source })?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|_| Error::ConnectionLost)?;
        tokio::spawn(connection);
        let body = body.map(serde_json::to_vec).transpose().map_err(|e| Error::Protocol(e.to_string()))?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "rsvp")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.unwrap_or_default())))
            .map_err(|e| Error::Protocol(e.to_string()))?;
        let response = sender.send_request(request).await.map_err(|_| Error::ConnectionLost)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let body = read_body(response).await?;
        let message = serde_json::from_slice::<Problem>(&body)
            .map_or_else(|_| String::from_utf8_lossy(&body).into_owned(), |problem| problem.error);
        Err(Error::Refused { status, message })
    }
}

async fn read_body(response: Response<Incoming>) -> Result<Bytes, Error> {
    Ok(response.into_body().collect().await.map_err(|_| Error::ConnectionLost)?.to_bytes())
}

async fn read_json<T: DeserializeOwned>(response: Response<Incoming>) -> Result<T, Error> {
    let body = read_body(response).await?;
    serde_json::from_slice(&body).map_err(|e| Error::Protocol(e.to_string()))
}
