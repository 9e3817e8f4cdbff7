//! RFC 2205 section 3.7: time parameters.

use std::collections::BTreeMap;

use crate::bench::{Action, Dut, Family, LASTING, Lab, Port, Setup, Station, cl, ff, millis};
use crate::shows;
use rsvp_core::Instant;
use rsvp_core::config::InterfaceConfig;
use rsvp_core::wire::{ClassNum, Path, Resv, SessionKey, Style};

/// Announces S1 in a session, once and for all.
fn announce(dut: &mut Dut, session: SessionKey) {
    let mut path = dut.path(Station::U1, session, dut.s1());
    path.refresh_ms = LASTING;
    dut.send(Station::U1, path);
}

/// The refreshes of many Paths come after 0.5 R to 1.5 R each, R on the average, and spread over that range; all of them
/// say what R is.
pub(crate) fn refreshes_are_spread_at_random(lab: &Lab) {
    shows(&["rfc2205-3.7-01", "rfc2205-3.7-07"]);
    const SESSIONS: u16 = 24;
    let mut dut = lab.brisk().router();
    let (destination, r) = (dut.h().flow().destination, dut.r());
    for number in 0..SESSIONS {
        let session = dut.plan.session(destination, 5000 + number);
        announce(&mut dut, session);
    }
    dut.advance(r);
    dut.forget();
    dut.advance(10 * r);
    let mut times: BTreeMap<u16, Vec<Instant>> = BTreeMap::new();
    for path in dut.all::<Path>(Port::C) {
        assert_eq!(path.message.refresh_ms, millis(r), "R, and not what was drawn");
        times.entry(path.message.session.key.flow().port).or_default().push(path.sent.at);
    }
    assert_eq!(times.len(), usize::from(SESSIONS), "sessions that are refreshed");
    let in_r = |pair: &[Instant]| pair[1].since(pair[0]).as_secs_f64() / r.as_secs_f64();
    let intervals: Vec<f64> = times.values().flat_map(|at| at.windows(2).map(in_r)).collect();
    let slack = dut.timing.slack.as_secs_f64() / r.as_secs_f64() + 0.001;
    let outside: Vec<_> =
        intervals.iter().filter(|interval| !(0.5 - slack..=1.5 + slack).contains(*interval)).collect();
    assert!(outside.is_empty(), "expected intervals of 0.5 R to 1.5 R, not {outside:?}");
    let count = intervals.len() as f64;
    let mean = intervals.iter().sum::<f64>() / count;
    let deviation = (intervals.iter().map(|interval| (interval - mean).powi(2)).sum::<f64>() / count).sqrt();
    assert!(
        count >= 100.0 && (0.9..1.1).contains(&mean) && (0.22..0.36).contains(&deviation),
        "expected a hundred intervals about R with a deviation of 0.29 R, not {count}, {mean}, {deviation}"
    );
}

/// TIME_VALUES says the R of the interface that a message leaves by, not what was received: the default of 30 s, or what
/// is configured.
pub(crate) fn time_values_say_the_nodes_own_period(lab: &Lab) {
    shows(&["rfc2205-3.7-04", "rfc2205-3.7-05", "rfc2205-A.4-01"]);
    let mut dut = lab.with(Family::V4, |config| {
        config.default_interface.refresh = InterfaceConfig::default().refresh;
        let mut c = config.default_interface.clone();
        c.refresh /= 3;
        config.interfaces.insert("c".to_owned(), c);
    });
    let (g, s1) = (dut.g(), dut.s1());
    let mut path = dut.path(Station::U1, g, s1);
    path.refresh_ms = 5000;
    dut.send(Station::U1, path);
    for (port, octets) in [(Port::C, [0, 0, 0x27, 0x10]), (Port::D, [0, 0, 0x75, 0x30])] {
        let path = dut.expect::<Path>(port);
        assert_eq!(path.objects(ClassNum::TIME_VALUES)[0].contents, octets, "in the Path from {port:?}");
    }
    let mut resv = dut.resv(Station::D2, g, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.refresh_ms = 7000;
    dut.send(Station::D2, resv);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!(resv.objects(ClassNum::TIME_VALUES)[0].contents, [0, 0, 0x75, 0x30], "in the Resv");
}

/// When R is to be twice as long, TIME_VALUES grows by 30 % at most from one refresh to the next until it is. It
/// shrinks at once.
pub(crate) fn the_period_grows_slowly(lab: &Lab) {
    shows(&["rfc2205-3.7-06"]);
    let lab = lab.brisk();
    let mut dut = lab.router();
    let (h, r) = (dut.h(), dut.r());
    announce(&mut dut, h);
    dut.forget();
    let mut config = Setup::stock(dut.plan.family, r).config;
    config.default_interface.refresh = 2 * r;
    dut.act(&Action::Configure(Box::new(config.clone())));
    // 1, 1.3, 1.69 and 2 times R, each at most one and a half times as long as it says.
    dut.advance(6 * r + 4 * dut.timing.slack);
    let periods: Vec<u32> = dut.all::<Path>(Port::C).iter().map(|path| path.message.refresh_ms).collect();
    assert_eq!(periods.last(), Some(&millis(2 * r)), "all of {periods:?}");
    let mut before = millis(r);
    for period in &periods {
        assert!(
            f64::from(*period) <= f64::from(before) * 1.3 + 1.0,
            "expected growth by 30 % at most, not {periods:?}"
        );
        before = *period;
    }
    config.default_interface.refresh = r;
    dut.act(&Action::Configure(Box::new(config)));
    dut.advance(3 * r + dut.timing.slack);
    let last = dut.all::<Path>(Port::C).last().map(|path| path.message.refresh_ms);
    assert_eq!(last, Some(millis(r)), "it shrinks at once");
}
