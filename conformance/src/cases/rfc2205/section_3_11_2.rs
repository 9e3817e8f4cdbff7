//! RFC 2205 section 3.11.2: the interface to traffic control, as far as messages tell of it.

use std::time::Duration;

use crate::bench::{Family, Lab, Port, Station, adspec};
use crate::shows;
use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::wire::{Adspec, GeneralParameters, Path};

/// What a Path says of the way so far.
fn general(path: Path) -> GeneralParameters {
    match path.adspec {
        Some(Adspec::IntServ(adspec)) => adspec.general,
        other => panic!("{other:?}"),
    }
}

/// Each interface has its own word on the ADSPEC of what leaves by it, in first Paths and in refreshes; and whether nodes
/// without RSVP lie before this one, all of them say.
pub(crate) fn traffic_control_makes_the_adspec_of_each_interface(lab: &Lab) {
    shows(&["rfc2205-3.11.2-05"]);
    let mut dut = lab.brisk().with(Family::V4, |config| {
        let stock = &config.default_interface;
        for (port, link, latency) in [(Port::C, 600_000, 2), (Port::D, 800_000, 5)] {
            let bandwidth = stock.bandwidth.map(|bandwidth| Bandwidth { link, ..bandwidth });
            let latency = Some(Duration::from_millis(latency));
            let interface = InterfaceConfig { bandwidth, latency, ..stock.clone() };
            config.interfaces.insert(port.name().to_owned(), interface);
        }
    });
    let (s1, r) = (dut.s1(), dut.r());
    for (port, broken) in [(5000, false), (5001, true)] {
        let session = dut.plan.session(dut.g().destination(), port);
        let mut path = dut.path(Station::U1, session, s1);
        path.adspec = Some(Adspec::decode(&adspec()));
        let mut packet = dut.pack(Station::U1, path);
        packet.ttl -= u8::from(broken);
        dut.send_packet(Station::U1, &packet);
        for round in ["the first Path", "a refresh"] {
            for (port, bandwidth, latency) in [(Port::C, 600_000.0, 2500), (Port::D, 800_000.0, 5500)] {
                let expected = GeneralParameters { broken, is_hops: 4, bandwidth, latency, path_mtu: 1500 };
                let paths = std::iter::once(dut.expect::<Path>(port)).chain(dut.all::<Path>(port));
                let its = paths.filter(|path| path.message.session.key == session);
                let told: Vec<_> = its.map(|path| general(path.message)).collect();
                assert!(!told.is_empty(), "{round} leaves by {port:?}");
                assert!(told.iter().all(|general| *general == expected), "{round} out of {port:?}: {told:?}");
            }
            dut.advance(2 * r);
        }
        let tear = dut.path_tear(Station::U1, session, s1);
        dut.send(Station::U1, tear);
        dut.forget();
    }
}
