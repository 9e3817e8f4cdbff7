//! Who has asked the daemon for what, and how far it has come.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;

use rsvp_client::api::{
    Application, ApplicationState, ErrorInfo, Filter, Origin, ReservationRequest, Role, SenderRequest,
    Session, Style, Update,
};
use rsvp_core::command::{ReserveRequest, SenderRequest as CoreSender};
use rsvp_core::event::Upcall;
use rsvp_core::wire::{FilterSpec, FlowDescriptor};
use rsvp_core::{ApiId, Command, CommandError, Instant, Reply};
use rsvp_driver::Handle;
use tokio::sync::{Mutex, broadcast};

use crate::convert::{self, Scene};
use crate::request;

/// How far a follower may fall behind.
const FOLLOW_QUEUE: usize = 64;

/// What was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    /// To announce a sender.
    Sender(SenderRequest),
    /// To reserve.
    Reservation(ReservationRequest),
}

/// Why something cannot be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The node does not take it.
    #[error("{0}")]
    Command(#[from] CommandError),
    /// There is no such application.
    #[error("there is no application {0}")]
    Unknown(u64),
    /// Somebody else owns it.
    #[error("application {id} belongs to {}", owner(*origin))]
    NotYours {
        /// Which.
        id: u64,
        /// Whose.
        origin: Origin,
    },
}

fn owner(origin: Origin) -> &'static str {
    match origin {
        Origin::Standing => "the configuration: change the file and reload",
        Origin::Held => "a control connection",
        Origin::Detached => "nobody but itself: release it",
    }
}

/// All applications; cheap to clone.
#[derive(Clone)]
pub(crate) struct Registry {
    handle: Handle,
    entries: Arc<Mutex<BTreeMap<ApiId, Entry>>>,
}

struct Entry {
    asked: Asked,
    origin: Origin,
    senders: Vec<Filter>,
    state: ApplicationState,
    since: Instant,
    error: Option<ErrorInfo>,
    /// Receiver: senders whose Path is here.
    known: Vec<Filter>,
    /// Receiver: senders for whom the reservation is confirmed.
    confirmed: Vec<Filter>,
    /// Made for the first follower; most applications never have one.
    followers: Option<broadcast::Sender<Update>>,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sender(request) => write!(f, "sender to {}", request.session),
            Self::Reservation(request) => write!(f, "reservation for {}", request.session),
        }
    }
}

impl Asked {
    /// The session that it is about.
    pub(crate) fn session(&self) -> Session {
        match self {
            Self::Sender(request) => request.session,
            Self::Reservation(request) => request.session,
        }
    }

    fn check(&self) -> Result<(), String> {
        match self {
            Self::Sender(request) => request::check_sender(request),
            Self::Reservation(request) => request::check_reservation(request),
        }
    }

    /// The senders that it is about, and the command that asks the node for it.
    fn command(&self, id: ApiId) -> Result<(Vec<Filter>, Command), String> {
        match self {
            Self::Sender(request) => {
                let source =
                    request.source.map_or_else(|| own_address(request.session.destination, "source"), Ok)?;
                let port = request.source_port.unwrap_or(request.session.destination_port);
                let sender = CoreSender {
                    template: FilterSpec::Ip { source, port },
                    tspec: convert::core_sender_tspec(&request.tspec, request.service),
                    adspec: request.adspec.into(),
                    policy: convert::core_policy_data(&request.policy_data)?,
                    ttl: request.ttl,
                };
                Ok((vec![Filter::new(source, port)], Command::AddSender(id, sender)))
            }
            Self::Reservation(request) => {
                let destination = request.session.destination;
                let receiver = match request.receiver {
                    Some(receiver) => receiver,
                    None if destination.is_multicast() => own_address(destination, "receiver")?,
                    None => destination,
                };
                let reserve = ReserveRequest {
                    receiver,
                    style: convert::core_style(request.style),
                    flows: flows(request)?,
                    policy: convert::core_policy_data(&request.policy_data)?,
                    confirm: request.confirm,
                };
                Ok((request.senders.clone(), Command::Reserve(id, reserve)))
            }
        }
    }
}

/// FF reserves for each sender, SE and WF once for all.
fn flows(request: &ReservationRequest) -> Result<Vec<FlowDescriptor>, String> {
    let flowspec = Some(convert::core_flowspec(&request.flowspec)?);
    let filters = request.senders.iter().map(convert::core_filter).collect::<Result<Vec<_>, _>>()?;
    Ok(match request.style {
        Style::Ff => {
            let flow = |filter| FlowDescriptor { flowspec: flowspec.clone(), filters: vec![filter] };
            filters.into_iter().map(flow).collect()
        }
        Style::Se | Style::Wf => vec![FlowDescriptor { flowspec, filters }],
    })
}

/// This host's address on the interface towards a destination: that which the kernel would send from. Connecting a
/// UDP socket asks for it; nothing is sent.
fn own_address(destination: IpAddr, role: &str) -> Result<IpAddr, String> {
    let any: IpAddr = if destination.is_ipv4() {
        std::net::Ipv4Addr::UNSPECIFIED.into()
    } else {
        std::net::Ipv6Addr::UNSPECIFIED.into()
    };
    let ask = || {
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect((destination, 9))?;
        socket.local_addr()
    };
    ask().map(|address| address.ip()).map_err(|error| {
        format!("no address of this host leads to {destination} ({}): give the {role}", crate::words(&error))
    })
}

impl Entry {
    fn new(asked: Asked, origin: Origin, senders: Vec<Filter>, now: Instant) -> Self {
        let state = match asked {
            Asked::Sender(_) => ApplicationState::Announced,
            Asked::Reservation(_) => ApplicationState::WaitingForPath,
        };
        Self {
            asked,
            origin,
            senders,
            state,
            since: now,
            error: None,
            known: Vec::new(),
            confirmed: Vec::new(),
            followers: None,
        }
    }

    fn document(&self, id: ApiId, scene: &Scene) -> Application {
        let (role, style) = match &self.asked {
            Asked::Sender(_) => (Role::Sender, None),
            Asked::Reservation(request) => (Role::Receiver, Some(request.style)),
        };
        Application {
            id: id.0,
            role,
            origin: self.origin,
            session: self.asked.session(),
            senders: self.senders.clone(),
            style,
            state: self.state,
            since: scene.since(self.since),
            error: self.error.clone(),
        }
    }

    /// Takes note of an upcall.
    fn on_upcall(&mut self, upcall: &Upcall, now: Instant) {
        let state = match upcall {
            Upcall::Resv { .. } => ApplicationState::Reserved,
            Upcall::ResvGone { .. } => ApplicationState::Announced,
            Upcall::PathError { error, .. } => {
                self.error = Some(convert::error_info(error));
                ApplicationState::Failed
            }
            Upcall::Path { sender, .. } => self.on_path(convert::filter(sender)),
            Upcall::PathGone { sender, .. } => self.on_path_gone(convert::filter(sender)),
            Upcall::ResvError { error, .. } => self.on_error(convert::error_info(error)),
            Upcall::Confirmed { flows, .. } => self.on_confirmed(flows),
        };
        if state != self.state {
            self.state = state;
            self.since = now;
        }
    }

    /// Whether this application's reservation is for that sender.
    fn is_for(&self, sender: Filter) -> bool {
        self.senders.is_empty() || self.senders.contains(&sender)
    }

    fn on_path(&mut self, sender: Filter) -> ApplicationState {
        if !matches!(self.asked, Asked::Reservation(_)) || !self.is_for(sender) {
            return self.state;
        }
        if self.known.contains(&sender) {
            return self.state;
        }
        self.known.push(sender);
        match self.state {
            // With another path the reservation is asked for anew, whatever became of it on an earlier one.
            ApplicationState::WaitingForPath | ApplicationState::Refused => ApplicationState::Requested,
            state => state,
        }
    }

    fn on_path_gone(&mut self, sender: Filter) -> ApplicationState {
        self.known.retain(|known| *known != sender);
        self.confirmed.retain(|confirmed| *confirmed != sender);
        if matches!(self.asked, Asked::Reservation(_)) && self.known.is_empty() {
            self.confirmed.clear();
            return ApplicationState::WaitingForPath;
        }
        self.state
    }

    /// An error that is another receiver's doing changes nothing for this one (RFC 2205 section 3.1.8).
    fn on_error(&mut self, error: ErrorInfo) -> ApplicationState {
        if error.not_guilty {
            return self.state;
        }
        self.confirmed.clear();
        self.error = Some(error);
        ApplicationState::Refused
    }

    /// FF has a reservation for each sender, and all of them must be confirmed.
    fn on_confirmed(&mut self, flows: &[FlowDescriptor]) -> ApplicationState {
        self.confirmed.extend(flows.iter().flat_map(|flow| &flow.filters).map(convert::filter));
        let is_ff = matches!(&self.asked, Asked::Reservation(request) if request.style == Style::Ff);
        if is_ff && !self.senders.iter().all(|sender| self.confirmed.contains(sender)) {
            return self.state;
        }
        ApplicationState::Admitted
    }
}

impl Registry {
    /// Nobody has asked for anything yet.
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle, entries: Arc::default() }
    }

    /// Asks the node for it, and remembers who did.
    ///
    /// # Errors
    ///
    /// If it makes no sense, or the node does not take it; then nothing is left of it.
    pub(crate) async fn open(&self, asked: Asked, origin: Origin) -> Result<Application, Refusal> {
        asked.check().map_err(Refusal::Invalid)?;
        // Held throughout, so that no upcall is handled before the entry is there.
        let mut entries = self.entries.lock().await;
        let key = convert::core_session(&asked.session());
        let id = match self.handle.command(Command::OpenSession(key)).await? {
            Reply::Session(id) => id,
            other => return Err(Refusal::Invalid(format!("the node opened no session: {other:?}"))),
        };
        let result = match asked.command(id) {
            Err(message) => Err(Refusal::Invalid(message)),
            Ok((senders, command)) => {
                self.handle.command(command).await.map(|_| senders).map_err(Refusal::Command)
            }
        };
        match result {
            Ok(senders) => {
                let entry = Entry::new(asked, origin, senders, self.handle.clock().now());
                let document = entry.document(id, &self.scene());
                entries.insert(id, entry);
                Ok(document)
            }
            Err(refusal) => {
                self.handle.command(Command::Release(id)).await?;
                Err(refusal)
            }
        }
    }

    /// Withdraws what was asked for, if it has one of these origins.
    ///
    /// # Errors
    ///
    /// If there is no such application, it is somebody else's, or the node does not release it.
    pub(crate) async fn release(&self, id: ApiId, origins: &[Origin]) -> Result<Application, Refusal> {
        let mut entries = self.entries.lock().await;
        let origin = entries.get(&id).ok_or(Refusal::Unknown(id.0))?.origin;
        if !origins.contains(&origin) {
            return Err(Refusal::NotYours { id: id.0, origin });
        }
        let document = entries.remove(&id).map(|entry| entry.document(id, &self.scene()));
        self.handle.command(Command::Release(id)).await?;
        document.ok_or(Refusal::Unknown(id.0))
    }

    /// Withdraws what was held by a connection that is lost, unless it was detached or released meanwhile.
    pub(crate) async fn release_held(&self, id: ApiId) {
        match self.release(id, &[Origin::Held]).await {
            Ok(_) => tracing::info!(application = id.0, "released: its control connection is gone"),
            Err(Refusal::Unknown(_) | Refusal::NotYours { .. }) => {}
            Err(error) => tracing::warn!(application = id.0, %error, "not released"),
        }
    }

    /// Keeps it when its connection is lost.
    ///
    /// # Errors
    ///
    /// If there is no such application.
    pub(crate) async fn detach(&self, id: ApiId) -> Result<Application, Refusal> {
        let mut entries = self.entries.lock().await;
        let entry = entries.get_mut(&id).ok_or(Refusal::Unknown(id.0))?;
        if entry.origin == Origin::Held {
            entry.origin = Origin::Detached;
        }
        Ok(entry.document(id, &self.scene()))
    }

    /// All applications.
    pub(crate) async fn documents(&self) -> Vec<Application> {
        let scene = self.scene();
        self.entries.lock().await.iter().map(|(id, entry)| entry.document(*id, &scene)).collect()
    }

    /// What it is now, and what happens to it from now on.
    ///
    /// # Errors
    ///
    /// If there is no such application.
    pub(crate) async fn follow(&self, id: ApiId) -> Result<(Update, broadcast::Receiver<Update>), Refusal> {
        let mut entries = self.entries.lock().await;
        let entry = entries.get_mut(&id).ok_or(Refusal::Unknown(id.0))?;
        let application = entry.document(id, &self.scene());
        let text = format!("application {}: {}", id.0, application.state);
        let followers = entry.followers.get_or_insert_with(|| broadcast::channel(FOLLOW_QUEUE).0);
        Ok((Update { application, upcall: None, text }, followers.subscribe()))
    }

    /// Takes note of what the node told applications, and tells their followers.
    pub(crate) async fn on_upcalls(&self, upcalls: impl Iterator<Item = (ApiId, Upcall)>) {
        let mut upcalls = upcalls.peekable();
        if upcalls.peek().is_none() {
            return;
        }
        let mut entries = self.entries.lock().await;
        let (now, scene) = (self.handle.clock().now(), self.scene());
        for (id, upcall) in upcalls {
            let Some(entry) = entries.get_mut(&id) else { continue };
            entry.on_upcall(&upcall, now);
            let Some(followers) = &entry.followers else { continue };
            let (document, text) = convert::upcall(&upcall);
            let application = entry.document(id, &scene);
            // They may all have gone.
            let _ = followers.send(Update { application, upcall: Some(document), text });
        }
    }

    /// For times only; applications name no interface.
    fn scene(&self) -> Scene {
        Scene::at(self.handle.clock().now())
    }
}

#[cfg(test)]
mod tests {
    use rsvp_client::api::{Flowspec, Tspec};
    use rsvp_core::wire::{ErrorSpec, Style as CoreStyle};

    use rsvp_core::wire::SenderTspec;

    use super::*;

    fn sender(last: u8) -> Filter {
        Filter::new(IpAddr::from([10, 0, 0, last]), 5004)
    }

    fn receiver(style: Style, senders: Vec<Filter>) -> Entry {
        let session = Session::udp(IpAddr::from([10, 0, 9, 9]), 5004);
        let flowspec = Flowspec::ControlledLoad(Tspec::of_rate(1_000_000));
        let mut request = ReservationRequest::new(session, style, flowspec);
        request.senders.clone_from(&senders);
        Entry::new(Asked::Reservation(request), Origin::Held, senders, Instant::ZERO)
    }

    fn after(entry: &mut Entry, upcall: &Upcall) -> ApplicationState {
        entry.on_upcall(upcall, Instant::ZERO);
        entry.state
    }

    fn path(last: u8) -> Upcall {
        let sender = convert::core_filter(&sender(last)).expect("a sender");
        Upcall::Path {
            sender,
            tspec: SenderTspec::Null { max_packet: 1500 },
            adspec: None,
            policy: Vec::new(),
        }
    }

    fn path_gone(last: u8) -> Upcall {
        let sender = convert::core_filter(&sender(last)).expect("a sender");
        Upcall::PathGone { sender, cause: rsvp_core::event::Cause::PathTear }
    }

    fn confirmed(last: u8) -> Upcall {
        let filters = vec![convert::core_filter(&sender(last)).expect("a sender")];
        let flows = vec![FlowDescriptor { flowspec: None, filters }];
        Upcall::Confirmed { node: IpAddr::from([10, 0, 0, 1]), style: CoreStyle::Ff, flows }
    }

    fn error(flags: u8) -> Upcall {
        let error =
            ErrorSpec { node: IpAddr::from([10, 0, 0, 1]), flags, code: 1, value: 2, enterprise: None };
        Upcall::ResvError { error, style: CoreStyle::Ff, flows: Vec::new(), policy: Vec::new() }
    }

    #[test]
    fn a_receiver_waits_for_the_path_of_its_own_sender() {
        let mut entry = receiver(Style::Ff, vec![sender(1)]);
        assert_eq!(after(&mut entry, &path(2)), ApplicationState::WaitingForPath);
        assert_eq!(after(&mut entry, &path(1)), ApplicationState::Requested);
        assert_eq!(after(&mut entry, &confirmed(1)), ApplicationState::Admitted);
        assert_eq!(after(&mut entry, &path_gone(2)), ApplicationState::Admitted);
        assert_eq!(after(&mut entry, &path_gone(1)), ApplicationState::WaitingForPath);
    }

    #[test]
    fn a_new_path_is_a_new_chance() {
        let mut entry = receiver(Style::Wf, vec![]);
        after(&mut entry, &path(1));
        assert_eq!(after(&mut entry, &error(0)), ApplicationState::Refused);
        assert_eq!(
            after(&mut entry, &path(1)),
            ApplicationState::Refused,
            "a change of the same path is none"
        );
        after(&mut entry, &path_gone(1));
        assert_eq!(after(&mut entry, &error(0)), ApplicationState::Refused, "the error crossed the tear");
        assert_eq!(after(&mut entry, &path(1)), ApplicationState::Requested);
    }

    #[test]
    fn fixed_filters_are_admitted_when_all_of_them_are() {
        let mut entry = receiver(Style::Ff, vec![sender(1), sender(2)]);
        after(&mut entry, &path(1));
        after(&mut entry, &path(2));
        assert_eq!(after(&mut entry, &confirmed(2)), ApplicationState::Requested);
        assert_eq!(after(&mut entry, &confirmed(1)), ApplicationState::Admitted);
    }

    #[test]
    fn only_the_guilty_are_refused() {
        let mut entry = receiver(Style::Wf, vec![]);
        after(&mut entry, &path(1));
        after(&mut entry, &confirmed(1));
        assert_eq!(after(&mut entry, &error(ErrorSpec::NOT_GUILTY)), ApplicationState::Admitted);
        assert_eq!(after(&mut entry, &error(0)), ApplicationState::Refused);
        assert_eq!(entry.error.as_ref().map(|e| e.error_code), Some(1));
        assert_eq!(after(&mut entry, &confirmed(1)), ApplicationState::Admitted, "the node goes on asking");
    }

    #[test]
    fn what_the_kernel_would_send_from_is_the_own_address() {
        assert_eq!(own_address(IpAddr::from([127, 0, 0, 9]), "source"), Ok(IpAddr::from([127, 0, 0, 1])));
    }
}
