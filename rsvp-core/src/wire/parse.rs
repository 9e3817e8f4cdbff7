//! Stage two: a list of objects to a typed message (RFC 2205 sections 3.1.3 to 3.1.9, 3.10).

use alloc::vec::Vec;
use core::net::IpAddr;

use super::adspec::Adspec;
use super::code::{ClassNum, MessageType, UnknownClassAction};
use super::error::{DecodeError, DecodeErrorKind};
use super::error_spec::ErrorSpec;
use super::filter_spec::{FilterSpec, SenderTemplate};
use super::flowspec::Flowspec;
use super::hop::{RsvpHop, is_unicast};
use super::message::{FlowDescriptor, Message, Path, PathErr, PathTear, Resv, ResvConf, ResvErr, ResvTear};
use super::message_id::{IdEntries, IdList, Srefresh, may_have_id};
use super::object::{Contents, Object, RawObject, RawObjectAt};
use super::raw::RawMessage;
use super::sender_tspec::SenderTspec;
use super::session::{Session, SessionKey};
use super::style::Style;

impl Message {
    /// Interprets the objects of a message.
    ///
    /// Objects are accepted in any order, except that INTEGRITY comes first, and that STYLE and the flow descriptors
    /// come last (section 3.1). NULL objects are ignored. Objects of unknown class are treated as the two high-order
    /// bits of the class say (section 3.10). MESSAGE_ID and acknowledgements stand in front, as RFC 2961 section 4.1 has
    /// it; their contents are [`Head::split`](super::Head::split)'s business. A Bundle is not one message; see
    /// [`Bundle`](super::Bundle).
    ///
    /// # Errors
    ///
    /// The first fault found. [`DecodeError::reply`] says whether it is to be answered.
    pub fn parse(raw: &RawMessage, max_objects: usize) -> Result<Self, DecodeError> {
        let message_type = raw.header.message_type;
        let legal = legal_classes(message_type)
            .ok_or_else(|| DecodeError::new(1, DecodeErrorKind::UnknownMessageType(message_type)))?;
        if let Some(placed) = raw.objects.get(max_objects) {
            let kind = DecodeErrorKind::TooManyObjects { limit: max_objects };
            return Err(DecodeError::new(placed.offset, kind));
        }
        let mut parts = Parts { end: usize::from(raw.header.length), ..Parts::default() };
        for (position, placed) in raw.objects.iter().enumerate() {
            parts.take(placed, position, message_type, legal)?;
        }
        match message_type {
            MessageType::PATH => parts.path().map(Self::Path),
            MessageType::RESV => parts.resv().map(Self::Resv),
            MessageType::PATH_ERR => parts.path_err().map(Self::PathErr),
            MessageType::RESV_ERR => parts.resv_err().map(Self::ResvErr),
            MessageType::PATH_TEAR => parts.path_tear().map(Self::PathTear),
            MessageType::RESV_TEAR => parts.resv_tear().map(Self::ResvTear),
            MessageType::RESV_CONF => parts.resv_conf().map(Self::ResvConf),
            MessageType::SREFRESH => parts.srefresh().map(Self::Srefresh),
            _ => parts.ack(),
        }
    }
}

const SENDER_DESCRIPTOR: [ClassNum; 3] =
    [ClassNum::SENDER_TEMPLATE, ClassNum::SENDER_TSPEC, ClassNum::ADSPEC];
const FLOW_DESCRIPTORS: [ClassNum; 3] = [ClassNum::STYLE, ClassNum::FLOWSPEC, ClassNum::FILTER_SPEC];

/// The known classes that a message type has a place for, beside SESSION, INTEGRITY and NULL: the sender descriptor or
/// the flow descriptors, and others. `None` for an unknown message type.
fn legal_classes(message_type: MessageType) -> Option<[&'static [ClassNum]; 2]> {
    Some(match message_type {
        MessageType::PATH => {
            [&SENDER_DESCRIPTOR, &[ClassNum::RSVP_HOP, ClassNum::TIME_VALUES, ClassNum::POLICY_DATA]]
        }
        MessageType::RESV => [
            &FLOW_DESCRIPTORS,
            &[
                ClassNum::RSVP_HOP,
                ClassNum::TIME_VALUES,
                ClassNum::RESV_CONFIRM,
                ClassNum::SCOPE,
                ClassNum::POLICY_DATA,
            ],
        ],
        MessageType::PATH_ERR => [&SENDER_DESCRIPTOR, &[ClassNum::ERROR_SPEC, ClassNum::POLICY_DATA]],
        MessageType::RESV_ERR => [
            &FLOW_DESCRIPTORS,
            &[ClassNum::RSVP_HOP, ClassNum::ERROR_SPEC, ClassNum::SCOPE, ClassNum::POLICY_DATA],
        ],
        MessageType::PATH_TEAR => [&SENDER_DESCRIPTOR, &[ClassNum::RSVP_HOP]],
        MessageType::RESV_TEAR => [&FLOW_DESCRIPTORS, &[ClassNum::RSVP_HOP, ClassNum::SCOPE]],
        MessageType::RESV_CONF => [&FLOW_DESCRIPTORS, &[ClassNum::ERROR_SPEC, ClassNum::RESV_CONFIRM]],
        MessageType::ACK => [&[], &[]],
        MessageType::SREFRESH => [&[], &[ClassNum::MESSAGE_ID_LIST]],
        _ => return None,
    })
}

/// The objects of a message by class.
#[derive(Default)]
struct Parts {
    session: Option<Session>,
    hop: Option<RsvpHop>,
    refresh_ms: Option<u32>,
    error: Option<ErrorSpec>,
    scope: Option<Vec<IpAddr>>,
    confirm: Option<IpAddr>,
    policy: Vec<RawObject>,
    sender_template: Option<SenderTemplate>,
    sender_tspec: Option<SenderTspec>,
    adspec: Option<Adspec>,
    style: Option<Style>,
    flows: Vec<FlowItem>,
    forward: Vec<RawObject>,
    lists: Vec<IdList>,
    /// Whether there is an acknowledgement.
    acknowledges: bool,
    /// How far the message has come.
    order: Order,
    /// Whether the flow is one of IPv4.
    is_ipv4: Option<bool>,
    /// Whether SESSION has a virtual port, and a SENDER_TEMPLATE or FILTER_SPEC a generalised port identifier.
    is_gpi: Option<bool>,
    /// Where the message ends, for errors that have no other place.
    end: usize,
}

/// One object of a flow descriptor list.
enum FlowItem {
    Flowspec(Flowspec),
    Filter(FilterSpec),
}

/// Where in a message one is (RFC 2961 section 4.1).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    #[default]
    Start,
    Acknowledgements,
    MessageId,
    Body,
}

/// What a message type asks of its flow descriptor list.
struct FlowRule {
    flowspec_required: bool,
    may_be_empty: bool,
    single: bool,
}

impl Parts {
    fn take(
        &mut self,
        placed: &RawObjectAt,
        position: usize,
        message_type: MessageType,
        legal: [&[ClassNum]; 2],
    ) -> Result<(), DecodeError> {
        let class = placed.object.class_num();
        let fault = |kind| Err(DecodeError::new(placed.offset, kind));
        match class {
            ClassNum::NULL => return Ok(()),
            ClassNum::INTEGRITY if position == 0 => return Ok(()),
            ClassNum::INTEGRITY => return fault(DecodeErrorKind::MisplacedObject(class)),
            ClassNum::MESSAGE_ID | ClassNum::MESSAGE_ID_ACK => return self.take_head(placed, message_type),
            _ => self.order = Order::Body,
        }
        match class {
            _ if !class.is_known() => return self.take_unknown(placed),
            ClassNum::SESSION if message_type.has_session() => {}
            _ if !legal.iter().any(|classes| classes.contains(&class)) => {
                return fault(DecodeErrorKind::UnexpectedObject(class));
            }
            _ => {}
        }
        let in_list = matches!(class, ClassNum::FLOWSPEC | ClassNum::FILTER_SPEC);
        if self.style.is_some() != in_list && !(class == ClassNum::STYLE && self.style.is_some()) {
            return fault(DecodeErrorKind::MisplacedObject(class));
        }
        let fresh = match placed.decode()? {
            Object::Session(session) => {
                check_session(placed, &session)?;
                self.check_gpi(placed, matches!(session.key, SessionKey::Gpi(_)))?;
                self.check_family(placed, session.key.destination())?;
                self.session.replace(session).is_none()
            }
            Object::RsvpHop(hop) => {
                check_hop(placed, &hop)?;
                self.hop.replace(hop).is_none()
            }
            Object::TimeValues(refresh_ms) => self.refresh_ms.replace(refresh_ms).is_none(),
            Object::ErrorSpec(error) => self.error.replace(error).is_none(),
            Object::Scope(scope) => {
                scope.first().map_or(Ok(()), |source| self.check_family(placed, *source))?;
                self.scope.replace(scope).is_none()
            }
            Object::ResvConfirm(receiver) => self.confirm.replace(receiver).is_none(),
            Object::SenderTemplate(template) => {
                check_filter(placed, &template)?;
                self.check_gpi(placed, matches!(template, FilterSpec::Gpi { .. }))?;
                self.check_family(placed, template.source())?;
                self.sender_template.replace(template).is_none()
            }
            Object::SenderTspec(tspec) => self.sender_tspec.replace(tspec).is_none(),
            Object::Adspec(adspec) => self.adspec.replace(adspec).is_none(),
            Object::Style(style) => self.style.replace(style).is_none(),
            Object::PolicyData(policy) => {
                self.policy.push(policy);
                true
            }
            Object::Flowspec(flowspec) => {
                self.flows.push(FlowItem::Flowspec(flowspec));
                true
            }
            Object::FilterSpec(filter) => {
                check_filter(placed, &filter)?;
                self.check_gpi(placed, matches!(filter, FilterSpec::Gpi { .. }))?;
                self.check_family(placed, filter.source())?;
                self.flows.push(FlowItem::Filter(filter));
                true
            }
            Object::MessageIdList(list) => {
                self.take_list(placed, list)?;
                true
            }
            Object::Null
            | Object::Integrity(_)
            | Object::MessageId(_)
            | Object::MessageIdAck(_)
            | Object::Unknown(_) => true,
        };
        if fresh { Ok(()) } else { fault(DecodeErrorKind::DuplicateObject(class)) }
    }

    /// Acknowledgements come first, then at most one MESSAGE_ID, then all else (RFC 2961 section 4.1).
    fn take_head(&mut self, placed: &RawObjectAt, message_type: MessageType) -> Result<(), DecodeError> {
        let class = placed.object.class_num();
        let fault = |kind| Err(DecodeError::new(placed.offset, kind));
        let order = if class == ClassNum::MESSAGE_ID { Order::MessageId } else { Order::Acknowledgements };
        if order == Order::MessageId && !may_have_id(message_type) {
            return fault(DecodeErrorKind::UnexpectedObject(class));
        }
        if order == Order::MessageId && self.order == Order::MessageId {
            return fault(DecodeErrorKind::DuplicateObject(class));
        }
        if order < self.order {
            return fault(DecodeErrorKind::MisplacedObject(class));
        }
        self.order = order;
        self.acknowledges |= order == Order::Acknowledgements;
        placed.decode().map(drop)
    }

    /// SRC_LIST is not combined with the other lists (RFC 2961 section 5.2).
    fn take_list(&mut self, placed: &RawObjectAt, list: IdList) -> Result<(), DecodeError> {
        let has_sources = |list: &IdList| matches!(list.entries, IdEntries::Sources(_));
        if self.lists.first().is_some_and(|first| has_sources(first) != has_sources(&list)) {
            return Err(DecodeError::new(placed.offset, DecodeErrorKind::MixedLists));
        }
        self.lists.push(list);
        Ok(())
    }

    fn take_unknown(&mut self, placed: &RawObjectAt) -> Result<(), DecodeError> {
        let object = &placed.object;
        let class = object.class_num();
        let has_vendor = !class.is_private() || object.contents.len() >= ENTERPRISE_CODE_LEN;
        check(placed, has_vendor, "there is no enterprise code")?;
        match class.unknown_action() {
            UnknownClassAction::Ignore => Ok(()),
            UnknownClassAction::Forward => {
                self.forward.push(object.clone());
                Ok(())
            }
            UnknownClassAction::Reject => {
                let kind = DecodeErrorKind::UnknownClass { class, ctype: object.ctype };
                Err(DecodeError::new(placed.offset, kind))
            }
        }
    }

    /// Source and destination of a flow are of one address family: a stray sender must not get into a session whose
    /// messages then cannot name it.
    fn check_family(&mut self, placed: &RawObjectAt, address: IpAddr) -> Result<(), DecodeError> {
        let is_ipv4 = *self.is_ipv4.get_or_insert(address.is_ipv4());
        check(placed, is_ipv4 == address.is_ipv4(), "the address family is not that of the other objects")
    }

    /// A GPI SESSION goes with GPI senders only, and the other way round (RFC 2207 section 4.1).
    fn check_gpi(&mut self, placed: &RawObjectAt, is_gpi: bool) -> Result<(), DecodeError> {
        if *self.is_gpi.get_or_insert(is_gpi) == is_gpi {
            return Ok(());
        }
        let kind = DecodeErrorKind::ConflictingCType(placed.object.class_num());
        Err(DecodeError::new(placed.offset, kind))
    }

    fn required<T>(&self, part: Option<T>, class: ClassNum) -> Result<T, DecodeError> {
        part.ok_or_else(|| DecodeError::new(self.end, DecodeErrorKind::MissingObject(class)))
    }

    fn session(&self) -> Result<Session, DecodeError> {
        self.required(self.session, ClassNum::SESSION)
    }

    fn hop(&self) -> Result<RsvpHop, DecodeError> {
        self.required(self.hop, ClassNum::RSVP_HOP)
    }

    fn refresh_ms(&self) -> Result<u32, DecodeError> {
        self.required(self.refresh_ms, ClassNum::TIME_VALUES)
    }

    fn error(&self) -> Result<ErrorSpec, DecodeError> {
        self.required(self.error, ClassNum::ERROR_SPEC)
    }

    fn sender_template(&self) -> Result<SenderTemplate, DecodeError> {
        self.required(self.sender_template, ClassNum::SENDER_TEMPLATE)
    }

    fn style(&self) -> Result<Style, DecodeError> {
        self.required(self.style, ClassNum::STYLE)
    }

    fn path(mut self) -> Result<Path, DecodeError> {
        let sender_tspec = self.sender_tspec.take();
        Ok(Path {
            session: self.session()?,
            hop: self.hop()?,
            refresh_ms: self.refresh_ms()?,
            sender_template: self.sender_template()?,
            sender_tspec: self.required(sender_tspec, ClassNum::SENDER_TSPEC)?,
            adspec: self.adspec,
            policy: self.policy,
            forward: self.forward,
        })
    }

    fn resv(mut self) -> Result<Resv, DecodeError> {
        let rule = FlowRule { flowspec_required: true, may_be_empty: false, single: false };
        Ok(Resv {
            session: self.session()?,
            hop: self.hop()?,
            refresh_ms: self.refresh_ms()?,
            style: self.style()?,
            flows: self.flows(&rule)?,
            confirm: self.confirm,
            scope: self.scope,
            policy: self.policy,
            forward: self.forward,
        })
    }

    fn path_err(self) -> Result<PathErr, DecodeError> {
        Ok(PathErr {
            session: self.session()?,
            error: self.error()?,
            sender_template: self.sender_template()?,
            sender_tspec: self.sender_tspec,
            adspec: self.adspec,
            policy: self.policy,
            forward: self.forward,
        })
    }

    fn resv_err(mut self) -> Result<ResvErr, DecodeError> {
        let rule = FlowRule { flowspec_required: false, may_be_empty: true, single: true };
        Ok(ResvErr {
            session: self.session()?,
            hop: self.hop()?,
            error: self.error()?,
            style: self.style()?,
            flows: self.flows(&rule)?,
            scope: self.scope,
            policy: self.policy,
            forward: self.forward,
        })
    }

    fn path_tear(self) -> Result<PathTear, DecodeError> {
        Ok(PathTear {
            session: self.session()?,
            hop: self.hop()?,
            sender_template: self.sender_template()?,
            sender_tspec: self.sender_tspec,
            adspec: self.adspec,
            forward: self.forward,
        })
    }

    fn resv_tear(mut self) -> Result<ResvTear, DecodeError> {
        let rule = FlowRule { flowspec_required: false, may_be_empty: false, single: false };
        Ok(ResvTear {
            session: self.session()?,
            hop: self.hop()?,
            style: self.style()?,
            flows: self.flows(&rule)?,
            scope: self.scope,
            forward: self.forward,
        })
    }

    fn resv_conf(mut self) -> Result<ResvConf, DecodeError> {
        let rule = FlowRule { flowspec_required: false, may_be_empty: true, single: false };
        Ok(ResvConf {
            session: self.session()?,
            error: self.error()?,
            confirm: self.required(self.confirm, ClassNum::RESV_CONFIRM)?,
            style: self.style()?,
            flows: self.flows(&rule)?,
            forward: self.forward,
        })
    }

    /// At least one acknowledgement (RFC 2961 section 4.4).
    fn ack(self) -> Result<Message, DecodeError> {
        self.required(self.acknowledges.then_some(Message::Ack), ClassNum::MESSAGE_ID_ACK)
    }

    /// At least one list (RFC 2961 section 5.2).
    fn srefresh(self) -> Result<Srefresh, DecodeError> {
        self.required(self.lists.first(), ClassNum::MESSAGE_ID_LIST)?;
        Ok(Srefresh { lists: self.lists })
    }

    /// The flow descriptor list.
    fn flows(&mut self, rule: &FlowRule) -> Result<Vec<FlowDescriptor>, DecodeError> {
        let items = core::mem::take(&mut self.flows);
        let flows = match self.style()? {
            Style::Ff => fixed_filter(items),
            Style::Se | Style::Wf if items.is_empty() && rule.may_be_empty => Ok(Vec::new()),
            Style::Se => shared(items, true),
            Style::Wf => shared(items, false),
        };
        let check = |flows: Vec<FlowDescriptor>| {
            if rule.flowspec_required && flows.iter().any(|flow| flow.flowspec.is_none()) {
                return Err("a FLOWSPEC is missing");
            }
            match flows.len() {
                0 if !rule.may_be_empty => Err("the flow descriptor list is empty"),
                2.. if rule.single => Err("more than one flow descriptor"),
                _ => Ok(flows),
            }
        };
        flows
            .and_then(check)
            .map_err(|reason| DecodeError::new(self.end, DecodeErrorKind::BadFlowDescriptors(reason)))
    }
}

/// Octets of the enterprise code of a vendor's object (RFC 3936 section 2.2).
const ENTERPRISE_CODE_LEN: usize = 4;

/// What the opaque FLOWSPECs of one FF message may take, each counted once per FILTER_SPEC, in octets: as much as
/// they could take in a message that leaves none of them out.
const MAX_COPIED: usize = u16::MAX as usize;

/// The list of an FF message: a FLOWSPEC holds for all filters behind it, up to the next one.
fn fixed_filter(items: Vec<FlowItem>) -> Result<Vec<FlowDescriptor>, &'static str> {
    let mut flows = Vec::new();
    let mut flowspec = None;
    let mut unused = false;
    let mut copied = 0;
    for item in items {
        match item {
            FlowItem::Flowspec(_) if unused => return Err("a FLOWSPEC has no FILTER_SPEC"),
            FlowItem::Flowspec(next) => {
                flowspec = Some(next);
                unused = true;
            }
            FlowItem::Filter(filter) => {
                // A datagram must not become a thousand times as large by copying.
                if let Some(Flowspec::Opaque(object)) = &flowspec {
                    copied += object.encoded_len();
                }
                if copied > MAX_COPIED {
                    return Err("the FLOWSPEC is too long for its FILTER_SPECs");
                }
                flows.push(FlowDescriptor { flowspec: flowspec.clone(), filters: [filter].into() });
                unused = false;
            }
        }
    }
    if unused { Err("a FLOWSPEC has no FILTER_SPEC") } else { Ok(flows) }
}

/// The list of an SE or WF message: one FLOWSPEC, and for SE the filters that share it.
fn shared(items: Vec<FlowItem>, explicit: bool) -> Result<Vec<FlowDescriptor>, &'static str> {
    let mut flow = FlowDescriptor { flowspec: None, filters: Vec::new() };
    for item in items {
        match item {
            FlowItem::Flowspec(_) if flow.flowspec.is_some() => return Err("more than one FLOWSPEC"),
            FlowItem::Flowspec(_) if !flow.filters.is_empty() => {
                return Err("the FLOWSPEC is behind its FILTER_SPEC");
            }
            FlowItem::Flowspec(flowspec) => flow.flowspec = Some(flowspec),
            FlowItem::Filter(_) if !explicit => return Err("FILTER_SPEC in a wildcard message"),
            FlowItem::Filter(filter) => flow.filters.push(filter),
        }
    }
    if explicit && flow.filters.is_empty() { Err("a FILTER_SPEC is missing") } else { Ok([flow].into()) }
}

fn check(placed: &RawObjectAt, fine: bool, reason: &'static str) -> Result<(), DecodeError> {
    let contents = Contents::new(&placed.object, placed.offset);
    if fine { Ok(()) } else { Err(contents.bad(placed.offset, reason)) }
}

/// DestAddress and Protocol Id must be non-zero (RFC 2205 section A.1), and a virtual port too (RFC 2207 section 4.1).
fn check_session(placed: &RawObjectAt, session: &Session) -> Result<(), DecodeError> {
    let flow = session.key.flow();
    check(placed, !flow.destination.is_unspecified(), "DestAddress is zero")?;
    check(placed, flow.protocol != 0, "Protocol Id is zero")?;
    let has_port = matches!(session.key, SessionKey::Ip(_)) || flow.port != 0;
    check(placed, has_port, "vDstPort is zero")
}

/// A hop is one interface of one node (RFC 2205 section A.2, Appendix B).
fn check_hop(placed: &RawObjectAt, hop: &RsvpHop) -> Result<(), DecodeError> {
    check(placed, is_unicast(hop.address), "the hop address is no unicast address")
}

/// SrcAddress must be non-zero (RFC 2205 section A.9).
fn check_filter(placed: &RawObjectAt, filter: &FilterSpec) -> Result<(), DecodeError> {
    check(placed, !filter.source().is_unspecified(), "SrcAddress is zero")
}
