//! What is reserved on an interface, found out by reserving more.

use crate::bench::{Dut, Port, Station, cl, ff, millis, tspec};
use rsvp_core::wire::{Resv, ResvErr, SessionKey, Style};

/// A port for the sessions in here, which no other session has.
const PORT: u16 = 6000;

/// Announces a sender of `n` times B from its place, and forgets the Paths that this made the DUT send. It need not be
/// refreshed while a case lasts.
pub(super) fn announce(dut: &mut Dut, session: SessionKey, number: u8, n: f32) {
    let from = if number == 1 { Station::U1 } else { Station::U2 };
    let mut path = dut.path(from, session, dut.plan.sender(number));
    path.sender_tspec = tspec(n);
    path.refresh_ms = millis(100 * dut.r());
    dut.learn_from(from, path);
}

/// Asserts that a session of its own can still reserve `fits` times B on the interface towards a neighbour, and not `more`.
pub(super) fn assert_room(dut: &mut Dut, towards: Station, fits: f32, more: f32) {
    let (destination, number, up) = match towards {
        Station::U1 => (dut.plan.station(Station::U1), 2, Port::B),
        Station::U2 => (dut.plan.station(Station::U2), 1, Port::A),
        Station::D1 => (dut.h().destination(), 1, Port::A),
        Station::D2 | Station::D3 => (dut.k().destination(), 1, Port::A),
    };
    let (session, sender) = (dut.plan.session(destination, PORT), dut.plan.sender(number));
    announce(dut, session, number, 200.0);
    let resv = dut.resv(towards, session, Style::Ff, &[ff(cl(more), sender)]);
    dut.send(towards, resv);
    let error = dut.expect_to::<ResvErr>(towards).message.error;
    assert_eq!(error.code, 1, "{more} B more are too much towards {towards:?}");
    let resv = dut.resv(towards, session, Style::Ff, &[ff(cl(fits), sender)]);
    dut.send(towards, resv);
    let shares = dut.expect::<Resv>(up).shares();
    assert_eq!(shares, [(fits, vec![sender])], "there is room for {fits} B more towards {towards:?}");
}
