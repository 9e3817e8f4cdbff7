//! Whole captures through the command.

use std::io;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

#[path = "../../tests/support/tshark.rs"]
mod tshark;

use super::testdata::{self as data, Writer};
use super::{Error, Summary, decode};

fn lines(file: &[u8]) -> (Vec<Value>, Result<Summary, Error>) {
    let mut output = Vec::new();
    let result = decode(file, &mut output, true);
    let text = String::from_utf8(output).expect("UTF-8");
    let parse = |line| serde_json::from_str(line).expect("one JSON value per line");
    (text.lines().map(parse).collect(), result)
}

/// The lines of a capture that can be read to its end.
fn read(file: &[u8]) -> Vec<Value> {
    let (lines, result) = lines(file);
    let summary = result.expect("readable");
    assert_eq!(summary.rsvp, lines.len() as u64);
    assert_eq!(summary.faulty, lines.iter().filter(|line| !line["error"].is_null()).count() as u64);
    lines
}

fn text(file: &[u8]) -> String {
    let mut output = Vec::new();
    decode(file, &mut output, false).expect("readable");
    String::from_utf8(output).expect("UTF-8")
}

fn ethernet(packet: &[u8]) -> Vec<u8> {
    data::frames(packet).swap_remove(0).2
}

/// The one line of a capture of one packet.
fn one(packet: &[u8]) -> Value {
    let mut lines = read(&Writer::ETHERNET.pcap(&[ethernet(packet)]));
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

fn error(line: &Value) -> &str {
    line["error"].as_str().expect("an error")
}

/// Class, C-Type and length of each object; of those of all messages in a Bundle.
fn objects(line: &Value) -> Vec<[u64; 3]> {
    let own = line["objects"].as_array().expect("objects");
    let number = |value: &Value| value.as_u64().expect("a number");
    let triple = |object: &Value| ["class", "ctype", "length"].map(|key| number(&object[key]));
    let bundled = line["messages"].as_array().into_iter().flatten().flat_map(objects);
    own.iter().map(triple).chain(bundled).collect()
}

const PATH_OBJECTS: [[u64; 3]; 6] =
    [[1, 1, 12], [3, 1, 12], [5, 1, 8], [11, 1, 12], [12, 2, 36], [13, 2, 92]];

#[test]
fn every_link_type_leads_to_the_same_message() {
    for packet in [data::ipv4(&data::path()), data::ipv6(&data::path())] {
        let expected = one(&packet);
        assert_eq!(objects(&expected), PATH_OBJECTS);
        assert_eq!(expected["error"], Value::Null);
        for (name, link, frame) in data::frames(&packet) {
            let lines = read(&Writer { link, ..Writer::ETHERNET }.pcap(&[frame]));
            assert_eq!(lines, std::slice::from_ref(&expected), "{name}");
        }
    }
}

#[test]
fn every_file_format_gives_the_same_line() {
    let frames = [ethernet(&data::ipv4(&data::path()))];
    for big_endian in [false, true] {
        for (nanoseconds, time) in
            [(false, "2026-01-02T03:04:05.678901000Z"), (true, "2026-01-02T03:04:05.678901234Z")]
        {
            let writer = Writer { big_endian, nanoseconds, link: 1 };
            for file in [writer.pcap(&frames), writer.pcapng(&frames)] {
                let lines = read(&file);
                assert_eq!(lines.len(), 1, "{writer:?}");
                assert_eq!(lines[0]["time"], time, "{writer:?}");
                assert_eq!(objects(&lines[0]), PATH_OBJECTS, "{writer:?}");
            }
        }
    }
}

#[test]
fn a_simple_packet_block_has_no_time() {
    let mut file = Writer::ETHERNET.pcapng(&[]);
    file.extend(Writer::ETHERNET.simple_packet(&ethernet(&data::ipv4(&data::resv()))));
    let lines = read(&file);
    assert_eq!((&lines[0]["time"], &lines[0]["message"]), (&Value::Null, &"Resv".into()));
}

#[test]
fn a_time_that_no_clock_shows_is_no_time() {
    let mut file = Writer::ETHERNET.pcapng(&[ethernet(&data::ipv4(&data::path()))]);
    let block = file.len() - 32 - ethernet(&data::ipv4(&data::path())).len().next_multiple_of(4);
    file[block + 12..block + 16].fill(0xff);
    assert_eq!(read(&file)[0]["time"], Value::Null);
}

#[test]
fn a_second_section_starts_with_its_own_byte_order_and_interfaces() {
    let writers = [Writer::ETHERNET, Writer { big_endian: true, nanoseconds: true, link: 101 }];
    let packet = data::ipv4(&data::path());
    let file = [writers[0].pcapng(&[ethernet(&packet)]), writers[1].pcapng(&[packet])].concat();
    let lines = read(&file);
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["objects"], &lines[1]["frame"]), (&lines[1]["objects"], &2.into()));
}

#[test]
fn the_line_has_the_fields_of_the_packet_and_of_the_objects() {
    let line = one(&data::ipv4(&data::path()));
    for (key, value) in [
        ("frame", Value::from(1)),
        ("src", "10.0.1.10".into()),
        ("dst", "10.0.4.2".into()),
        ("ttl", 62.into()),
        ("router_alert", true.into()),
        ("udp_port", Value::Null),
        ("message", "Path".into()),
        ("type", 1.into()),
        ("send_ttl", 63.into()),
        ("length", 180.into()),
        ("checksum", "ok".into()),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    let object = |n: usize| &line["objects"][n];
    assert_eq!(object(0)["name"], "SESSION");
    assert_eq!(object(0)["destination"], "10.0.4.2");
    assert_eq!((&object(0)["protocol"], &object(0)["port"]), (&17.into(), &5004.into()));
    assert_eq!((&object(1)["address"], &object(1)["lih"]), (&"10.0.1.1".into(), &7.into()));
    assert_eq!(object(2)["refresh_ms"], 30_000);
    assert_eq!((&object(3)["source"], &object(3)["port"]), (&"10.0.1.10".into(), &40_000.into()));
    assert_eq!(object(4)["tspec"]["rate"], 250_000.0);
    assert_eq!(object(4)["tspec"]["peak"], Value::Null, "infinite");
    assert_eq!(object(5)["general"]["is_hops"], 2);
    assert_eq!(object(5)["guaranteed"]["d_sum"], u32::MAX);
    assert_eq!(object(5)["controlled_load"]["broken"], true);
}

#[test]
fn the_null_service_is_named() {
    let [either, only] = data::null_service_paths().map(|path| one(&data::ipv4(&path))["objects"][4].clone());
    assert_eq!((&either["service"], &either["null_max_packet"]), (&"default".into(), &1200.into()));
    assert_eq!(either["tspec"]["bucket"], 10_000.0);
    assert_eq!((&only["service"], &only["max_packet"]), (&"null".into(), &1200.into()));
}

#[test]
fn router_alert_is_seen_in_options() {
    assert_eq!(one(&data::ipv4_plain(&data::path()))["router_alert"], false);
    assert_eq!(one(&data::ipv6(&data::path()))["router_alert"], true);
}

#[test]
fn udp_encapsulation_is_by_port() {
    for port in [1698, 1699] {
        let line = one(&data::ipv4_udp(&data::path(), port));
        assert_eq!((&line["udp_port"], objects(&line)), (&port.into(), PATH_OBJECTS.to_vec()));
    }
    let frames = [ethernet(&data::ipv4_udp(&data::path(), 1700))];
    assert_eq!(read(&Writer::ETHERNET.pcap(&frames)), [] as [Value; 0]);
}

#[test]
fn fragments_are_reported() {
    let path = data::path();
    type Fragmenter = fn(&[u8], u16, bool) -> Vec<u8>;
    for (fragment, id) in
        [(data::ipv4_fragment as Fragmenter, "0x1234"), (data::ipv6_fragment as Fragmenter, "0xabcd0001")]
    {
        let first = one(&fragment(&path[..64], 0, true));
        let expected = format!("fragment: bytes 0 to 64 of datagram {id}, more follow; not reassembled");
        assert_eq!((error(&first), &first["message"]), (expected.as_str(), &"Path".into()));
        assert_eq!((objects(&first), &first["checksum"]), (PATH_OBJECTS[..4].to_vec(), &"none".into()));
        let last = one(&fragment(&path[64..], 64, false));
        let expected = format!("fragment: bytes 64 to 180 of datagram {id}, the last; not reassembled");
        assert_eq!((error(&last), &last["message"]), (expected.as_str(), &Value::Null));
        assert_eq!((objects(&last).len(), &last["src"].is_string()), (0, &true));
    }
}

#[test]
fn objects_that_rfc_2205_does_not_know_have_name_number_and_contents() {
    let line = one(&data::ipv4(&data::tunnel_path()));
    assert_eq!(line["error"], Value::Null);
    let objects = &line["objects"];
    assert_eq!((&objects[0]["name"], &objects[0]["ctype"]), (&"SESSION".into(), &7.into()));
    assert_eq!(objects[0]["contents"], "0a000402000000010a00010a");
    assert_eq!((&objects[3]["name"], &objects[3]["contents"]), (&"LABEL_REQUEST".into(), &"00000800".into()));
    assert_eq!((&objects[4]["name"], &objects[4]["class"]), (&Value::Null, &253.into()));
}

#[test]
fn damage_gives_an_error_and_the_objects_in_front_of_it() {
    let path = data::path();
    let damaged = |at: usize, to: &[u8]| {
        let mut message = path.clone();
        message[at..at + to.len()].copy_from_slice(to);
        message[2..4].fill(0);
        one(&data::ipv4(&message))
    };
    for (length, objects_left) in [(0_u16, 2), (3, 2), (10, 2), (5000, 2)] {
        let line = damaged(32, &length.to_be_bytes());
        assert!(error(&line).contains(&format!("object length {length}")), "{line}");
        assert_eq!(objects(&line), PATH_OBJECTS[..objects_left]);
        assert_eq!(line["checksum"], "none");
    }
    let line = damaged(0, &[0x20]);
    assert!(error(&line).contains("version 2"), "{line}");
    let line = damaged(6, &[0, 100]);
    assert!(error(&line).contains("100"), "{line}");
    // SESSION becomes IPv6, for which it is too short; the others can be read.
    let line = damaged(11, &[2]);
    assert!(error(&line).contains("SESSION"), "{line}");
    assert_eq!(objects(&line).len(), PATH_OBJECTS.len());
    assert_eq!(line["objects"][0]["contents"], "0a0004021101138c");
    assert!(line["objects"][0]["error"].is_string());
}

#[test]
fn a_wrong_checksum_is_bad() {
    let mut message = data::path();
    message[16] ^= 1;
    let line = one(&data::ipv4(&message));
    assert_eq!((&line["checksum"], objects(&line)), (&"bad".into(), PATH_OBJECTS.to_vec()));
    assert!(error(&line).contains("checksum"), "{line}");
}

#[test]
fn a_packet_that_the_capture_cuts_gives_what_is_there() {
    let frame = ethernet(&data::ipv4(&data::path()));
    let link_and_ip = 14 + 24;
    let cut = |length: usize| frame[..length].to_vec();
    let frames = [cut(link_and_ip + 50), frame.clone(), cut(link_and_ip + 5), cut(20)];
    for file in [Writer::ETHERNET.pcap(&frames), Writer::ETHERNET.pcapng(&frames)] {
        let (lines, summary) = lines(&file);
        let summary = summary.expect("readable");
        assert_eq!((lines.len(), summary.packets, summary.unclear), (3, 4, 1));
        assert_eq!(error(&lines[0]), "truncated: the capture has 50 of 180 bytes");
        assert_eq!(objects(&lines[0]), PATH_OBJECTS[..3]);
        assert_eq!((&lines[1]["error"], &lines[0]["checksum"]), (&Value::Null, &"none".into()));
        assert_eq!(error(&lines[2]), "truncated: the capture has 5 bytes of the message");
        assert_eq!((&lines[2]["message"], &lines[2]["ttl"]), (&Value::Null, &62.into()));
    }
}

#[test]
fn a_file_that_ends_inside_a_packet_gives_what_is_there() {
    let frames = vec![ethernet(&data::ipv4(&data::path())); 2];
    let trailer = 4;
    for (file, cut) in [
        (Writer::ETHERNET.pcap(&frames), 100),
        (
            Writer::ETHERNET.pcapng(&frames),
            100 + trailer + frames[0].len().next_multiple_of(4) - frames[0].len(),
        ),
    ] {
        let lines = read(&file[..file.len() - cut]);
        assert_eq!(lines[0]["error"], Value::Null);
        assert!(
            error(&lines[1]).starts_with("the file ends inside this packet; truncated: "),
            "{}",
            lines[1]
        );
        assert_eq!(objects(&lines[1]), PATH_OBJECTS[..4]);
    }
}

#[test]
fn a_damaged_packet_block_is_an_error_and_the_next_is_read() {
    let frames = vec![ethernet(&data::ipv4(&data::path())); 3];
    let file = Writer::ETHERNET.pcapng(&frames);
    let block = 32 + frames[0].len().next_multiple_of(4);
    let second = file.len() - 2 * block;
    for (at, value, message) in [
        (20, 60_000_u32, "a malformed packet block"),
        (8, 9, "a packet of interface 9, which is not described"),
        (block - 4, 7, "a malformed packet block"),
    ] {
        let mut file = file.clone();
        file[second + at..][..4].copy_from_slice(&value.to_le_bytes());
        let lines = read(&file);
        assert_eq!(lines.len(), 3);
        assert_eq!((error(&lines[1]), &lines[1]["frame"]), (message, &2.into()));
        assert_eq!((&lines[1]["src"], &lines[1]["message"]), (&Value::Null, &Value::Null));
        assert_eq!((objects(&lines[2]), &lines[2]["frame"]), (PATH_OBJECTS.to_vec(), &3.into()));
    }
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let message = |file: &[u8]| lines(file).1.expect_err("unreadable").to_string();
    for file in [&b""[..], b"GIF89a and so on, not a capture", &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0]] {
        assert_eq!(message(file), "is neither a pcap nor a pcapng file");
    }
    let frames = [ethernet(&data::ipv4(&data::path()))];
    let file = Writer::ETHERNET.pcap(&frames);
    let with_end = |end: &[u8]| [&file[..], end].concat();
    let after = "damaged after packet 1:";
    assert_eq!(
        message(&with_end(&[0; 7])),
        format!("{after} it ends inside a packet header; the rest cannot be read")
    );
    let endless = with_end(&Writer::ETHERNET.u32s(&[0, 0, u32::MAX, u32::MAX]));
    assert_eq!(
        message(&endless),
        format!("{after} the next one claims to have 4294967295 bytes; the rest cannot be read")
    );
    assert_eq!(lines(&endless).0.len(), 1, "what stands before is printed");
    let file = Writer::ETHERNET.pcapng(&frames);
    let endless = [&file[..], &Writer::ETHERNET.u32s(&[6, 2])].concat();
    assert_eq!(message(&endless), format!("{after} a block claims to have 2 bytes; the rest cannot be read"));
}

#[test]
fn a_link_type_that_is_not_supported_is_counted() {
    let file = Writer { link: 127, ..Writer::ETHERNET }.pcap(&[vec![0; 60]]);
    let summary = lines(&file).1.expect("readable");
    assert!(summary.is_unsupported());
    assert_eq!(
        summary.to_string(),
        "packets: 1, with RSVP: 0, of them with errors: 0, of a link type that is not supported: 1"
    );
}

#[test]
fn the_tree_reads_well() {
    let messages = [data::path(), data::resv(), data::resv_err(), data::tunnel_path()];
    let frames: Vec<_> = messages.iter().map(|message| ethernet(&data::ipv4(message))).collect();
    insta::assert_snapshot!(text(&Writer::ETHERNET.pcap(&frames)));
}

#[test]
fn a_bundle_has_its_messages() {
    let (ack, path, srefresh) = (data::ack(), data::path(), data::srefresh());
    let line = one(&data::ipv4_plain(&data::bundle(&[&ack, &path, &srefresh])));
    assert_eq!(
        (&line["message"], &line["type"], &line["error"]),
        (&"Bundle".into(), &12.into(), &Value::Null)
    );
    assert_eq!((&line["objects"], &line["checksum"]), (&json!([]), &"ok".into()));
    assert_eq!((&line["refresh_reduction_capable"], &line["send_ttl"]), (&true.into(), &255.into()));
    let messages = line["messages"].as_array().expect("messages");
    assert_eq!(messages.len(), 3);
    for (message, alone) in messages.iter().zip([&ack, &path, &srefresh]) {
        let mut expected = one(&data::ipv4_plain(alone));
        let fields = expected.as_object_mut().expect("an object");
        for of_packet in ["frame", "time", "src", "dst", "ttl", "router_alert", "udp_port"] {
            fields.remove(of_packet).expect("it is there");
        }
        assert_eq!(*message, expected);
        assert!(message.get("messages").is_none(), "only a Bundle has them");
    }
    assert_eq!(messages[1]["refresh_reduction_capable"], false);
    let ids = [json!({ "kind": "ack", "id": 7 }), json!({ "kind": "nack", "id": 9 })];
    for (object, expected) in messages[0]["objects"].as_array().expect("objects").iter().zip(ids) {
        let mut expected = expected;
        let common = json!({
            "class": 24, "ctype": object["ctype"], "length": 12, "name": "MESSAGE_ID_ACK",
            "flags": 0, "epoch": 0x00ab_cdef
        });
        expected.as_object_mut().expect("an object").extend(common.as_object().expect("an object").clone());
        assert_eq!(*object, expected);
    }
}

#[test]
fn message_ids_and_lists_have_their_fields() {
    let tear = one(&data::ipv4(&data::path_tear()));
    assert_eq!(
        tear["objects"][0],
        json!({
            "class": 23, "ctype": 1, "length": 12, "name": "MESSAGE_ID",
            "flags": 1, "ack_desired": true, "epoch": 0x0012_3456, "id": 10
        })
    );
    let list = |message: &[u8], position: usize| {
        let line = one(&data::ipv4(message));
        let object = &line["objects"][position];
        assert_eq!((&object["name"], &object["epoch"]), (&"MESSAGE_ID_LIST".into(), &0x0012_3456.into()));
        (object["kind"].clone(), object["entries"].clone())
    };
    let srefresh = data::srefresh();
    let ids: Vec<Value> = (1..=10).map(|id| json!({ "id": id })).collect();
    assert_eq!(list(&srefresh, 0), ("list".into(), json!(ids)));
    let group = json!([{ "id": 11, "source": "10.0.1.10", "destination": "224.1.2.3" }]);
    assert_eq!(list(&srefresh, 1), ("mcast-list".into(), group));
    let group = json!([{ "id": 12, "source": "2001:db8::1", "destination": "ff0e::9" }]);
    assert_eq!(list(&srefresh, 2), ("mcast-list".into(), group));
    let [ipv4, ipv6] = data::group_srefreshes();
    let sources = json!([{ "id": 11, "source": "10.0.1.10" }, { "id": 13, "source": "10.0.1.11" }]);
    assert_eq!(list(&ipv4, 0), ("src-list".into(), sources));
    assert_eq!(list(&ipv6, 0), ("src-list".into(), json!([{ "id": 12, "source": "2001:db8::1" }])));
}

#[test]
fn a_damaged_message_of_a_bundle_does_not_hide_the_others() {
    let (ack, mut tear) = (data::ack(), data::path_tear());
    tear[11] ^= 1;
    let errors = |line: &Value| -> Vec<bool> {
        let messages = line["messages"].as_array().expect("messages");
        messages.iter().map(|message| !message["error"].is_null()).collect()
    };
    let line = one(&data::ipv4(&data::bundle(&[&ack, &tear, &ack])));
    assert_eq!((errors(&line), &line["checksum"]), (vec![false, true, false], &"ok".into()));
    assert!(error(&line).starts_with("message 2: checksum is "), "{line}");
    assert_eq!(line["messages"][1]["checksum"], "bad");
    // A Bundle in a Bundle.
    let line = one(&data::ipv4(&data::bundle(&[&ack, &data::bundle(&[&ack]), &ack])));
    assert_eq!(errors(&line), [false, true, false]);
    assert_eq!(line["messages"][1]["message"], "Bundle");
    // The Bundle's own checksum is wrong.
    let mut damaged = data::bundle(&[&ack, &data::path_tear()]);
    damaged[4] ^= 1;
    let line = one(&data::ipv4(&damaged));
    assert_eq!((errors(&line), &line["checksum"]), (vec![false, false], &"bad".into()));
    assert!(error(&line).starts_with("checksum is "), "{line}");
    // A length that leads beyond the end.
    let mut damaged = data::bundle(&[&ack, &data::path_tear()]);
    damaged[2..4].fill(0);
    damaged[8 + ack.len() + 7] += 4;
    let line = one(&data::ipv4(&damaged));
    assert_eq!((errors(&line), objects(&line).len()), (vec![false, true], 6));
    // Nothing in it.
    let line = one(&data::ipv4(&data::bundle(&[])));
    assert_eq!((errors(&line), error(&line)), (vec![], "16 octets needed, 8 there (at octet 8)"));
}

#[test]
fn a_bundle_that_the_capture_cuts_gives_what_is_there() {
    let frame = ethernet(&data::ipv4_plain(&data::bundle(&[&data::ack(), &data::path_tear()])));
    let link_and_ip = 14 + 20;
    let file = Writer::ETHERNET.pcap(&[frame[..link_and_ip + 8 + 32 + 8 + 12].to_vec()]);
    let lines = read(&file);
    assert_eq!(error(&lines[0]), "truncated: the capture has 60 of 96 bytes");
    assert_eq!(objects(&lines[0]), [[24, 1, 12], [24, 2, 12], [23, 1, 12]]);
}

#[test]
fn what_rfc_2961_adds_reads_well() {
    let (ack, mut damaged) = (data::ack(), data::path_tear());
    damaged[11] ^= 1;
    let bundle = data::bundle(&[&ack, &data::path_tear(), &damaged, &data::srefresh()]);
    let mut messages = vec![bundle];
    messages.extend(data::group_srefreshes());
    let frames: Vec<_> = messages.iter().map(|message| ethernet(&data::ipv4_plain(message))).collect();
    insta::assert_snapshot!(text(&Writer::ETHERNET.pcap(&frames)));
}

/// What an independent dissector makes of a capture; `None` when there is none.
fn objects_by_tshark(file: &[u8]) -> Option<tshark::Objects> {
    let path = std::env::temp_dir().join(format!("rsvp-decode-{}.pcap", std::process::id()));
    std::fs::write(&path, file).expect("a temporary file");
    let objects = tshark::objects(&path);
    std::fs::remove_file(&path).expect("the temporary file");
    objects
}

#[test]
fn tshark_sees_the_same_objects() {
    let messages = [data::path(), data::resv(), data::resv_err(), data::tunnel_path()];
    let reduction = [data::ack(), data::path_tear(), data::srefresh()];
    let bundle = data::bundle(&reduction.each_ref().map(Vec::as_slice));
    let all = messages.iter().chain(&reduction).chain([&bundle]);
    let packets = all.flat_map(|message| {
        [data::ipv4(message), data::ipv6(message), data::ipv4_udp(message, 1698), data::ipv4_plain(message)]
    });
    let frames: Vec<_> = packets
        .flat_map(|packet| data::frames(&packet))
        .filter(|(_, link, _)| *link == 1)
        .map(|(_, _, frame)| frame)
        .collect();
    for file in [Writer::ETHERNET.pcap(&frames), Writer::ETHERNET.pcapng(&frames)] {
        let Some(expected) = objects_by_tshark(&file) else { return };
        let lines = read(&file);
        let ours: Vec<_> =
            lines.iter().map(|line| (line["frame"].as_u64().expect("a number"), objects(line))).collect();
        assert_eq!(ours, expected);
        assert_eq!(ours.len(), frames.len());
    }
}

/// A capture with a bit of everything.
fn mixture(writer: Writer) -> [Vec<u8>; 2] {
    let path = data::path();
    let packets = [
        data::ipv4(&path),
        data::ipv6(&data::resv()),
        data::ipv4_udp(&data::resv_err(), 1698),
        data::ipv6_fragment(&path[..64], 0, true),
        data::ipv4(&data::tunnel_path()),
    ];
    let frames: Vec<_> = packets.iter().flat_map(|packet| data::frames(packet)).collect();
    let frames: Vec<_> =
        frames.into_iter().filter(|(_, link, _)| *link == 1).map(|(_, _, frame)| frame).collect();
    [writer.pcap(&frames), writer.pcapng(&frames)]
}

/// The captures under `examples/captures` are what the generator makes; `UPDATE_EXAMPLES=1` writes them.
#[test]
fn the_example_captures_are_current() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/captures");
    let [pcap, pcapng] = mixture(Writer::ETHERNET);
    for (name, expected) in [("mixture.pcap", pcap), ("mixture.pcapng", pcapng)] {
        let path = directory.join(name);
        if std::env::var_os("UPDATE_EXAMPLES").is_some() {
            std::fs::write(&path, &expected).expect("a writable directory");
        }
        assert!(std::fs::read(&path).expect("an example") == expected, "{name} is not current");
    }
}

proptest! {
    #[test]
    fn no_damage_makes_it_panic(
        big_endian in any::<bool>(),
        which in 0..2_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
        end in any::<prop::sample::Index>(),
    ) {
        let mut file = mixture(Writer { big_endian, ..Writer::ETHERNET })[which].clone();
        for (at, value) in changes {
            let at = at.index(file.len());
            file[at] = value;
        }
        file.truncate(end.index(file.len()) + 1);
        let (lines, result) = lines(&file);
        if let Ok(summary) = result {
            prop_assert_eq!(summary.rsvp, lines.len() as u64);
        }
        prop_assert!(decode(&file[..], io::sink(), false).is_ok() == decode(&file[..], io::sink(), true).is_ok());
    }

    #[test]
    fn no_packet_makes_it_panic(
        link in prop::sample::select(vec![0_u16, 1, 12, 101, 108, 113, 228, 229, 276]),
        header in prop::sample::select(vec![
            vec![], vec![0x45, 0, 0, 200, 0, 0, 0, 0, 9, 46, 0, 0], vec![0x60, 0, 0, 0, 0, 99, 0, 1],
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let frame = [header, rest].concat();
        read(&Writer { link, ..Writer::ETHERNET }.pcap(&[frame]));
    }

    #[test]
    fn no_message_makes_it_panic(
        mut message in prop::collection::vec(any::<u8>(), 8..300),
        is_bundle in any::<bool>(),
    ) {
        message[0] = 0x10;
        if is_bundle {
            message[1] = 12;
        }
        let length = (message.len() as u16).to_be_bytes();
        message[6..8].copy_from_slice(&length);
        let file = Writer { link: 101, ..Writer::ETHERNET }.pcap(&[data::ipv4(&message)]);
        prop_assert_eq!(read(&file).len(), 1);
        prop_assert!(text(&file).starts_with("#1 "));
    }
}
