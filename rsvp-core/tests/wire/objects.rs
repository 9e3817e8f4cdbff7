//! Every object of RFC 2205 Appendix A, RFC 2207, RFC 2210, RFC 2961 and RFC 2997, in every C-Type.

use core::net::{IpAddr, Ipv6Addr};

use rsvp_core::wire::{
    Acknowledgement, Adspec, DecodeErrorKind, EncodeError, ErrorSpec, FilterSpec, FlaggedId, FlowKey,
    Flowspec, GeneralParameters, GuaranteedFragment, IdEntries, IdList, IntServAdspec, MessageId, Object,
    Overrides, RawFragment, RawObject, Rspec, RsvpHop, SenderTspec, ServiceFragment, Session, SessionKey,
    Style, Tspec,
};

use super::{hex, ip};

fn raw(bytes: &str) -> RawObject {
    let bytes = hex(bytes);
    assert_eq!(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])), bytes.len(), "length in the vector");
    RawObject { class: bytes[2], ctype: bytes[3], contents: bytes[4..].to_vec() }
}

fn both_ways(object: &Object, bytes: &str) {
    let raw = raw(bytes);
    assert_eq!(&Object::decode(&raw).unwrap(), object);
    assert_eq!(object.encode().unwrap(), raw);
}

fn one_way(object: &Object, bytes: &str) {
    assert_eq!(&Object::decode(&raw(bytes)).unwrap(), object);
}

fn decode_fails(bytes: &str) -> DecodeErrorKind {
    Object::decode(&raw(bytes)).unwrap_err().kind
}

#[test]
fn null() {
    both_ways(&Object::Null, "00040000");
    one_way(&Object::Null, "000c00ff 01020304 05060708");
}

#[test]
fn session() {
    let flow = |destination, protocol, port| FlowKey { destination: ip(destination), protocol, port };
    let session = |key, flags| Object::Session(Session { key, flags });
    let udp4 = SessionKey::Ip(flow("224.1.2.3", 17, 5000));
    both_ways(&session(udp4, 0), "000c0101 e0010203 11001388");
    both_ways(&session(udp4, Session::E_POLICE), "000c0101 e0010203 11011388");
    let udp6 = SessionKey::Ip(flow("2001:db8::9", 6, 80));
    both_ways(&session(udp6, 0), "00180102 20010db8 00000000 00000000 00000009 06000050");
    let ah4 = SessionKey::Gpi(flow("224.1.2.3", 51, 9000));
    both_ways(&session(ah4, 0), "000c0103 e0010203 33002328");
    let esp6 = SessionKey::Gpi(flow("2001:db8::9", 50, 9000));
    both_ways(&session(esp6, 0), "00180104 20010db8 00000000 00000000 00000009 32002328");
}

#[test]
fn rsvp_hop() {
    both_ways(&Object::RsvpHop(RsvpHop { address: ip("10.0.1.1"), lih: 77 }), "000c0301 0a000101 0000004d");
    both_ways(
        &Object::RsvpHop(RsvpHop { address: ip("2001:db8::1"), lih: 77 }),
        "00180302 20010db8 00000000 00000000 00000001 0000004d",
    );
}

#[test]
fn integrity() {
    let bytes = "00240401 00000102 03040506 00000000 00000001 00112233 44556677 8899aabb ccddeeff";
    both_ways(&Object::Integrity(hex(bytes)[4..].to_vec()), bytes);
}

#[test]
fn time_values() {
    both_ways(&Object::TimeValues(30_000), "00080501 00007530");
    both_ways(&Object::TimeValues(u32::MAX), "00080501 ffffffff");
}

#[test]
fn error_spec() {
    let error =
        ErrorSpec { node: ip("10.0.9.9"), flags: ErrorSpec::IN_PLACE, code: 1, value: 2, enterprise: None };
    both_ways(&Object::ErrorSpec(error), "000c0601 0a000909 01010002");
    let error = ErrorSpec { node: ip("2001:db8::9"), ..error };
    both_ways(&Object::ErrorSpec(error), "00180602 20010db8 00000000 00000000 00000009 01010002");
    assert_eq!(
        error.to_string(),
        "Admission Control failure: Requested bandwidth unavailable (at 2001:db8::9)"
    );
    let error = ErrorSpec { code: 13, value: 0x6301, ..error };
    assert_eq!(error.to_string(), "Unknown object class: 99 C-Type 1 (at 2001:db8::9)");
}

#[test]
fn scope() {
    both_ways(&Object::Scope(vec![ip("10.0.0.1"), ip("192.168.0.1")]), "000c0701 0a000001 c0a80001");
    both_ways(&Object::Scope(vec![]), "00040701");
    both_ways(&Object::Scope(vec![ip("2001:db8::1")]), "00140702 20010db8 00000000 00000000 00000001");
    let unordered = Object::Scope(vec![ip("192.168.0.1"), ip("10.0.0.1")]);
    assert_eq!(unordered.encode().unwrap(), raw("000c0701 0a000001 c0a80001"), "ascending order");
    assert!(Object::Scope(vec![ip("10.0.0.1"), ip("2001:db8::1")]).encode().is_err());
}

#[test]
fn style() {
    both_ways(&Object::Style(Style::Wf), "00080801 00000011");
    both_ways(&Object::Style(Style::Ff), "00080801 0000000a");
    both_ways(&Object::Style(Style::Se), "00080801 00000012");
    one_way(&Object::Style(Style::Se), "00080801 fffffff2");
    for bits in 0..32 {
        let known = Style::from_option_vector(bits).is_some();
        assert_eq!(known, [0x0a, 0x11, 0x12].contains(&bits), "{bits:#x}");
    }
    assert_eq!(decode_fails("00080801 00000009"), DecodeErrorKind::UnknownStyle { option_vector: 9 });
}

#[test]
fn filter_spec_and_sender_template() {
    let cases = [
        (FilterSpec::Ip { source: ip("10.0.0.1"), port: 4000 }, "000c0a01 0a000001 00000fa0"),
        (
            FilterSpec::Ip { source: ip("2001:db8::5"), port: 4000 },
            "00180a02 20010db8 00000000 00000000 00000005 00000fa0",
        ),
        (
            FilterSpec::FlowLabel { source: "2001:db8::5".parse::<Ipv6Addr>().unwrap(), label: 0xabcde },
            "00180a03 20010db8 00000000 00000000 00000005 000abcde",
        ),
        (FilterSpec::Gpi { source: ip("10.0.0.1"), spi: 0x1122_3344 }, "000c0a04 0a000001 11223344"),
        (
            FilterSpec::Gpi { source: ip("2001:db8::5"), spi: 0x1122_3344 },
            "00180a05 20010db8 00000000 00000000 00000005 11223344",
        ),
    ];
    for (filter, bytes) in cases {
        both_ways(&Object::FilterSpec(filter), bytes);
        both_ways(&Object::SenderTemplate(filter), &bytes.replace("0a0", "0b0").replace("0b00", "0a00"));
    }
    one_way(
        &Object::FilterSpec(FilterSpec::Ip { source: ip("10.0.0.1"), port: 4000 }),
        "000c0a01 0a000001 ffff0fa0",
    );
    one_way(
        &Object::FilterSpec(FilterSpec::FlowLabel { source: Ipv6Addr::LOCALHOST, label: 0xfffff }),
        "00180a03 00000000 00000000 00000000 00000001 ffffffff",
    );
}

const TSPEC: Tspec =
    Tspec { rate: 10_000.0, bucket: 2000.0, peak: f32::INFINITY, min_unit: 64, max_packet: 1500 };

#[test]
fn sender_tspec() {
    both_ways(
        &Object::SenderTspec(SenderTspec::TokenBucket(TSPEC)),
        "00240c02 00000007 01000006 7f000005 461c4000 44fa0000 7f800000 00000040 000005dc",
    );
    both_ways(
        &Object::SenderTspec(SenderTspec::Null { max_packet: 1500 }),
        "00140c02 00000003 06000002 80000001 000005dc",
    );
    both_ways(
        &Object::SenderTspec(SenderTspec::TokenBucketOrNull { tspec: TSPEC, null_max_packet: 1500 }),
        "00300c02 0000000a 01000006 7f000005 461c4000 44fa0000 7f800000 00000040 000005dc
         06000002 80000001 000005dc",
    );
}

#[test]
fn flowspec() {
    let tspec = Tspec { peak: 20_000.0, ..TSPEC };
    both_ways(
        &Object::Flowspec(Flowspec::ControlledLoad(tspec)),
        "00240902 00000007 05000006 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc",
    );
    both_ways(
        &Object::Flowspec(Flowspec::Guaranteed(tspec, Rspec { rate: 12_000.0, slack: 500 })),
        "00300902 0000000a 02000009 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc
         82000002 463b8000 000001f4",
    );
    both_ways(
        &Object::Flowspec(Flowspec::Null { max_packet: 1500 }),
        "00140902 00000003 06000002 80000001 000005dc",
    );
}

#[test]
fn what_is_no_sound_intserv_object_stays_opaque() {
    let flowspecs = [
        ("an obsolete C-Type", "00080901 00000000"),
        ("an unknown service", "00100902 00000002 4d000001 01020304"),
        ("format version 1", "00140902 10000003 06000002 80000001 000005dc"),
        ("overall length too long", "00140902 00000004 06000002 80000001 000005dc"),
        ("overall length too short", "00140902 00000002 06000002 80000001 000005dc"),
        ("service beyond the message", "00140902 00000003 06000003 80000001 000005dc"),
        ("parameter beyond the service", "00140902 00000003 06000002 80000002 000005dc"),
        ("parameter longer than it is", "00180902 00000004 06000003 80000002 000005dc 00000000"),
        ("unknown parameter", "00140902 00000003 06000002 81000001 000005dc"),
        ("parameter twice", "001c0902 00000005 06000004 80000001 000005dc 80000001 000005dc"),
        ("two services", "00180902 00000004 06000002 80000001 000005dc 06000000"),
        ("guaranteed service without an RSpec", {
            "00240902 00000007 02000006 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc"
        }),
        ("empty", "00040902"),
    ];
    for (what, bytes) in flowspecs {
        let object = raw(bytes);
        both_ways(&Object::Flowspec(Flowspec::Opaque(object.clone())), bytes);
        assert!(Flowspec::interpret(&object).is_err(), "{what}");
    }
    both_ways(&Object::SenderTspec(SenderTspec::Opaque(raw("00080c02 00000000"))), "00080c02 00000000");
    let unordered =
        "00300d02 0000000a 05000000 01000008 04000001 00000003 06000001 49742400 08000001 000001f4
        0a000001 000005dc";
    both_ways(&Object::Adspec(Adspec::Opaque(raw(unordered))), unordered);
}

const GENERAL: GeneralParameters =
    GeneralParameters { broken: false, is_hops: 3, bandwidth: 1e6, latency: 500, path_mtu: 1500 };

fn adspec(
    guaranteed: Option<GuaranteedFragment>,
    controlled_load: Option<ServiceFragment>,
    other: Vec<RawFragment>,
) -> Object {
    Object::Adspec(Adspec::IntServ(IntServAdspec { general: GENERAL, guaranteed, controlled_load, other }))
}

#[test]
fn adspec_with_general_parameters_alone() {
    both_ways(
        &adspec(None, None, vec![]),
        "002c0d02 00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc",
    );
}

#[test]
fn adspec_with_guaranteed_and_controlled_load() {
    let guaranteed =
        GuaranteedFragment { c_total: 1000, d_total: 200, c_sum: 1000, d_sum: 200, ..Default::default() };
    both_ways(
        &adspec(Some(guaranteed), Some(ServiceFragment::default()), vec![]),
        "00540d02 00000013 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc
         02000008 85000001 000003e8 86000001 000000c8 87000001 000003e8 88000001 000000c8 05000000",
    );
}

#[test]
fn adspec_with_break_bits_and_a_header_alone() {
    let guaranteed = GuaranteedFragment { broken: true, header_only: true, ..Default::default() };
    let controlled_load = ServiceFragment { broken: true, ..Default::default() };
    let Object::Adspec(Adspec::IntServ(mut adspec)) = adspec(Some(guaranteed), Some(controlled_load), vec![])
    else {
        panic!("no IntServ ADSPEC");
    };
    adspec.general.broken = true;
    both_ways(
        &Object::Adspec(Adspec::IntServ(adspec)),
        "00340d02 0000000b 01800008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc
         02800000 05800000",
    );
}

#[test]
fn adspec_with_overrides() {
    let overrides =
        Overrides { is_hops: Some(2), bandwidth: Some(1e6), latency: Some(5), path_mtu: Some(576) };
    let guaranteed = GuaranteedFragment {
        c_total: 1,
        d_total: 2,
        c_sum: 3,
        d_sum: 4,
        overrides: Overrides { path_mtu: Some(576), ..Default::default() },
        ..Default::default()
    };
    both_ways(
        &adspec(Some(guaranteed), Some(ServiceFragment { broken: false, overrides }), vec![]),
        "007c0d02 0000001d 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc
         0200000a 85000001 00000001 86000001 00000002 87000001 00000003 88000001 00000004 0a000001 00000240
         05000008 04000001 00000002 06000001 49742400 08000001 00000005 0a000001 00000240",
    );
}

#[test]
fn adspec_with_other_services() {
    let fragment = |service, contents: &str| RawFragment { service, broken: false, contents: hex(contents) };
    let other = vec![fragment(3, ""), fragment(6, ""), fragment(77, "80000001 00000001")];
    both_ways(
        &adspec(None, Some(ServiceFragment::default()), other),
        "00440d02 0000000f 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc
         03000000 05000000 06000000 4d000002 80000001 00000001",
    );
}

#[test]
fn adspec_loses_parameters_that_nobody_can_compose() {
    let left = adspec(None, Some(ServiceFragment::default()), vec![]);
    one_way(
        &left,
        "003c0d02 0000000d 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc
         05000003 c8000002 00000001 00000002",
    );
}

#[test]
fn policy_data() {
    let bytes = "00100e01 00080000 00000000 deadbeef";
    both_ways(&Object::PolicyData(raw(bytes)), bytes);
    let unknown = "00080e07 00000000";
    both_ways(&Object::PolicyData(raw(unknown)), unknown);
}

#[test]
fn resv_confirm() {
    both_ways(&Object::ResvConfirm(ip("10.0.7.7")), "00080f01 0a000707");
    both_ways(&Object::ResvConfirm(ip("2001:db8::7")), "00140f02 20010db8 00000000 00000000 00000007");
}

const ID: MessageId = MessageId { epoch: 0x12_3456, id: 7 };

#[test]
fn message_id() {
    both_ways(&Object::MessageId(FlaggedId::plain(ID)), "000c1701 00123456 00000007");
    both_ways(&Object::MessageId(FlaggedId::wanting_ack(ID)), "000c1701 01123456 00000007");
    let last = MessageId { epoch: 0xff_ffff, id: u32::MAX };
    both_ways(&Object::MessageId(FlaggedId { flags: 0xfe, id: last }), "000c1701 feffffff ffffffff");
    let zero = MessageId { epoch: 0, id: 0 };
    both_ways(&Object::MessageId(FlaggedId::plain(zero)), "000c1701 00000000 00000000");
    assert!(FlaggedId { flags: 0xff, id: ID }.wants_ack());
    assert!(!FlaggedId { flags: 0xfe, id: ID }.wants_ack());
}

#[test]
fn an_epoch_has_24_bits() {
    let long = Object::MessageId(FlaggedId::plain(MessageId { epoch: 0xff12_3456, id: 7 }));
    assert_eq!(long.encode().unwrap(), raw("000c1701 00123456 00000007"));
}

#[test]
fn identifiers_wrap() {
    let is_older = |one: u32, other: u32| {
        MessageId { epoch: 1, id: one }.is_older_than(MessageId { epoch: 1, id: other })
    };
    assert!(is_older(7, 8) && !is_older(8, 7) && !is_older(7, 7));
    assert!(is_older(u32::MAX, 0) && !is_older(0, u32::MAX));
    assert!(is_older(0, 0x7fff_ffff) && !is_older(0x7fff_ffff, 0));
    assert!(!is_older(0, 0x8000_0000) && !is_older(0x8000_0000, 0));
    assert!(!MessageId { epoch: 1, id: 7 }.is_older_than(MessageId { epoch: 2, id: 8 }));
}

#[test]
fn acknowledgements() {
    let ack = Acknowledgement::Ack(FlaggedId::plain(ID));
    both_ways(&Object::MessageIdAck(ack), "000c1801 00123456 00000007");
    let nack = Acknowledgement::Nack(FlaggedId::plain(ID));
    both_ways(&Object::MessageIdAck(nack), "000c1802 00123456 00000007");
    assert_eq!((ack.id(), nack.id()), (ID, ID));
    both_ways(
        &Object::MessageIdAck(Acknowledgement::Ack(FlaggedId { flags: 0xfd, id: ID })),
        "000c1801 fd123456 00000007",
    );
}

fn list(entries: IdEntries) -> Object {
    Object::MessageIdList(IdList::new(ID.epoch, entries))
}

#[test]
fn message_id_list() {
    both_ways(&list(IdEntries::Plain(vec![7])), "000c1901 00123456 00000007");
    both_ways(&list(IdEntries::Plain(vec![0, u32::MAX])), "00101901 00123456 00000000 ffffffff");
    let flagged = IdList { flags: 0xfd, epoch: ID.epoch, entries: IdEntries::Plain(vec![7]) };
    both_ways(&Object::MessageIdList(flagged), "000c1901 fd123456 00000007");
}

#[test]
fn src_list() {
    let ipv4 = vec![(7, ip("10.0.0.1")), (9, ip("10.0.0.2"))];
    both_ways(&list(IdEntries::Sources(ipv4)), "00181902 00123456 00000007 0a000001 00000009 0a000002");
    both_ways(
        &list(IdEntries::Sources(vec![(7, ip("2001:db8::1"))])),
        "001c1903 00123456 00000007 20010db8 00000000 00000000 00000001",
    );
}

#[test]
fn mcast_list() {
    both_ways(
        &list(IdEntries::Groups(vec![(7, ip("10.0.0.1"), ip("224.1.2.3"))])),
        "00141904 00123456 00000007 0a000001 e0010203",
    );
    both_ways(
        &list(IdEntries::Groups(vec![(7, ip("2001:db8::1"), ip("ff0e::9"))])),
        "002c1905 00123456 00000007 20010db8 00000000 00000000 00000001 ff0e0000 00000000 00000000 00000009",
    );
}

#[test]
fn lists_of_nothing_and_of_parts() {
    // C-Type, octets of an entry.
    for (ctype, entry) in [(1, 4), (2, 8), (3, 20), (4, 12), (5, 36)] {
        for length in (0..4 + 2 * entry).step_by(4) {
            let object = RawObject { class: 25, ctype, contents: vec![1; length] };
            let is_whole = length > 4 && (length - 4) % entry == 0;
            match Object::decode(&object) {
                Ok(decoded) => {
                    assert!(is_whole, "C-Type {ctype}, {length} octets");
                    let Object::MessageIdList(list) = &decoded else { panic!("{decoded:?}") };
                    assert_eq!((list.len(), list.is_empty()), ((length - 4) / entry, false));
                    assert_eq!(decoded.encode().unwrap(), object);
                }
                Err(error) => {
                    assert!(!is_whole, "C-Type {ctype}, {length} octets: {error}");
                    assert!(matches!(error.kind, DecodeErrorKind::ObjectTooShort { .. }), "{error}");
                }
            }
        }
    }
}

#[test]
fn a_list_has_addresses_of_one_family_and_fits_an_object() {
    let (v4, v6) = (ip("10.0.0.1"), ip("2001:db8::1"));
    for entries in [
        IdEntries::Sources(vec![(1, v4), (2, v6)]),
        IdEntries::Sources(vec![(1, v6), (2, v4)]),
        IdEntries::Groups(vec![(1, v4, v6)]),
        IdEntries::Groups(vec![(1, v6, v6), (2, v4, v4)]),
    ] {
        assert_eq!(list(entries).encode(), Err(EncodeError::MixedFamilies));
    }
    assert!(list(IdEntries::Plain(vec![0; 16_381])).encode().is_ok());
    assert!(matches!(list(IdEntries::Plain(vec![0; 16_382])).encode(), Err(EncodeError::TooLong { .. })));
}

#[test]
fn unknown_classes() {
    for bytes in ["00080201 01020304", "0008c901 01020304", "00081001 00010003"] {
        both_ways(&Object::Unknown(raw(bytes)), bytes);
    }
}

#[test]
fn unknown_ctypes_of_known_classes() {
    for class in [1, 3, 5, 6, 7, 8, 10, 11, 12, 15, 23, 24, 25] {
        for (ctype, length) in [(0, 20), (6, 20), (7, 0), (255, 20)] {
            let object = RawObject { class, ctype, contents: vec![0; length] };
            let kind = Object::decode(&object).unwrap_err().kind;
            assert!(matches!(kind, DecodeErrorKind::UnknownCType { .. }), "class {class}: {kind:?}");
        }
    }
}

#[test]
fn contents_of_the_wrong_size() {
    let sound = [
        "000c0101 e0010203 11001388",
        "00180102 20010db8 00000000 00000000 00000009 06000050",
        "000c0301 0a000101 0000004d",
        "00080501 00007530",
        "000c0601 0a000909 01010002",
        "00080801 00000012",
        "000c0a01 0a000001 00000fa0",
        "00180b03 20010db8 00000000 00000000 00000005 000abcde",
        "00140f02 20010db8 00000000 00000000 00000007",
        "000c1701 01123456 00000007",
        "000c1801 00123456 00000007",
        "000c1802 00123456 00000007",
    ];
    for bytes in sound {
        let mut object = raw(bytes);
        object.contents.extend([0; 4]);
        let kind = Object::decode(&object).unwrap_err().kind;
        assert!(matches!(kind, DecodeErrorKind::BadContents { .. }), "{bytes}: {kind:?}");
        object.contents.truncate(object.contents.len() - 8);
        let error = Object::decode(&object).unwrap_err();
        assert!(matches!(error.kind, DecodeErrorKind::ObjectTooShort { .. }), "{bytes}: {error:?}");
        assert!(error.offset >= 4 && error.offset <= 4 + object.contents.len(), "{bytes}: {error:?}");
    }
    let half = RawObject { class: 7, ctype: 2, contents: vec![1; 20] };
    assert_eq!(
        Object::decode(&half).unwrap_err().to_string(),
        "SCOPE C-Type 2 needs 16 more octets of contents, 4 there (at octet 20)"
    );
}

#[test]
fn reserved_bits_of_the_framing_are_ignored() {
    let expected = Object::SenderTspec(SenderTspec::TokenBucket(TSPEC));
    one_way(&expected, "00240c02 0fff0007 01ff0006 7fff0005 461c4000 44fa0000 7f800000 00000040 000005dc");
}

#[test]
fn an_object_that_is_too_long_has_no_encoding() {
    let policy =
        |length| Object::PolicyData(RawObject { class: 14, ctype: 1, contents: vec![0; length] }).encode();
    assert!(policy(65_528).is_ok());
    assert!(policy(65_532).is_err());
    let sources: Vec<IpAddr> = (0..20_000_u32).map(|n| core::net::Ipv4Addr::from(n).into()).collect();
    assert!(Object::Scope(sources).encode().is_err());
}
