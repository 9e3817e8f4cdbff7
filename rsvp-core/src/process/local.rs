//! Local applications (RFC 2205 section 3.11.1).

use alloc::string::ToString;
use alloc::vec::Vec;

use super::path::{path_upcall, port_of, route_key};
use super::policy::Reservation;
use super::{Work, remove_from, touch};
use crate::admission::Admission;
use crate::command::{AdspecRequest, ApiId, Command, CommandError, Reply, ReserveRequest, SenderRequest};
use crate::event::{Cause, Change};
use crate::intserv;
use crate::node::Node;
use crate::state::{
    Application, NextHopId, PathOrigin, Pending, PolicyData, Psb, PsbId, Rsb, RsbContents, RsbFilter, RsbId,
    SessionId,
};
use crate::wire::{
    Adspec, ClassNum, FilterSpec, FlowDescriptor, Flowspec, RawObject, SenderTemplate, SenderTspec,
    SessionKey, Style,
};

/// IP protocols that carry a security parameter index.
const ESP: u8 = 50;
const AH: u8 = 51;
/// Virtual ports that no application uses: 0 is illegal, the others are reserved.
const RESERVED_PORTS: core::ops::RangeInclusive<u16> = 0..=10;

impl Node {
    pub(crate) fn on_command(&mut self, command: Command) -> Result<Reply, CommandError> {
        if self.stopping {
            return Err(CommandError::ShuttingDown);
        }
        match command {
            Command::Configure(config) => {
                self.events.limit(config.limits.queued_events);
                let old = core::mem::replace(&mut self.config, config);
                self.begin_reannouncing(None);
                self.review_refresh_groups(&old);
                if old.policy != self.config.policy {
                    self.begin_review();
                }
            }
            Command::OpenSession(key) => return self.open_session(key).map(Reply::Session),
            Command::Join(api, address) => self.join(api, address)?,
            Command::AddSender(api, request) => self.add_sender(api, request)?,
            Command::RemoveSender(api, template) => self.remove_sender(api, &template)?,
            Command::Reserve(api, request) => self.reserve(api, &request)?,
            Command::Unreserve(api) => self.unreserve(api)?,
            Command::Release(api) => self.release(api)?,
            Command::Clear(key) => return self.on_clear(key),
            Command::ReviewPolicy => self.begin_review(),
            Command::Shutdown => self.on_shutdown(),
        }
        Ok(Reply::Done)
    }

    fn open_session(&mut self, key: SessionKey) -> Result<ApiId, CommandError> {
        check_session(&key)?;
        if self.state.has_port_conflict(&key) {
            return Err(CommandError::ConflictingPort);
        }
        if self.state.session(&key).is_none() && self.state.sessions.len() >= self.config.limits.sessions {
            return Err(CommandError::LimitReached("sessions".to_string()));
        }
        let session = self.state.session_or_new(key);
        self.last_api += 1;
        let api = ApiId(self.last_api);
        self.state.apis.insert(api, Application { session, group: None, address: None });
        self.state.sessions[session].apis.push(api);
        for psb in self.state.sessions[session].psbs.clone() {
            let psb = &self.state.psbs[psb];
            if psb.reaches_here() {
                self.upcall(api, key, path_upcall(psb));
            }
        }
        Ok(api)
    }

    pub(super) fn session_of(&self, api: ApiId) -> Result<SessionId, CommandError> {
        self.state.apis.get(&api).map(|app| app.session).ok_or(CommandError::UnknownApi(api))
    }

    fn add_sender(&mut self, api: ApiId, request: SenderRequest) -> Result<(), CommandError> {
        let session = self.session_of(api)?;
        let key = self.state.sessions[session].key;
        check_filter(&key, &request.template)?;
        check_policy_data(&request.policy)?;
        let adspec = match &request.adspec {
            AdspecRequest::Given(adspec) => Some(adspec),
            AdspecRequest::None | AdspecRequest::Default => None,
        };
        self.admission
            .check_sender(&request.tspec, adspec)
            .map_err(|why| CommandError::BadFlowspec(why.to_string()))?;
        if self.has_sender_conflict(session, &request.template) {
            return Err(CommandError::ConflictingPort);
        }
        let existing = self.find_psb(session, &request.template, |psb| psb.previous_hop().is_none());
        match existing {
            Some(psb) if self.state.psbs[psb].origin != PathOrigin::Local(api) => {
                return Err(CommandError::SenderInUse(request.template));
            }
            None if self.is_full(&key) => return Err(CommandError::LimitReached("senders".to_string())),
            _ => {}
        }
        let policy = self
            .judge_sender(&key, &request.template, &request.tspec, None, &request.policy)
            .map_err(|(code, value)| CommandError::Refused(code, value))?;
        match existing {
            Some(psb) => self.change_sender(psb, request, policy),
            None => {
                self.insert_psb(self.local_psb(session, api, request, policy));
            }
        }
        Ok(())
    }

    fn local_psb(&self, session: SessionId, api: ApiId, request: SenderRequest, policy: PolicyData) -> Psb {
        let key = self.state.sessions[session].key;
        Psb {
            session,
            sender: request.template,
            adspec: initial_adspec(request.adspec, &request.tspec),
            tspec: request.tspec,
            policy,
            denied: false,
            refused: None,
            forward: Vec::new(),
            origin: PathOrigin::Local(api),
            ttl: request.ttl,
            non_rsvp: false,
            e_police: true,
            refresh_ms: 0,
            expires: None,
            timer: None,
            repair: None,
            route: route_key(&key, &request.template),
            routed: false,
            local: false,
            ads: Vec::new(),
            message_id: None,
            fingerprint: None,
            summary: None,
            history: self.new_history(Cause::Local),
        }
    }

    fn change_sender(&mut self, id: PsbId, request: SenderRequest, policy: PolicyData) {
        let psb = &mut self.state.psbs[id];
        psb.adspec = initial_adspec(request.adspec, &request.tspec);
        psb.tspec = request.tspec;
        psb.ttl = request.ttl;
        psb.policy = policy;
        psb.denied = false;
        psb.refused = None;
        touch(&mut psb.history, self.now, Cause::Local);
        let ads = psb.ads.clone();
        self.dirty_paths.extend(ads);
        self.senders_changed(id);
    }

    fn remove_sender(&mut self, api: ApiId, template: &SenderTemplate) -> Result<(), CommandError> {
        let session = self.session_of(api)?;
        let psb = self
            .find_psb(session, template, |psb| psb.origin == PathOrigin::Local(api))
            .ok_or(CommandError::UnknownSender(*template))?;
        self.remove_psb(psb, &Cause::Local);
        Ok(())
    }

    fn reserve(&mut self, api: ApiId, request: &ReserveRequest) -> Result<(), CommandError> {
        let session = self.session_of(api)?;
        let key = self.state.sessions[session].key;
        check_policy_data(&request.policy)?;
        check_flows(&*self.admission, &key, request)?;
        let next_hop = NextHopId::Local(api);
        let mine = self.reservations_of(session, api);
        let others = self.state.sessions[session].rsbs.iter().filter(|rsb| !mine.contains(rsb));
        if let Some(style) =
            others.map(|rsb| self.state.rsbs[*rsb].style).find(|style| *style != request.style)
        {
            return Err(CommandError::ConflictingStyle(style));
        }
        let others = self.state.sessions[session].rsbs.iter().filter(|rsb| !mine.contains(rsb));
        let wanted = |flow: &FlowDescriptor, rsb: &Rsb| {
            flow.flowspec.as_ref().is_none_or(|flowspec| self.is_mergeable(rsb, &flow.filters, flowspec))
        };
        if others.map(|rsb| &self.state.rsbs[*rsb]).any(|rsb| !request.flows.iter().all(|f| wanted(f, rsb))) {
            return Err(CommandError::ConflictingService);
        }
        let limit = self.config.limits.reservations_per_session;
        let count = self.state.sessions[session].rsbs.len() - mine.len();
        if count + request.flows.len() > limit {
            return Err(CommandError::LimitReached("reservations of a session".to_string()));
        }
        let policies = request
            .flows
            .iter()
            .map(|flow| self.judge_local(session, flow, request))
            .collect::<Result<Vec<_>, _>>()?;
        for rsb in mine {
            let block = &self.state.rsbs[rsb];
            let stays = block.style == request.style
                && (request.style != Style::Ff
                    || request.flows.iter().any(|flow| flow.filters == block.filters()));
            if !stays {
                self.unlink_rsb(rsb, &Cause::Local);
            }
        }
        self.receive_at(api, Some(request.receiver));
        for (flow, policy) in request.flows.iter().zip(policies) {
            let distinct = if request.style == Style::Ff { flow.filters.first() } else { None };
            match self.find_rsb(session, &next_hop, distinct) {
                Some(rsb) => self.change_local(rsb, flow, request, policy),
                None => {
                    let rsb = self.insert_rsb(self.local_rsb(session, api, flow, request, policy));
                    self.report_rsb(rsb, Change::Created, Cause::Local);
                }
            }
        }
        self.fit_requests(session);
        self.mark_upstream(session, None);
        if request.confirm {
            self.ask_confirmations(session, request);
        }
        self.reserve_within(session);
        Ok(())
    }

    /// What policy control says of a local receiver's request.
    fn judge_local(
        &self,
        session: SessionId,
        flow: &FlowDescriptor,
        request: &ReserveRequest,
    ) -> Result<PolicyData, CommandError> {
        // The caller has checked that there is a flowspec.
        let Some(flowspec) = &flow.flowspec else { return Ok(PolicyData::default()) };
        let senders = match request.style {
            Style::Wf => self.senders_by(session, None),
            Style::Ff | Style::Se => flow.filters.clone(),
        };
        let reservation = Reservation {
            style: request.style,
            flowspec,
            senders: &senders,
            receiver: request.receiver,
            interface: None,
        };
        self.judge_reservation(&self.state.sessions[session].key, &reservation, &request.policy)
            .map_err(|(code, value)| CommandError::Refused(code, value))
    }

    /// Begins to ask policy control about all state.
    fn begin_review(&mut self) {
        self.backlog.push_back(Work::Review(self.state.sessions.keys().collect()));
    }

    fn local_rsb(
        &self,
        session: SessionId,
        api: ApiId,
        flow: &FlowDescriptor,
        request: &ReserveRequest,
        policy: PolicyData,
    ) -> Rsb {
        Rsb {
            session,
            next_hop: NextHopId::Local(api),
            style: request.style,
            contents: local_contents(flow),
            pending: Pending::Settled,
            policy,
            denied: false,
            forward: Vec::new(),
            asked: flow.flowspec.clone(),
            receiver: Some(request.receiver),
            confirm: request.confirm.then_some(request.receiver),
            is_confirmed: false,
            refresh_ms: 0,
            expires: None,
            timer: None,
            refused: None,
            message_id: None,
            fingerprint: None,
            summary: None,
            history: self.new_history(Cause::Local),
        }
    }

    fn change_local(
        &mut self,
        id: RsbId,
        flow: &FlowDescriptor,
        request: &ReserveRequest,
        policy: PolicyData,
    ) {
        let rsb = &mut self.state.rsbs[id];
        rsb.contents = local_contents(flow);
        rsb.asked.clone_from(&flow.flowspec);
        rsb.policy = policy;
        rsb.denied = false;
        rsb.receiver = Some(request.receiver);
        rsb.confirm = request.confirm.then_some(request.receiver);
        rsb.is_confirmed = false;
        rsb.refused = None;
        touch(&mut rsb.history, self.now, Cause::Local);
    }

    /// Fits what local receivers ask for to the paths of their senders, as far as these are known.
    pub(super) fn fit_requests(&mut self, session: SessionId) {
        let mut changed = false;
        for id in self.state.sessions[session].rsbs.clone() {
            let rsb = &self.state.rsbs[id];
            let Some(asked) = &rsb.asked else { continue };
            let fitted = self.fitted(rsb, asked);
            if rsb.contents.flowspec != fitted {
                self.state.rsbs[id].contents.flowspec = fitted;
                changed = true;
            }
        }
        if changed {
            self.mark_upstream(session, None);
        }
    }

    fn fitted(&self, rsb: &Rsb, asked: &Flowspec) -> Flowspec {
        let (mut path_mtu, mut min_unit): (Option<u32>, Option<u32>) = (None, None);
        let at_most =
            |so_far: Option<u32>, value: u32| Some(so_far.map_or(value, |so_far| so_far.min(value)));
        for psb in &self.state.sessions[rsb.session].psbs {
            let psb = &self.state.psbs[*psb];
            if !rsb.matches(&psb.sender) {
                continue;
            }
            if let (Some(Adspec::IntServ(adspec)), Some(service)) = (&psb.adspec, asked.service()) {
                path_mtu = at_most(path_mtu, intserv::path_mtu(adspec, service));
            }
            if let Some(tspec) = psb.tspec.tspec() {
                min_unit = at_most(min_unit, tspec.min_unit);
            }
        }
        intserv::fitted(asked, path_mtu, min_unit)
    }

    /// Sends the request for confirmation now, even where nothing else changes.
    fn ask_confirmations(&mut self, session: SessionId, request: &ReserveRequest) {
        for ad in self.state.sessions[session].resv_ads.clone() {
            if self.waiting_receiver(&self.state.resv_ads[ad]).is_some() {
                self.ask_confirmation(ad, request.receiver);
            }
        }
    }

    fn reservations_of(&self, session: SessionId, api: ApiId) -> Vec<RsbId> {
        let rsbs = &self.state.sessions[session].rsbs;
        rsbs.iter().copied().filter(|rsb| self.state.rsbs[*rsb].next_hop == NextHopId::Local(api)).collect()
    }

    fn unreserve(&mut self, api: ApiId) -> Result<(), CommandError> {
        let session = self.session_of(api)?;
        let mine = self.reservations_of(session, api);
        if mine.is_empty() {
            return Err(CommandError::NoReservation);
        }
        for rsb in mine {
            self.remove_rsb(rsb, &Cause::Local);
        }
        Ok(())
    }

    fn release(&mut self, api: ApiId) -> Result<(), CommandError> {
        let session = self.session_of(api)?;
        for rsb in self.reservations_of(session, api) {
            self.remove_rsb(rsb, &Cause::Local);
        }
        for psb in self.state.sessions[session].psbs.clone() {
            if self.state.psbs[psb].origin == PathOrigin::Local(api) {
                self.remove_psb(psb, &Cause::Local);
            }
        }
        self.leave_group(api);
        self.state.apis.remove(&api);
        remove_from(&mut self.state.sessions[session].apis, &api);
        self.state.drop_if_empty(session);
        Ok(())
    }
}

fn initial_adspec(wanted: AdspecRequest, tspec: &SenderTspec) -> Option<Adspec> {
    match wanted {
        AdspecRequest::None => None,
        AdspecRequest::Default => Some(Adspec::IntServ(intserv::initial_adspec(tspec))),
        AdspecRequest::Given(adspec) => Some(adspec),
    }
}

fn check_policy_data(objects: &[RawObject]) -> Result<(), CommandError> {
    let stray = objects.iter().find(|object| object.class_num() != ClassNum::POLICY_DATA);
    stray.map_or(Ok(()), |object| Err(CommandError::NotPolicyData(object.clone())))
}

fn local_contents(flow: &FlowDescriptor) -> RsbContents {
    let mut filters: Vec<_> =
        flow.filters.iter().map(|filter| RsbFilter { filter: *filter, expires: None }).collect();
    filters.sort_unstable_by_key(|f| f.filter);
    filters.dedup();
    // The caller has checked that there is a flowspec.
    let flowspec = flow.flowspec.clone().unwrap_or(crate::wire::Flowspec::Null { max_packet: 0 });
    RsbContents { flowspec, filters, scope: None }
}

/// Protocol and virtual port of a session for IPsec (RFC 2207 sections 4.1 and 5).
fn check_session(key: &SessionKey) -> Result<(), CommandError> {
    let SessionKey::Gpi(flow) = key else { return Ok(()) };
    if !matches!(flow.protocol, ESP | AH) {
        return Err(CommandError::NotGpiProtocol(flow.protocol));
    }
    if RESERVED_PORTS.contains(&flow.port) {
        return Err(CommandError::InvalidDestinationPort(flow.port));
    }
    Ok(())
}

/// Families, types and ports of a sender against its session.
fn check_filter(session: &SessionKey, filter: &FilterSpec) -> Result<(), CommandError> {
    let flow = session.flow();
    if filter.source().is_ipv4() != flow.destination.is_ipv4() {
        return Err(CommandError::FamilyMismatch);
    }
    if matches!(session, SessionKey::Gpi(_)) != matches!(filter, FilterSpec::Gpi { .. }) {
        return Err(CommandError::ConflictingCType(*filter));
    }
    if flow.port == 0 && port_of(filter) != 0 {
        return Err(CommandError::ConflictingPort);
    }
    Ok(())
}

/// Whether the flow descriptors fit the style and are valid.
fn check_flows(
    admission: &dyn Admission,
    session: &SessionKey,
    request: &ReserveRequest,
) -> Result<(), CommandError> {
    let bad = |why: &str| Err(CommandError::BadFlows(why.to_string()));
    if request.flows.is_empty() {
        return bad("there are none");
    }
    if request.style != Style::Ff && request.flows.len() > 1 {
        return bad("a shared style takes one flow descriptor");
    }
    for (index, flow) in request.flows.iter().enumerate() {
        match request.style {
            Style::Wf if !flow.filters.is_empty() => return bad("WF takes no senders"),
            Style::Ff if flow.filters.len() != 1 => return bad("FF takes one sender for each flowspec"),
            Style::Se if flow.filters.is_empty() => return bad("SE takes at least one sender"),
            _ => {}
        }
        if request.flows[..index]
            .iter()
            .any(|other| request.style == Style::Ff && other.filters == flow.filters)
        {
            return bad("a sender is named twice");
        }
        for filter in &flow.filters {
            check_filter(session, filter)?;
        }
        let Some(flowspec) = &flow.flowspec else { return bad("a flowspec is missing") };
        admission.check_flowspec(flowspec).map_err(|why| CommandError::BadFlowspec(why.to_string()))?;
    }
    Ok(())
}
