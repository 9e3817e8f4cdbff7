//! LSP tunnels (RFC 3209): what neighbours say of them, as bare objects, since the engine has no types for them.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use rsvp_core::input::Encapsulation;
use rsvp_core::wire::{
    Adspec, ClassNum, ErrorSpec, GeneralParameters, Header, IntServAdspec, MessageType, Object, RawMessage,
    RawObject, RsvpHop, ServiceFragment, Style,
};

use crate::bench::dut::{Dut, TTL, millis};
use crate::bench::messages::{cl, object, tspec};
use crate::bench::plan::{Port, Station};
use crate::bench::tester::{Packet, Sent};

/// The label that D1 gives the DUT, unless a case says otherwise.
pub const LABEL_OF_D1: u32 = 1000;

/// The L bit of a subobject: a loose hop.
const LOOSE: u8 = 0x80;
/// The subobject of an IPv4 address.
const IPV4: u8 = 1;

/// One LSP of a tunnel (RFC 3209 section 4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lsp {
    /// The end of the tunnel.
    pub end: Ipv4Addr,
    /// The Tunnel ID.
    pub tunnel: u16,
    /// Where it begins; this is its Extended Tunnel ID too.
    pub ingress: Ipv4Addr,
    /// The LSP ID.
    pub id: u16,
}

impl Lsp {
    /// Its SESSION.
    #[must_use]
    pub fn session(self) -> RawObject {
        let Self { end, tunnel, ingress, .. } = self;
        let numbers = [[0; 2], tunnel.to_be_bytes()].concat();
        object(ClassNum::SESSION.0, 7, &[&end.octets()[..], &numbers, &ingress.octets()].concat())
    }

    /// Its SENDER_TEMPLATE.
    #[must_use]
    pub fn sender_template(self) -> RawObject {
        object(ClassNum::SENDER_TEMPLATE.0, 7, &self.sender())
    }

    /// Its FILTER_SPEC.
    #[must_use]
    pub fn filter_spec(self) -> RawObject {
        object(ClassNum::FILTER_SPEC.0, 7, &self.sender())
    }

    fn sender(self) -> Vec<u8> {
        let numbers = [[0; 2], self.id.to_be_bytes()].concat();
        [&self.ingress.octets()[..], &numbers].concat()
    }
}

/// The subobject of a hop that has to be the next one: an address and the length of its prefix.
#[must_use]
pub fn strict(hop: Ipv4Addr, prefix: u8) -> Vec<u8> {
    [&[IPV4, 8][..], &hop.octets(), &[prefix, 0]].concat()
}

/// The subobject of a hop that other nodes may come before.
#[must_use]
pub fn loose(hop: Ipv4Addr, prefix: u8) -> Vec<u8> {
    let mut subobject = strict(hop, prefix);
    subobject[0] |= LOOSE;
    subobject
}

/// The subobject of a node that was passed, without flags.
#[must_use]
pub fn passed(hop: Ipv4Addr) -> Vec<u8> {
    strict(hop, 32)
}

/// An EXPLICIT_ROUTE of these subobjects.
#[must_use]
pub fn explicit_route(subobjects: &[Vec<u8>]) -> RawObject {
    object(ClassNum::EXPLICIT_ROUTE.0, 1, &subobjects.concat())
}

/// A RECORD_ROUTE of these subobjects.
#[must_use]
pub fn record_route(subobjects: &[Vec<u8>]) -> RawObject {
    object(ClassNum::RECORD_ROUTE.0, 1, &subobjects.concat())
}

/// A LABEL.
#[must_use]
pub fn label(label: u32) -> RawObject {
    object(ClassNum::LABEL.0, 1, &label.to_be_bytes())
}

/// A LABEL_REQUEST without a range, for payload of an Ethertype.
#[must_use]
pub fn label_request(l3pid: u16) -> RawObject {
    object(ClassNum::LABEL_REQUEST.0, 1, &[[0; 2], l3pid.to_be_bytes()].concat())
}

/// A SESSION_ATTRIBUTE without affinities: priorities 7 and 7, these flags, and a name of four letters.
#[must_use]
pub fn session_attribute(flags: u8) -> RawObject {
    object(ClassNum::SESSION_ATTRIBUTE.0, 7, &[7, 7, flags, 4, b't', b'e', b's', b't'])
}

/// The objects of a message, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objects(pub Vec<RawObject>);

impl Objects {
    /// The same with another object in place of the first one of its class.
    ///
    /// # Panics
    ///
    /// When there is none of its class.
    #[must_use]
    pub fn with(mut self, other: RawObject) -> Self {
        let place = self.0.iter_mut().find(|object| object.class == other.class);
        *place.expect("an object of this class") = other;
        self
    }

    /// The same without the objects of a class.
    #[must_use]
    pub fn without(mut self, class: ClassNum) -> Self {
        self.0.retain(|object| object.class != class.0);
        self
    }

    /// The same with one more object behind the first one of a class.
    ///
    /// # Panics
    ///
    /// When there is none of that class.
    #[must_use]
    pub fn with_behind(mut self, class: ClassNum, object: RawObject) -> Self {
        let place = self.0.iter().position(|object| object.class == class.0);
        self.0.insert(place.expect("an object of this class") + 1, object);
        self
    }
}

/// A message about an LSP tunnel that the DUT sent.
#[derive(Clone, Debug)]
pub struct Tunneled {
    /// When, and where.
    pub sent: Sent,
    /// Its objects.
    pub raw: RawMessage,
}

impl Tunneled {
    /// The classes of its objects, in order.
    #[must_use]
    pub fn classes(&self) -> Vec<ClassNum> {
        self.raw.objects.iter().map(|placed| placed.object.class_num()).collect()
    }

    /// Its objects of a class.
    #[must_use]
    pub fn all(&self, class: ClassNum) -> Vec<&RawObject> {
        let objects = self.raw.objects.iter().map(|placed| &placed.object);
        objects.filter(|object| object.class_num() == class).collect()
    }

    /// Its first object of a class.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn object(&self, class: ClassNum) -> &RawObject {
        self.all(class)
            .first()
            .copied()
            .unwrap_or_else(|| panic!("expected an object of class {class}, not {self:?}"))
    }

    /// The subobjects of its first object of a class, which is an EXPLICIT_ROUTE or a RECORD_ROUTE.
    ///
    /// # Panics
    ///
    /// When there is no such object, or a subobject's length is none.
    #[must_use]
    pub fn subobjects(&self, class: ClassNum) -> Vec<&[u8]> {
        let mut rest = &self.object(class).contents[..];
        let mut subobjects = Vec::new();
        while let Some(length) = rest.get(1) {
            let length = usize::from(*length);
            assert!((4..=rest.len()).contains(&length), "the length of a subobject: {self:?}");
            let (subobject, others) = rest.split_at(length);
            subobjects.push(subobject);
            rest = others;
        }
        subobjects
    }

    /// Its RSVP_HOP.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn hop(&self) -> RsvpHop {
        self.raw.hop().unwrap_or_else(|| panic!("expected an RSVP_HOP, not {self:?}"))
    }

    /// The R of its TIME_VALUES.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn refresh_period(&self) -> Duration {
        let contents = &self.object(ClassNum::TIME_VALUES).contents;
        let milliseconds = contents[..].try_into().map(u32::from_be_bytes);
        Duration::from_millis(milliseconds.unwrap_or_else(|_| panic!("expected an R, not {self:?}")).into())
    }

    /// Its first LABEL.
    ///
    /// # Panics
    ///
    /// When it has none of four octets.
    #[must_use]
    pub fn label(&self) -> u32 {
        let contents = &self.object(ClassNum::LABEL).contents;
        u32::from_be_bytes(
            contents[..].try_into().unwrap_or_else(|_| panic!("expected a LABEL, not {self:?}")),
        )
    }

    /// The code and value of its ERROR_SPEC.
    ///
    /// # Panics
    ///
    /// When there is none of IPv4.
    #[must_use]
    pub fn error(&self) -> (u8, u16) {
        match &self.object(ClassNum::ERROR_SPEC).contents[..] {
            [_, _, _, _, _, code, high, low] => (*code, u16::from_be_bytes([*high, *low])),
            _ => panic!("expected an ERROR_SPEC, not {self:?}"),
        }
    }
}

/// LSP tunnels that the neighbours set up through the DUT.
impl Dut {
    /// An LSP of the tunnel that leads from the host of S1, behind U1, to the host of H, behind D1.
    #[must_use]
    pub fn lsp(&self, id: u16) -> Lsp {
        Lsp { end: v4(self.plan.address(7, 7)), tunnel: 1, ingress: v4(self.plan.address(0, 1)), id }
    }

    /// An LSP from the host of S1 to the DUT itself, which is its egress.
    #[must_use]
    pub fn lsp_here(&self, id: u16) -> Lsp {
        Lsp { end: self.on(Port::A), ..self.lsp(id) }
    }

    /// The IPv4 address of the DUT on a port.
    #[must_use]
    pub fn on(&self, port: Port) -> Ipv4Addr {
        v4(self.plan.dut(port))
    }

    /// An IPv4 address of the plan.
    #[must_use]
    pub fn host(&self, net: u8, host: u8) -> Ipv4Addr {
        v4(self.plan.address(net, host))
    }

    /// The IPv4 address of a neighbour.
    #[must_use]
    pub fn at(&self, station: Station) -> Ipv4Addr {
        v4(self.plan.station(station))
    }

    /// The Path of an LSP from a neighbour, with all that RFC 3209 may have in it: the route leads to the DUT, over D1, and
    /// loosely to the end of the tunnel; SE style is asked for, and no recording of labels.
    ///
    /// # Panics
    ///
    /// When an object cannot be encoded.
    #[must_use]
    pub fn tunnel_path(&self, from: Station, lsp: Lsp) -> Objects {
        let mut route = vec![strict(self.on(from.port()), 32)];
        if !Port::ALL.iter().any(|port| self.on(*port) == lsp.end) {
            route.extend([strict(self.at(Station::D1), 32), loose(lsp.end, 32)]);
        }
        let adspec = IntServAdspec {
            general: GeneralParameters {
                broken: false,
                is_hops: 1,
                bandwidth: 1e7,
                latency: 0,
                path_mtu: 1500,
            },
            guaranteed: None,
            controlled_load: Some(ServiceFragment::default()),
            other: Vec::new(),
        };
        Objects(vec![
            lsp.session(),
            encoded(&Object::RsvpHop(RsvpHop { address: self.plan.station(from), lih: 77 })),
            encoded(&Object::TimeValues(millis(self.r()))),
            explicit_route(&route),
            label_request(0x0800),
            session_attribute(0x04),
            lsp.sender_template(),
            encoded(&Object::SenderTspec(tspec(20.0))),
            encoded(&Object::Adspec(Adspec::IntServ(adspec))),
            record_route(&[passed(self.at(from)), passed(lsp.ingress)]),
        ])
    }

    /// The PathTear of an LSP from a neighbour.
    #[must_use]
    pub fn tunnel_path_tear(&self, from: Station, lsp: Lsp) -> Objects {
        let only_path = [
            ClassNum::TIME_VALUES,
            ClassNum::EXPLICIT_ROUTE,
            ClassNum::LABEL_REQUEST,
            ClassNum::SESSION_ATTRIBUTE,
            ClassNum::RECORD_ROUTE,
        ];
        only_path.into_iter().fold(self.tunnel_path(from, lsp), Objects::without)
    }

    /// A PathErr about an LSP, found by a node far away.
    #[must_use]
    pub fn tunnel_path_err(&self, lsp: Lsp, code: u8, value: u16) -> Objects {
        let error = ErrorSpec { node: self.plan.far(), flags: 0, code, value, enterprise: None };
        let path = self.tunnel_path(Station::U1, lsp);
        let sender = [ClassNum::SENDER_TEMPLATE, ClassNum::SENDER_TSPEC, ClassNum::ADSPEC];
        let sender = path.0.into_iter().filter(|object| sender.contains(&object.class_num()));
        Objects([lsp.session(), encoded(&Object::ErrorSpec(error))].into_iter().chain(sender).collect())
    }

    /// The Resv of an LSP from D1, which has had a Path of the DUT: its style is SE, the label [`LABEL_OF_D1`], the route
    /// recorded that of D1 and the end of the tunnel.
    #[must_use]
    pub fn tunnel_resv(&self, path: &Tunneled, lsp: Lsp) -> Objects {
        Objects(vec![
            lsp.session(),
            encoded(&Object::RsvpHop(RsvpHop {
                address: self.plan.station(Station::D1),
                lih: path.hop().lih,
            })),
            encoded(&Object::TimeValues(millis(self.r()))),
            encoded(&Object::Style(Style::Se)),
            encoded(&Object::Flowspec(cl(20.0))),
            lsp.filter_spec(),
            label(LABEL_OF_D1),
            record_route(&[passed(self.at(Station::D1)), passed(lsp.end)]),
        ])
    }

    /// The ResvTear that matches [`Dut::tunnel_resv`].
    #[must_use]
    pub fn tunnel_resv_tear(&self, path: &Tunneled, lsp: Lsp) -> Objects {
        let only_resv = [ClassNum::TIME_VALUES, ClassNum::LABEL, ClassNum::RECORD_ROUTE];
        only_resv.into_iter().fold(self.tunnel_resv(path, lsp), Objects::without)
    }

    /// Sends a message about an LSP from a neighbour's place, packed as RFC 2205 says, and gives the DUT the time to react.
    ///
    /// # Panics
    ///
    /// When it cannot be encoded.
    pub fn send_tunnel(&mut self, from: Station, message_type: MessageType, lsp: Lsp, objects: Objects) {
        let packet = self.pack_tunnel(from, message_type, lsp, objects);
        self.send_packet(from, &packet);
    }

    /// The same message in its packet.
    ///
    /// # Panics
    ///
    /// When it cannot be encoded.
    #[must_use]
    pub fn pack_tunnel(
        &self,
        from: Station,
        message_type: MessageType,
        lsp: Lsp,
        objects: Objects,
    ) -> Packet {
        let header = Header { flags: 0, send_ttl: TTL };
        let mut message = Vec::new();
        let raw = RawMessage::new(message_type, header, objects.0).expect("it is encodable");
        raw.encode(&mut message).expect("it is encodable");
        let travels = matches!(message_type, MessageType::PATH | MessageType::PATH_TEAR);
        let (source, destination) = match travels {
            true => (lsp.ingress.into(), lsp.end.into()),
            false => (self.plan.station(from), self.plan.dut(from.port())),
        };
        let encapsulation = Encapsulation::Raw;
        Packet { source, destination, ttl: TTL, router_alert: travels, encapsulation, message }
    }

    /// Takes the first message about an LSP tunnel of a type that the DUT sent out of a port.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn expect_tunnel(&mut self, port: Port, message_type: MessageType) -> Tunneled {
        let sent = self.expect_sent(port, message_type);
        let raw = RawMessage::decode(&sent.packet.message).expect("the monitor has seen it");
        Tunneled { sent, raw }
    }

    /// Sets up an LSP from U1 to D1, whose last message is a Resv to U1: the Path that D1 got, and that Resv.
    pub fn set_up(&mut self, lsp: Lsp) -> (Tunneled, Tunneled) {
        let objects = self.tunnel_path(Station::U1, lsp);
        self.set_up_by(lsp, objects)
    }

    /// The same with a Path of one's own.
    pub fn set_up_by(&mut self, lsp: Lsp, path: Objects) -> (Tunneled, Tunneled) {
        self.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
        let path = self.expect_tunnel(Port::C, MessageType::PATH);
        let resv = self.tunnel_resv(&path, lsp);
        self.send_tunnel(Station::D1, MessageType::RESV, lsp, resv);
        let resv = self.expect_tunnel(Port::A, MessageType::RESV);
        (path, resv)
    }
}

fn v4(address: IpAddr) -> Ipv4Addr {
    match address {
        IpAddr::V4(address) => address,
        IpAddr::V6(address) => panic!("LSP tunnels are tried over IPv4, not from or to {address}"),
    }
}

fn encoded(object: &Object) -> RawObject {
    object.encode().expect("it is encodable")
}
