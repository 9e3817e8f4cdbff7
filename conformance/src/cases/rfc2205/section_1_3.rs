//! RFC 2205 section 1.3: reservation styles.

use crate::bench::{Lab, Port, Station, cl, ff, wf};
use crate::shows;
use rsvp_core::wire::{ClassNum, FilterSpec, FlowDescriptor, Path, Resv, ResvErr, Style};

/// A FILTER_SPEC that is like the SENDER_TEMPLATE of one of three senders is for that one alone, octet by octet.
pub(crate) fn an_explicit_filter_takes_one_sender(lab: &Lab) {
    shows(&["rfc2205-1.3-01", "rfc2205-2.1-03"]);
    let mut dut = lab.group(1);
    let (g, s2, s3) = (dut.g(), dut.s2(), dut.s3());
    dut.learn(Station::U2, g, s3);
    let path = dut.path(Station::U2, g, s2);
    dut.send(Station::U2, path);
    let path = dut.expect::<Path>(Port::C);
    dut.expect::<Path>(Port::D);
    let template = path.objects(ClassNum::SENDER_TEMPLATE)[0];
    let resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s2)]);
    dut.send_changed(Station::D1, resv, |objects| {
        let filter = objects.iter_mut().find(|object| object.class == ClassNum::FILTER_SPEC.0);
        filter.expect("it is FF").contents.clone_from(&template.contents);
    });
    let resv = dut.expect::<Resv>(Port::B);
    assert_eq!(resv.shares(), [(1.0, vec![s2])]);
    assert_eq!(resv.objects(ClassNum::FILTER_SPEC)[0].contents, template.contents);
    dut.expect_silence();
}

/// A WF reservation reaches a sender that announces itself later, at once and without any doing of the receiver.
pub(crate) fn wf_reaches_new_senders_by_itself(lab: &Lab) {
    shows(&["rfc2205-1.3-03", "rfc2209-2.path-16"]);
    let mut dut = lab.group(1);
    let (g, s2) = (dut.g(), dut.s2());
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
    let path = dut.path(Station::U2, g, s2);
    dut.send(Station::U2, path);
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(4.0, vec![])]);
}

/// A request of n times B in each style.
fn in_style(style: Style, n: f32, sender: FilterSpec) -> FlowDescriptor {
    match style {
        Style::Wf => wf(cl(n)),
        Style::Ff | Style::Se => ff(cl(n), sender),
    }
}

/// A request in another style than what is reserved is refused, from whichever interface it comes, and what is reserved
/// stays as it is.
pub(crate) fn styles_do_not_mix(lab: &Lab) {
    shows(&["rfc2205-1.3-06", "rfc2205-B-08", "rfc2209-2.resv-04"]);
    let mut dut = lab.router();
    let (group, s1) = (dut.g().destination(), dut.s1());
    let mut ports = 5000..;
    let styles = [(Style::Wf, 0x11), (Style::Ff, 0x0a), (Style::Se, 0x12)];
    for (first, value) in styles {
        for (second, _) in styles.into_iter().filter(|(style, _)| *style != first) {
            let session = dut.plan.session(group, ports.next().expect("there are many"));
            dut.learn(Station::U1, session, s1);
            let resv = dut.resv(Station::D1, session, first, &[in_style(first, 1.0, s1)]);
            dut.send(Station::D1, resv.clone());
            dut.expect::<Resv>(Port::A);
            let other = dut.resv(Station::D2, session, second, &[in_style(second, 2.0, s1)]);
            dut.send(Station::D2, other);
            let error = dut.expect_to::<ResvErr>(Station::D2).message.error;
            assert_eq!((error.code, error.value), (5, value), "{second} after {first}");
            dut.send(Station::D1, resv);
            dut.expect_silence();
            let resv = dut.resv(Station::D1, session, first, &[in_style(first, 2.0, s1)]);
            dut.send(Station::D1, resv);
            let raised = dut.expect::<Resv>(Port::A);
            assert_eq!((raised.message.style, raised.shares()[0].0), (first, 2.0));
        }
    }
}
