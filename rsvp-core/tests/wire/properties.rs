//! Properties that hold for all messages and all bytes.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rsvp_core::wire::{
    Acknowledgement, Adspec, Bundle, ErrorSpec, FilterSpec, FlaggedId, FlowDescriptor, FlowKey, Flowspec,
    GeneralParameters, GuaranteedFragment, Head, Header, IdEntries, IdList, IntServAdspec, Message,
    MessageId, Object, Overrides, Path, PathErr, PathTear, RawFragment, RawMessage, RawObject, Resv,
    ResvConf, ResvErr, ResvTear, Rspec, RsvpHop, SenderTspec, ServiceFragment, Session, SessionKey, Srefresh,
    Style, Tspec, messages,
};

use super::{MAX_OBJECTS, parse};

/// The kind of a message's flow: its address family, and whether it has GPIs in place of ports.
#[derive(Clone, Copy)]
struct Net {
    v6: bool,
    gpi: bool,
}

fn address(v6: bool) -> BoxedStrategy<IpAddr> {
    // 1.0.0.0 to 223.255.255.255, or global unicast.
    let v4 = (0x0100_0000..0xe000_0000_u32).prop_map(|bits| IpAddr::V4(Ipv4Addr::from(bits)));
    let v6_range = (0x2000_u128 << 112)..(0x4000_u128 << 112);
    let v6_address = v6_range.prop_map(|bits| IpAddr::V6(Ipv6Addr::from(bits)));
    if v6 { v6_address.boxed() } else { v4.boxed() }
}

fn session(net: Net) -> impl Strategy<Value = Session> {
    (address(net.v6), 1_u8.., u16::from(net.gpi).., any::<u8>()).prop_map(
        move |(destination, protocol, port, flags)| {
            let flow = FlowKey { destination, protocol, port };
            Session { key: if net.gpi { SessionKey::Gpi(flow) } else { SessionKey::Ip(flow) }, flags }
        },
    )
}

fn hop(v6: bool) -> impl Strategy<Value = RsvpHop> {
    (address(v6), any::<u32>()).prop_map(|(address, lih)| RsvpHop { address, lih })
}

fn error(v6: bool) -> impl Strategy<Value = ErrorSpec> {
    (address(v6), any::<(u8, u8, u16, u32)>()).prop_map(|(node, (flags, code, value, enterprise))| {
        ErrorSpec { node, flags, code, value, enterprise: (code >= 252).then_some(enterprise) }
    })
}

fn filter(net: Net) -> impl Strategy<Value = FilterSpec> {
    (address(net.v6), any::<u32>(), any::<bool>()).prop_map(move |(source, bits, label)| match source {
        _ if net.gpi => FilterSpec::Gpi { source, spi: bits },
        IpAddr::V6(source) if label => FilterSpec::FlowLabel { source, label: bits & 0xfffff },
        _ => FilterSpec::Ip { source, port: bits as u16 },
    })
}

fn real() -> impl Strategy<Value = f32> {
    any::<f32>().prop_filter("NaN is not equal to itself", |real| !real.is_nan())
}

fn tspec() -> impl Strategy<Value = Tspec> {
    (real(), real(), real(), any::<u32>(), any::<u32>()).prop_map(
        |(rate, bucket, peak, min_unit, max_packet)| Tspec { rate, bucket, peak, min_unit, max_packet },
    )
}

fn contents() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<[u8; 4]>(), 0..6).prop_map(|words| words.concat())
}

fn opaque(class: u8) -> impl Strategy<Value = RawObject> {
    (3_u8.., contents()).prop_map(move |(ctype, contents)| RawObject { class, ctype, contents })
}

fn flowspec() -> impl Strategy<Value = Flowspec> {
    prop_oneof![
        tspec().prop_map(Flowspec::ControlledLoad),
        (tspec(), real(), any::<u32>())
            .prop_map(|(tspec, rate, slack)| Flowspec::Guaranteed(tspec, Rspec { rate, slack })),
        any::<u32>().prop_map(|max_packet| Flowspec::Null { max_packet }),
        opaque(9).prop_map(Flowspec::Opaque),
    ]
}

fn sender_tspec() -> impl Strategy<Value = SenderTspec> {
    prop_oneof![
        tspec().prop_map(SenderTspec::TokenBucket),
        any::<u32>().prop_map(|max_packet| SenderTspec::Null { max_packet }),
        (tspec(), any::<u32>())
            .prop_map(|(tspec, null_max_packet)| SenderTspec::TokenBucketOrNull { tspec, null_max_packet }),
    ]
}

fn overrides() -> impl Strategy<Value = Overrides> {
    (option::of(any::<u32>()), option::of(real()), option::of(any::<u32>()), option::of(any::<u32>()))
        .prop_map(|(is_hops, bandwidth, latency, path_mtu)| Overrides {
            is_hops,
            bandwidth,
            latency,
            path_mtu,
        })
}

fn guaranteed() -> impl Strategy<Value = GuaranteedFragment> {
    (any::<(bool, bool, [u32; 4])>(), overrides()).prop_map(|((broken, header_only, terms), overrides)| {
        if header_only {
            return GuaranteedFragment { broken, header_only, ..Default::default() };
        }
        let [c_total, d_total, c_sum, d_sum] = terms;
        GuaranteedFragment { broken, header_only, c_total, d_total, c_sum, d_sum, overrides }
    })
}

fn adspec() -> impl Strategy<Value = Adspec> {
    let general = (any::<(bool, u32, u32, u32)>(), real()).prop_map(
        |((broken, is_hops, latency, path_mtu), bandwidth)| GeneralParameters {
            broken,
            is_hops,
            bandwidth,
            latency,
            path_mtu,
        },
    );
    let controlled_load =
        (any::<bool>(), overrides()).prop_map(|(broken, overrides)| ServiceFragment { broken, overrides });
    let other =
        proptest::collection::btree_map(6_u8.., (any::<bool>(), contents()), 0..3).prop_map(|others| {
            let fragment = |(service, (broken, contents))| RawFragment { service, broken, contents };
            others.into_iter().map(fragment).collect()
        });
    let intserv = (general, option::of(guaranteed()), option::of(controlled_load), other).prop_map(
        |(general, guaranteed, controlled_load, other)| {
            Adspec::IntServ(IntServAdspec { general, guaranteed, controlled_load, other })
        },
    );
    prop_oneof![4 => intserv, 1 => opaque(13).prop_map(Adspec::Opaque)]
}

fn scope(v6: bool) -> impl Strategy<Value = Option<Vec<IpAddr>>> {
    option::of(vec(address(v6), 0..5).prop_map(|mut sources| {
        sources.sort_unstable();
        sources
    }))
}

fn policy() -> impl Strategy<Value = Vec<RawObject>> {
    vec(
        (any::<u8>(), contents()).prop_map(|(ctype, contents)| RawObject { class: 14, ctype, contents }),
        0..3,
    )
}

fn forward() -> impl Strategy<Value = Vec<RawObject>> {
    // A class of vendors needs at least an enterprise code.
    let object = (0xc0_u8..252, any::<u8>(), contents());
    vec(object.prop_map(|(class, ctype, contents)| RawObject { class, ctype, contents }), 0..3)
}

/// Style and flow descriptors as a Resv may have them: `single` for a ResvErr.
fn flows(net: Net, single: bool) -> BoxedStrategy<(Style, Vec<FlowDescriptor>)> {
    let ff = vec((flowspec(), filter(net)), 1..if single { 2 } else { 5 }).prop_map(|pairs| {
        let flow = |(flowspec, filter)| FlowDescriptor { flowspec: Some(flowspec), filters: vec![filter] };
        (Style::Ff, pairs.into_iter().map(flow).collect())
    });
    let se = (flowspec(), vec(filter(net), 1..5)).prop_map(|(flowspec, filters)| {
        (Style::Se, vec![FlowDescriptor { flowspec: Some(flowspec), filters }])
    });
    let wf = flowspec()
        .prop_map(|flowspec| (Style::Wf, vec![FlowDescriptor { flowspec: Some(flowspec), filters: vec![] }]));
    prop_oneof![ff, se, wf].boxed()
}

fn path(net: Net) -> impl Strategy<Value = Message> {
    (
        (session(net), hop(net.v6), any::<u32>(), policy()),
        (filter(net), sender_tspec(), option::of(adspec()), forward()),
    )
        .prop_map(
            |((session, hop, refresh_ms, policy), (sender_template, sender_tspec, adspec, forward))| {
                let path =
                    Path { session, hop, refresh_ms, policy, sender_template, sender_tspec, adspec, forward };
                Message::Path(path)
            },
        )
}

fn resv(net: Net) -> impl Strategy<Value = Message> {
    (
        (session(net), hop(net.v6), any::<u32>(), option::of(address(net.v6))),
        (scope(net.v6), policy(), flows(net, false), forward()),
    )
        .prop_map(|((session, hop, refresh_ms, confirm), (scope, policy, (style, flows), forward))| {
            Message::Resv(Resv { session, hop, refresh_ms, confirm, scope, policy, style, flows, forward })
        })
}

fn path_err(net: Net) -> impl Strategy<Value = Message> {
    (
        (session(net), error(net.v6), policy(), filter(net)),
        (option::of(sender_tspec()), option::of(adspec()), forward()),
    )
        .prop_map(|((session, error, policy, sender_template), (sender_tspec, adspec, forward))| {
            let err = PathErr { session, error, policy, sender_template, sender_tspec, adspec, forward };
            Message::PathErr(err)
        })
}

fn resv_err(net: Net) -> impl Strategy<Value = Message> {
    ((session(net), hop(net.v6), error(net.v6)), (scope(net.v6), policy(), flows(net, true), forward()))
        .prop_map(|((session, hop, error), (scope, policy, (style, flows), forward))| {
            Message::ResvErr(ResvErr { session, hop, error, scope, policy, style, flows, forward })
        })
}

fn path_tear(net: Net) -> impl Strategy<Value = Message> {
    ((session(net), hop(net.v6), filter(net)), option::of(sender_tspec()), option::of(adspec()), forward())
        .prop_map(|((session, hop, sender_template), sender_tspec, adspec, forward)| {
            Message::PathTear(PathTear { session, hop, sender_template, sender_tspec, adspec, forward })
        })
}

fn resv_tear(net: Net) -> impl Strategy<Value = Message> {
    (session(net), hop(net.v6), scope(net.v6), flows(net, false), any::<bool>(), forward()).prop_map(
        |(session, hop, scope, (style, mut flows), bare, forward)| {
            if bare {
                flows.iter_mut().for_each(|flow| flow.flowspec = None);
            }
            Message::ResvTear(ResvTear { session, hop, scope, style, flows, forward })
        },
    )
}

fn resv_conf(net: Net) -> impl Strategy<Value = Message> {
    (session(net), error(net.v6), address(net.v6), flows(net, false), forward()).prop_map(
        |(session, error, confirm, (style, flows), forward)| {
            Message::ResvConf(ResvConf { session, error, confirm, style, flows, forward })
        },
    )
}

fn flagged_id() -> impl Strategy<Value = FlaggedId> {
    (any::<u8>(), 0..1_u32 << 24, any::<u32>())
        .prop_map(|(flags, epoch, id)| FlaggedId { flags, id: MessageId { epoch, id } })
}

fn acknowledgement() -> impl Strategy<Value = Acknowledgement> {
    prop_oneof![flagged_id().prop_map(Acknowledgement::Ack), flagged_id().prop_map(Acknowledgement::Nack),]
}

fn head() -> impl Strategy<Value = Head> {
    (vec(acknowledgement(), 0..4), option::of(flagged_id()))
        .prop_map(|(acknowledgements, message_id)| Head { acknowledgements, message_id })
}

fn list(v6: bool, sources: bool) -> impl Strategy<Value = IdList> {
    let plain = vec(any::<u32>(), 1..5).prop_map(IdEntries::Plain);
    let groups = vec((any::<u32>(), address(v6), address(v6)), 1..5).prop_map(IdEntries::Groups);
    let entries = if sources {
        vec((any::<u32>(), address(v6)), 1..5).prop_map(IdEntries::Sources).boxed()
    } else {
        prop_oneof![plain, groups].boxed()
    };
    (any::<u8>(), 0..1_u32 << 24, entries).prop_map(|(flags, epoch, entries)| IdList {
        flags,
        epoch,
        entries,
    })
}

fn srefresh(v6: bool) -> impl Strategy<Value = Message> {
    let lists = any::<bool>().prop_flat_map(move |sources| vec(list(v6, sources), 1..4));
    lists.prop_map(|lists| Message::Srefresh(Srefresh { lists }))
}

/// A message that means something without a head.
fn message() -> impl Strategy<Value = Message> {
    any::<(bool, bool)>().prop_flat_map(|(v6, gpi)| {
        let net = Net { v6, gpi };
        prop_oneof![
            path(net).boxed(),
            resv(net).boxed(),
            path_err(net).boxed(),
            resv_err(net).boxed(),
            path_tear(net).boxed(),
            resv_tear(net).boxed(),
            resv_conf(net).boxed(),
            srefresh(v6).boxed(),
        ]
    })
}

/// A message and a head that it may have.
fn headed() -> impl Strategy<Value = (Message, Head)> {
    let acknowledgements = vec(acknowledgement(), 1..4);
    let ack = acknowledgements
        .prop_map(|acknowledgements| (Message::Ack, Head { acknowledgements, message_id: None }));
    prop_oneof![8 => (message(), head()), 1 => ack]
}

fn header() -> impl Strategy<Value = Header> {
    (0..16_u8, any::<u8>()).prop_map(|(flags, send_ttl)| Header { flags, send_ttl })
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded((message, head) in headed(), header in header()) {
        let mut bytes = vec![0xaa];
        message.encode_with(header, &head, &mut bytes).unwrap();
        let bytes = &bytes[1..];
        let raw = RawMessage::decode(bytes).unwrap();
        prop_assert_eq!(raw.header.flags, header.flags);
        prop_assert_eq!(raw.header.send_ttl, header.send_ttl);
        prop_assert!(raw.header.has_checksum());
        prop_assert_eq!(raw.header.message_type, message.message_type());
        let parsed = Message::parse(&raw, MAX_OBJECTS).unwrap();
        prop_assert_eq!(&parsed, &message);
        let (split, offset) = Head::split(bytes).unwrap();
        prop_assert_eq!(split, head);
        let mut body = Vec::new();
        if message != Message::Ack {
            message.encode(header, &mut body).unwrap();
            prop_assert_eq!(&bytes[offset..], &body[8..], "the head changes nothing behind it");
        }
        let mut again = Vec::new();
        raw.encode(&mut again).unwrap();
        prop_assert_eq!(again, bytes);
    }

    #[test]
    fn what_was_bundled_is_there(all in vec(headed(), 1..6), header in header()) {
        let encode = |(message, head): &(Message, Head)| {
            let mut bytes = Vec::new();
            message.encode_with(header, head, &mut bytes).unwrap();
            bytes
        };
        let parts: Vec<Vec<u8>> = all.iter().map(encode).collect();
        let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let mut datagram = Vec::new();
        Bundle::encode(header, &slices, &mut datagram).unwrap();
        let bundle = Bundle::decode(&datagram).unwrap();
        prop_assert_eq!((bundle.header.flags, bundle.header.send_ttl), (header.flags, header.send_ttl));
        let found: Vec<&[u8]> = messages(&datagram).map(Result::unwrap).collect();
        prop_assert_eq!(&found, &slices);
        for (offset, bytes) in bundle.messages().map(Result::unwrap) {
            prop_assert_eq!(&datagram[offset..offset + bytes.len()], bytes);
        }
        // Anything wrong in it ends in an error, not in a panic or an endless loop.
        for length in 8..datagram.len() {
            let mut cut = datagram[..length].to_vec();
            cut[2..4].fill(0);
            cut[6..8].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
            let last = messages(&cut).last().unwrap();
            let whole = found.iter().scan(8, |end, part| { *end += part.len(); Some(*end) }).any(|end| end == length);
            prop_assert_eq!(last.is_ok(), whole, "{} octets", length);
        }
    }

    #[test]
    fn objects_are_decoded_as_encoded((message, head) in headed()) {
        let mut bytes = Vec::new();
        message.encode_with(Header { flags: 0, send_ttl: 1 }, &head, &mut bytes).unwrap();
        for placed in RawMessage::decode(&bytes).unwrap().objects {
            let object = placed.decode().unwrap();
            if object == Object::Scope(vec![]) {
                continue; // Alone, it does not tell its family.
            }
            prop_assert_eq!(object.encode().unwrap(), placed.object);
        }
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..200)) {
        let (partial, error) = RawMessage::decode_partial(&bytes);
        prop_assert_eq!(error.is_some(), RawMessage::decode(&bytes).is_err());
        for placed in &partial.objects {
            let _ = placed.decode();
        }
        let _ = Head::split(&bytes);
        prop_assert!(messages(&bytes).count() >= 1);
    }

    #[test]
    fn damaged_messages_do_no_harm(
        (message, head) in headed(),
        damage in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = Vec::new();
        message.encode_with(Header { flags: 0, send_ttl: 1 }, &head, &mut bytes).unwrap();
        bytes[2..4].fill(0);
        for (index, octet) in damage {
            let index = index.index(bytes.len());
            if !(2..4).contains(&index) {
                bytes[index] = octet;
            }
        }
        if let Ok(raw) = RawMessage::decode(&bytes) {
            let mut again = Vec::new();
            raw.encode(&mut again).unwrap();
            prop_assert_eq!(&again, &bytes);
        }
        if let Ok(message) = parse(&bytes) {
            let (head, _) = Head::split(&bytes).expect("what can be interpreted can be split");
            let mut again = Vec::new();
            message.encode_with(Header { flags: 0, send_ttl: 1 }, &head, &mut again).unwrap();
            prop_assert!(parse(&again).is_ok());
            prop_assert_eq!(Head::split(&again).unwrap().0, head);
        }
    }

    #[test]
    fn objects_of_arbitrary_contents_do_no_harm(class in 0..26_u8, ctype in 0..8_u8, contents in contents()) {
        let raw = RawObject { class, ctype, contents };
        if let Ok(object) = Object::decode(&raw) {
            object.encode().unwrap();
        }
    }
}
