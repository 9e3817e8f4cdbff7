//! Messages that are put together wrongly. They are dropped in silence, and nothing else suffers.

use crate::bench::{Dut, EPOCH, Lab, Packet, Port, Station, list, nack, object};
use crate::cases::robustness::{
    Bystander, gather, objects, only_good_ones_pass, sealed, sized, with_objects,
};
use crate::shows;
use rsvp_core::wire::{ClassNum, MessageType, Path, RawMessage};

/// Objects whose length is 0, less than their header, no multiple of 4, or more than is left, at every place of messages of
/// all types: no such message has an effect or an answer.
pub(crate) fn impossible_lengths_of_objects(lab: &Lab) {
    shows(&["rfc2205-3.1.2-01", "rfc2205-B-20", "rfc2205-B-21"]);
    only_good_ones_pass(&mut lab.router(), |packet| {
        let raw = RawMessage::decode(&packet.message).expect("it is in order");
        let mut bad = Vec::new();
        for placed in &raw.objects {
            let at = placed.offset;
            let length = u16::from_be_bytes([packet.message[at], packet.message[at + 1]]);
            for wrong in [0, 1, 2, 3, length + 1, length + 2, length - 1, 0xfffc, 0xffff] {
                let mut bytes = packet.message.clone();
                bytes[at..at + 2].copy_from_slice(&wrong.to_be_bytes());
                bad.push(sealed(packet, bytes));
            }
        }
        bad
    });
}

/// Messages whose RSVP Length is another than that of the datagram, by a little or by much.
pub(crate) fn wrong_lengths_of_messages(lab: &Lab) {
    shows(&["rfc2205-3.1.1-08", "rfc2205-B-21"]);
    only_good_ones_pass(&mut lab.router(), |packet| {
        let length = u16::try_from(packet.message.len()).expect("it is short");
        let wrong = [0, 1, 4, 7, 8, length - 4, length - 1, length + 1, length + 4, 0x7fff, 0xffff];
        let of_length = |wrong: &u16| {
            let mut bytes = packet.message.clone();
            bytes[6..8].copy_from_slice(&wrong.to_be_bytes());
            sealed(packet, bytes)
        };
        let mut bad: Vec<Packet> = wrong.iter().map(of_length).collect();
        bad.push(sealed(packet, [&packet.message[..], &[0; 4]].concat()));
        bad.push(sealed(packet, [&packet.message[..], &packet.message[..]].concat()));
        bad
    });
}

/// Messages of all types cut off behind every octet, whether their header says so or not.
pub(crate) fn messages_cut_off(lab: &Lab) {
    shows(&["rfc2205-3.1.1-08", "rfc2205-B-20", "rfc2205-B-21"]);
    only_good_ones_pass(&mut lab.router(), |packet| {
        let cut = |end: usize| packet.message[..end].to_vec();
        let raw = RawMessage::decode(&packet.message).expect("it is in order");
        // A ResvConf confirms what it does, even if that is nothing; whoever passes it on need not care.
        let may_end = |end: &usize| {
            packet.message[1] == MessageType::RESV_CONF.0 && raw.objects.iter().any(|one| one.offset == *end)
        };
        let ends = (1..packet.message.len()).filter(|end| !may_end(end));
        let silent = ends.clone().map(|end| sealed(packet, cut(end)));
        silent.chain(ends.map(|end| sized(packet, cut(end)))).collect()
    });
}

/// Versions other than 1, wrong checksums, and message types that nobody knows.
pub(crate) fn strange_headers(lab: &Lab) {
    shows(&["rfc2205-3.1.1-02", "rfc2205-3.1.1-04", "rfc2205-3.1.1-05", "rfc2205-B-21"]);
    only_good_ones_pass(&mut lab.router(), |packet| {
        let with = |place: usize, value: u8| {
            let mut bytes = packet.message.clone();
            bytes[place] = value;
            sealed(packet, bytes)
        };
        let versions = [0u8, 2, 3, 9, 15].map(|version| with(0, version << 4));
        let types = [0, 10, 11, 14, 16, 17, 18, 19, 40, 100, 255].map(|message_type| with(1, message_type));
        let checksums = (0..16).map(|bit: usize| {
            let mut bytes = packet.message.clone();
            bytes[2 + bit / 8] ^= 1 << (bit % 8);
            Packet { message: bytes, ..packet.clone() }
        });
        let is_sum = |packet: &Packet| packet.message[2..4] != [0, 0];
        versions.into_iter().chain(types).chain(checksums.filter(is_sum)).collect()
    });
}

/// Messages that lack one of the objects that their type requires, and messages of a header alone.
pub(crate) fn missing_objects(lab: &Lab) {
    shows(&[
        "rfc2205-3.1.2-04",
        "rfc2205-3.1.2-05",
        "rfc2205-3.1.2-06",
        "rfc2205-3.1.2-07",
        "rfc2205-3.1.2-08",
        "rfc2205-B-21",
    ]);
    only_good_ones_pass(&mut lab.router(), |packet| {
        let required: &[u8] = match MessageType(packet.message[1]) {
            MessageType::PATH => &[1, 3, 5, 11, 12],
            MessageType::RESV => &[1, 3, 5, 8, 9, 10],
            MessageType::PATH_ERR => &[1, 6, 11],
            MessageType::RESV_ERR => &[1, 3, 6, 8],
            MessageType::PATH_TEAR => &[1, 3, 11],
            MessageType::RESV_TEAR => &[1, 3, 8, 10],
            _ => &[1, 6, 15, 8],
        };
        let all = objects(packet);
        let without = |class: &u8| {
            let some: Vec<_> = all.iter().filter(|object| object.class != *class).cloned().collect();
            with_objects(packet, &some)
        };
        required.iter().map(without).chain([with_objects(packet, &[])]).collect()
    });
}

/// Addresses that cannot be: SESSION, RSVP_HOP and SENDER_TEMPLATE or FILTER_SPEC of zero, RSVP_HOP of a group or of all.
pub(crate) fn impossible_addresses(lab: &Lab) {
    shows(&["rfc2205-A.1-02", "rfc2205-A.2-03", "rfc2205-A.9-02", "rfc2205-B-21"]);
    only_good_ones_pass(&mut lab.router(), |packet| {
        let all = objects(packet);
        let with = |class: ClassNum, address: [u8; 4]| {
            let mut changed = all.clone();
            let of_class = changed.iter_mut().find(|object| object.class == class.0);
            of_class.map(|object| object.contents[..4].copy_from_slice(&address))?;
            Some(with_objects(packet, &changed))
        };
        // An error is told of a sender, and confirmation of a flow, that the device does not look up.
        let looks_up = matches!(packet.message[1], 1 | 2);
        let mut bad = vec![with(ClassNum::SESSION, [0; 4])];
        bad.extend([[0; 4], [255; 4], [224, 0, 0, 1]].map(|address| with(ClassNum::RSVP_HOP, address)));
        if looks_up {
            bad.push(with(ClassNum::SENDER_TEMPLATE, [0; 4]));
            bad.push(with(ClassNum::FILTER_SPEC, [0; 4]));
        }
        bad.into_iter().flatten().collect()
    });
}

/// Every object of a message twice, thrice, and a hundred times; the same objects in reverse order. Whatever the device makes
/// of that, it is no more than an answer to each, and it goes on.
pub(crate) fn objects_again_and_again(lab: &Lab) {
    shows(&["rfc2205-B-20"]);
    let mut dut = lab.brisk().router();
    let mut bystander = Bystander::establish(&mut dut);
    let good = crate::cases::robustness::good_messages(&mut dut);
    dut.forget();
    let mut sent = 0;
    for (from, packet, _) in &good {
        let all = objects(packet);
        let mut strange = Vec::new();
        for (place, one) in all.iter().enumerate() {
            for times in [2, 3, 100] {
                let mut many = all.clone();
                many.splice(place..=place, vec![one.clone(); times]);
                strange.push(with_objects(packet, &many));
            }
        }
        strange.push(with_objects(packet, &all.iter().rev().cloned().collect::<Vec<_>>()));
        dut.send_burst(*from, &strange);
        sent += strange.len();
    }
    expect_no_storm(&mut dut, sent);
    bystander.is_refreshed(&mut dut);
}

/// Bundles that are empty, hold Bundles, or break off: no part of them that is out of order has an effect, and a part that
/// is in order has.
pub(crate) fn broken_bundles(lab: &Lab) {
    shows(&["rfc2961-3.2-01", "rfc2961-3.2-03", "rfc2961-3.4-04", "rfc2961-3.4-05"]);
    let mut dut = lab.reducing();
    let mut bystander = Bystander::establish(&mut dut);
    let path = |dut: &Dut, port: u16| {
        let session = dut.plan.session(dut.h().flow().destination, port);
        dut.pack(Station::U1, dut.path(Station::U1, session, dut.s1()))
    };
    let (good, hidden) = (path(&dut, 5001), path(&dut, 5002));
    let bundle = |dut: &Dut, parts: &[Packet]| dut.bundle(Station::U1, parts);
    let whole = bundle(&dut, std::slice::from_ref(&hidden));
    let mut another_version = whole.message.clone();
    another_version[0] = 0x20;
    let mut unsummed = whole.clone();
    unsummed.message[3] ^= 1;
    let shorter = whole.message[..whole.message.len() - 4].to_vec();
    let mut overrun = whole.message.clone();
    overrun[14..16].copy_from_slice(&0xfffc_u16.to_be_bytes());
    let bad = [
        bundle(&dut, &[]),
        bundle(&dut, std::slice::from_ref(&whole)),
        sealed(&whole, another_version),
        unsummed,
        sealed(&whole, shorter.clone()),
        sized(&whole, shorter),
        sealed(&whole, overrun),
        sized(&whole, whole.message[..8].to_vec()),
    ];
    dut.forget();
    dut.send_burst(Station::U1, &bad);
    dut.expect_no::<Path>(Port::C);
    let mut broken = hidden.clone();
    broken.message[9] = 2;
    let mixed = bundle(&dut, &[sealed(&broken, broken.message.clone()), good]);
    dut.send_packet(Station::U1, &mixed);
    assert_eq!(dut.expect::<Path>(Port::C).message.session.key.flow().port, 5001, "the part in order");
    dut.expect_no::<Path>(Port::C);
    bystander.is_served(&mut dut);
}

/// Lists of message ids that are empty or not whole, and one of thousands of ids that nobody knows: no id is made up, and
/// each of the unknown ones is answered once.
pub(crate) fn broken_and_huge_lists(lab: &Lab) {
    shows(&["rfc2961-5.1-11", "rfc2961-5.3-21"]);
    let mut dut = lab.reducing();
    dut.befriend(&[Station::U1]);
    let mut bystander = Bystander::establish(&mut dut);
    let srefresh = dut.pack(Station::U1, rsvp_core::wire::Srefresh { lists: vec![list(&[1])] });
    let with_list = |ctype: u8, body: &[u8]| {
        let contents = [&EPOCH.to_be_bytes()[..], body].concat();
        with_objects(&srefresh, &[object(ClassNum::MESSAGE_ID_LIST.0, ctype, &contents)])
    };
    let bad = [with_list(1, &[]), with_list(2, &[9; 12]), with_list(4, &[9; 8]), with_list(4, &[9; 16])];
    dut.send_burst(Station::U1, &bad);
    assert_eq!(dut.acks(Station::U1), [], "an answer to a list that is not whole");
    let ids: Vec<u32> = (1000..4000).collect();
    dut.send_srefresh(Station::U1, &[list(&ids)]);
    let mut nacks = gather(&mut dut, ids.len(), |dut| dut.acks(Station::U1));
    nacks.sort_by_key(|answer| answer.id().id);
    assert_eq!(nacks, ids.iter().map(|id| nack(*id)).collect::<Vec<_>>(), "what the device does not know");
    bystander.is_served(&mut dut);
}

/// No packet brings more than two: an answer, and one that is passed on.
pub(super) fn expect_no_storm(dut: &mut Dut, sent: usize) {
    let came = dut.take_sent().len();
    assert!(came <= 2 * sent + 100, "expected no storm, not {came} packets for {sent}");
}
