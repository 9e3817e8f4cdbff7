//! Files that break off, files with errors, and files that somebody made up.

mod support;

use proptest::prelude::*;
use rsvp_core::command::{Command, SenderRequest};
use rsvp_core::input::{InterfaceInfo, NextHop, Route};
use rsvp_core::wire::{FilterSpec, FlowKey, SenderTspec, SessionKey, Tspec};
use rsvp_core::{Input, Instant, InterfaceId, NodeConfig, Reply, Request};
use rsvp_record::{ReadError, RecordedNode, Recorder, ReplayError};
use support::{Memory, steps};

/// A sender and some refreshes of its Path.
fn recording() -> Vec<u8> {
    let memory = Memory::default();
    let recorder = Recorder::new(memory.clone());
    let mut node = RecordedNode::recorded(NodeConfig::default(), [7; 32], Instant::ZERO, recorder);
    let (interface, own) = (InterfaceId(1), [192, 0, 2, 1].into());
    node.handle(
        Instant::ZERO,
        Input::Interface(InterfaceInfo {
            id: interface,
            name: "eth0".to_owned(),
            addresses: vec![own],
            mtu: 1500,
            up: true,
            point_to_point: false,
        }),
    );
    let session = SessionKey::Ip(FlowKey { destination: [198, 51, 100, 7].into(), protocol: 17, port: 5004 });
    let Ok(Reply::Session(id)) = node.command(Instant::ZERO, Command::OpenSession(session)) else {
        panic!("the session is open")
    };
    let tspec = Tspec { rate: 1e5, bucket: 1e4, peak: 2e5, min_unit: 64, max_packet: 1500 };
    let request = SenderRequest {
        template: FilterSpec::Ip { source: own, port: 4000 },
        tspec: SenderTspec::TokenBucket(tspec),
        adspec: true.into(),
        policy: Vec::new(),
        ttl: 63,
    };
    node.command(Instant::ZERO, Command::AddSender(id, request)).expect("it is announced");
    let mut buffer = Vec::new();
    for seconds in 0..300 {
        let now = Instant::from_micros(seconds * 1_000_000);
        node.handle(now, Input::Timeout);
        while let Some(request) = node.poll_request() {
            if let Request::WatchRoute(key) = request {
                let outgoing = vec![NextHop { interface, gateway: None }];
                node.handle(now, Input::Route(key, Route { outgoing, ..Route::default() }));
            }
        }
        while node.poll_transmit(now, &mut buffer).is_some() {}
        while node.poll_event().is_some() {}
    }
    drop(node);
    memory.octets()
}

/// Where each frame begins, and the end of the last.
fn frames(octets: &[u8]) -> Vec<usize> {
    let mut places = vec![8];
    let mut place = 8;
    while place < octets.len() {
        let mut length = 0;
        for shift in (0..).step_by(7) {
            let octet = octets[place];
            place += 1;
            length |= usize::from(octet & 0x7f) << shift;
            if octet & 0x80 == 0 {
                break;
            }
        }
        place += 2 + length;
        places.push(place);
    }
    places
}

#[test]
fn what_comes_before_the_end_of_a_cut_file_is_replayed() {
    let whole = recording();
    let frames = frames(&whole);
    let (all, replay) = steps(&whole);
    replay.expect("it is reproduced");
    assert_eq!(all.len(), frames.len() - 3, "the header and the end are no steps");
    for length in (0..whole.len()).filter(|length| *length < 1000 || length % 7 == 0) {
        let (some, replay) = steps(&whole[..length]);
        assert_eq!(some, all[..some.len()]);
        match replay {
            Ok(replay) => {
                assert!(frames.contains(&length), "it ends between two steps: {length}");
                assert_eq!(replay.end(), None);
            }
            Err(ReplayError::Read(ReadError::NotARecording)) => assert!(length < 8),
            Err(ReplayError::Read(ReadError::Header)) => assert!(length < frames[1]),
            Err(ReplayError::Read(ReadError::Truncated(step))) => {
                assert!(!frames.contains(&length));
                assert_eq!(step, some.len() as u64 + 1);
            }
            Err(error) => panic!("{length} octets: {error}"),
        }
    }
}

#[test]
fn other_files_are_told_from_recordings() {
    let said = |octets: &[u8]| steps(octets).1.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(said(b"").contains("no recording"));
    assert!(said(b"\xd4\xc3\xb2\xa1 and more").contains("no recording"));
    assert!(said(b"RSVPREC\xffand more").contains("format 255"));
    assert!(said(b"RSVPREC\x01and more").contains("beginning"));
}

fn framed(contents: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut length = contents.len();
    while length >= 0x80 {
        octets.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    octets.push(length as u8);
    octets.extend(&crc32fast::hash(contents).to_be_bytes()[2..]);
    octets.extend(contents);
    octets
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The check catches an error, but for one in 65,536.
    #[test]
    fn an_error_is_found_where_it_is(place in 0.0..1.0, flip in 1_u8..) {
        let whole = recording();
        let place = (place * whole.len() as f64) as usize;
        let mut octets = whole.clone();
        octets[place] ^= flip;
        let frames = frames(&whole);
        let hit = frames.iter().filter(|start| **start <= place).count();
        let (some, replay) = steps(&octets);
        let error = replay.err().expect("it is seen");
        prop_assert!(matches!(error, ReplayError::Read(_)), "{error}");
        // Frame 1 is the header, and 0 what comes before.
        prop_assert_eq!(some.len(), hit.saturating_sub(2));
    }

    /// Records whose checks are right, and whose contents are anything.
    #[test]
    fn made_up_records_do_no_harm(
        records in proptest::collection::vec((0_u8..9, proptest::collection::vec(any::<u8>(), 0..40)), 0..8),
    ) {
        let mut octets = recording();
        octets.truncate(frames(&octets)[5]);
        let before = steps(&octets).0.len();
        for (kind, value) in records {
            let mut contents = vec![2, 0, kind];
            contents.extend(value);
            octets.extend(framed(&contents));
        }
        prop_assert!(steps(&octets).0.len() >= before);
    }

    /// Real records with one octet changed, and a check that fits.
    #[test]
    fn altered_records_do_no_harm(frame in 0_usize..500, place in 0_usize..400, to in any::<u8>()) {
        let whole = recording();
        let frames = frames(&whole);
        let frame = frame % (frames.len() - 1);
        let (start, end) = (frames[frame], frames[frame + 1]);
        let head = whole[start..end].iter().position(|octet| octet & 0x80 == 0).expect("a length") + 3;
        let mut contents = whole[start + head..end].to_vec();
        let length = contents.len();
        contents[place % length] = to;
        let octets = [&whole[..start], &framed(&contents), &whole[end..]].concat();
        steps(&octets).1.ok();
    }
}

#[test]
fn a_length_beyond_all_bounds_allocates_nothing() {
    for length in [&[0xff, 0xff, 0xff, 0x1f][..], &[0xff; 10], &[0x80, 0x80, 0x80, 0x20]] {
        let mut octets = recording();
        let cut = frames(&octets)[4];
        octets.truncate(cut);
        octets.extend(length);
        octets.extend([0; 10]);
        let (_, replay) = steps(&octets);
        assert!(matches!(replay, Err(ReplayError::Read(ReadError::Truncated(_) | ReadError::Garbled(_)))));
    }
}
