//! Good messages with a few random changes. Nobody says what a device makes of each: it answers at most each of them, what
//! it sends is in order, and it goes on serving others.

use crate::bench::{Dut, Lab, Packet, Station, ack, cl, ff, list, nack, wanted};
use crate::cases::robustness::malformed::expect_no_storm;
use crate::cases::robustness::{Bystander, good_messages, objects, sealed, sized, to_device, with_objects};
use crate::shows;
use rsvp_core::wire::{Head, Srefresh, Style};
use rsvp_sim::{Draw, Random, seeded};

/// How many packets a case sends.
const MUTANTS: usize = 600;

/// One to four changes of octets: bits, whole octets, and fields of 16 and 32 bits that get extreme values.
fn change_octets(random: &mut Random, bytes: &mut [u8]) {
    const EXTREMES: [u8; 5] = [0x00, 0x01, 0x7f, 0x80, 0xff];
    for _ in 0..=random.below(4) {
        let place = random.below(bytes.len());
        let width = [1, 1, 2, 4][random.below(4)].min(bytes.len() - place);
        let value = EXTREMES[random.below(EXTREMES.len())];
        match random.below(3) {
            0 => bytes[place] ^= 1 << random.below(8),
            1 => bytes[place] = random.below(256) as u8,
            _ => bytes[place..place + width].fill(value),
        }
    }
}

/// A change of the list of objects: one is left out, doubled, moved, emptied, made longer or of another class or C-Type.
fn change_list(random: &mut Random, packet: &Packet) -> Packet {
    let mut all = objects(packet);
    let place = random.below(all.len());
    match random.below(7) {
        0 => drop(all.remove(place)),
        1 => all.insert(place, all[place].clone()),
        2 => {
            let other = random.below(all.len());
            all.swap(place, other);
        }
        3 => all[place].contents.clear(),
        4 => all[place].contents.extend([0xa5; 8]),
        5 => all[place].class = random.below(256) as u8,
        _ => all[place].ctype = random.below(256) as u8,
    }
    with_objects(packet, &all)
}

fn mutant(random: &mut Random, packet: &Packet) -> Packet {
    let packet = if random.chance(0.5) { change_list(random, packet) } else { packet.clone() };
    let mut bytes = packet.message.clone();
    match random.below(8) {
        0 => bytes.truncate(1 + random.below(bytes.len())),
        1 => bytes.extend((0..4 * random.below(8)).map(|_| random.below(256) as u8)),
        2 => {}
        _ => change_octets(random, &mut bytes),
    }
    match random.below(10) {
        0 => Packet { message: bytes, ..packet },
        1 => sealed(&packet, bytes),
        _ => sized(&packet, bytes),
    }
}

/// Sends mutants of good messages, bursts of them from each neighbour, and looks after the bystander.
fn survive(dut: &mut Dut, seed: u64, good: &[(Station, Packet)], bystander: &mut Bystander) {
    let mut random = seeded(seed);
    dut.forget();
    for _ in 0..MUTANTS / 50 {
        for station in [Station::U1, Station::D1] {
            let its: Vec<&Packet> =
                good.iter().filter(|(from, _)| *from == station).map(|(_, packet)| packet).collect();
            let mut any = || {
                let one = its[random.below(its.len())];
                to_device(dut, station, mutant(&mut random, one))
            };
            let mutants: Vec<Packet> = (0..25).map(|_| any()).collect();
            dut.send_burst(station, &mutants);
        }
    }
    expect_no_storm(dut, MUTANTS);
    bystander.is_refreshed(dut);
}

/// 600 mutants of Path, Resv, PathErr, ResvErr, PathTear, ResvTear and ResvConf, from seed 2205.
pub(crate) fn mutants_of_rfc_2205(lab: &Lab) {
    shows(&["rfc2205-B-20", "rfc2205-B-21", "rfc2205-3.1.1-08", "rfc2205-3.1.2-01"]);
    let mut dut = lab.brisk().router();
    let mut bystander = Bystander::establish(&mut dut);
    let good: Vec<(Station, Packet)> =
        good_messages(&mut dut).into_iter().map(|(from, packet, _)| (from, packet)).collect();
    survive(&mut dut, 2205, &good, &mut bystander);
}

/// 600 mutants of Paths and Resvs of all styles, over IPv6, from seed 2460.
pub(crate) fn mutants_over_ipv6(lab: &Lab) {
    shows(&["rfc2205-B-20", "rfc2205-1-02"]);
    let mut dut = lab.brisk().router_v6();
    let mut bystander = Bystander::establish(&mut dut);
    let (g, h, s1, s2) = (dut.g(), dut.h(), dut.s1(), dut.s2());
    dut.learn(Station::U1, g, s1);
    dut.learn(Station::U1, h, s1);
    let (up, down) = (Station::U1, Station::D1);
    let mut scoped = dut.resv(down, g, Style::Wf, &[crate::bench::wf(cl(1.0))]);
    scoped.scope = Some(vec![s1.source()]);
    let shared = [crate::bench::se(cl(1.0), &[s1, s2])];
    let good = [
        (up, dut.pack(up, dut.path(up, g, s1))),
        (up, dut.pack(up, dut.path(up, h, s1))),
        (up, dut.pack(up, dut.path_tear(up, h, s2))),
        (down, dut.pack(down, dut.resv(down, h, Style::Ff, &[ff(cl(1.0), s1)]))),
        (down, dut.pack(down, dut.resv(down, g, Style::Se, &shared))),
        (down, dut.pack(down, scoped)),
    ];
    survive(&mut dut, 2460, &good, &mut bystander);
}

/// 600 mutants of messages with MESSAGE_IDs and acknowledgements, of Srefreshes and of Bundles, from seed 2961.
pub(crate) fn mutants_of_refresh_reduction(lab: &Lab) {
    shows(&["rfc2961-3.4-05", "rfc2961-4.1-07", "rfc2961-5.1-11"]);
    let mut dut = lab.brisk().reducing();
    let mut bystander = Bystander::establish(&mut dut);
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let (up, down) = (Station::U1, Station::D1);
    let head = |id| Head { acknowledgements: vec![ack(1), nack(2)], message_id: Some(wanted(id)) };
    let path = dut.pack_with(up, dut.path(up, h, s1), &head(11));
    let tear = dut.pack_with(up, dut.path_tear(up, h, dut.s2()), &head(12));
    let resv = dut.pack_with(down, dut.resv(down, h, Style::Ff, &[ff(cl(1.0), s1)]), &head(13));
    let srefresh = |dut: &Dut, from| dut.pack(from, Srefresh { lists: vec![list(&[11, 13, 14])] });
    let good = [(up, srefresh(&dut, up)), (down, srefresh(&dut, down)), (up, path), (up, tear), (down, resv)];
    survive(&mut dut, 2961, &good, &mut bystander);
    let bundle = |from| {
        let its = good.iter().filter(|(by, _)| *by == from).map(|(_, packet)| packet.clone());
        dut.bundle(from, &its.collect::<Vec<_>>())
    };
    let bundles = [bundle(up), bundle(down)];
    let mut random = seeded(2961);
    let mutants: Vec<Packet> = (0..200)
        .map(|_| {
            let mut packet = bundles[random.below(bundles.len())].clone();
            change_octets(&mut random, &mut packet.message);
            let packet = if random.chance(0.2) { packet } else { sealed(&packet, packet.message.clone()) };
            to_device(&dut, Station::U1, packet)
        })
        .collect();
    dut.send_burst(Station::U1, &mutants);
    expect_no_storm(&mut dut, 5 * mutants.len());
    bystander.is_refreshed(&mut dut);
}

/// 600 datagrams of random octets behind a header that may be right, from seed 46.
pub(crate) fn random_octets(lab: &Lab) {
    shows(&["rfc2205-B-21", "rfc2205-3.1.1-04", "rfc2205-3.1.1-08"]);
    let mut dut = lab.brisk().router();
    let mut bystander = Bystander::establish(&mut dut);
    let mut random = seeded(46);
    let like = dut.pack(Station::U1, dut.path(Station::U1, dut.h(), dut.s1()));
    dut.forget();
    let packets: Vec<Packet> = (0..MUTANTS)
        .map(|_| {
            let length = 8 + random.below(200);
            let mut bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
            bytes[0] = 0x10;
            bytes[1] = 1 + random.below(20) as u8;
            let packet = Packet { message: bytes, ..like.clone() };
            let packet = if random.chance(0.8) { sized(&like, packet.message) } else { packet };
            to_device(&dut, Station::U1, packet)
        })
        .collect();
    dut.send_burst(Station::U1, &packets);
    expect_no_storm(&mut dut, packets.len());
    bystander.is_refreshed(&mut dut);
}
