//! RFC 2205 section 3.1.2: objects.

use crate::bench::{Lab, Port, Station, cl, ff, object};
use crate::shows;
use rsvp_core::wire::{ClassNum, Path, PathErr, RawObject, Resv, ResvErr, Style};

/// Takes the objects of a class out.
fn without(class: ClassNum) -> impl FnOnce(&mut Vec<RawObject>) {
    move |objects| objects.retain(|object| object.class != class.0)
}

/// A Path, Resv or ResvErr that lacks an object it has to have is discarded without a word, and leaves no state.
pub(crate) fn required_objects(lab: &Lab) {
    shows(&["rfc2205-3.1.2-05", "rfc2205-3.1.2-06", "rfc2205-3.1.2-07", "rfc2205-3.1.2-08"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    for class in
        [ClassNum::RSVP_HOP, ClassNum::TIME_VALUES, ClassNum::SENDER_TEMPLATE, ClassNum::SENDER_TSPEC]
    {
        let path = dut.path(Station::U1, h, s1);
        dut.send_changed(Station::U1, path, without(class));
        dut.expect_unknown(Station::D1, h);
        dut.expect_silence();
    }
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path);
    let _ = dut.expect::<Path>(Port::C);
    let flow = ff(cl(1.0), s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, std::slice::from_ref(&flow));
    for class in [ClassNum::RSVP_HOP, ClassNum::TIME_VALUES, ClassNum::STYLE] {
        dut.send_changed(Station::D1, resv.clone(), without(class));
        dut.expect_silence();
    }
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    let error = dut.resv_err(Station::U1, h, Style::Ff, flow, (2, 0, 0));
    dut.send_changed(Station::U1, error.clone(), without(ClassNum::RSVP_HOP));
    dut.expect_silence();
    dut.send(Station::U1, error);
    let _ = dut.expect_to::<ResvErr>(Station::D1);
    dut.expect_silence();
}

/// None of the classes of RFC 2205 is refused as unknown; class 2, which it does not assign, is.
pub(crate) fn the_classes_that_every_node_knows(lab: &Lab) {
    shows(&["rfc2205-3.1.2-02"]);
    let mut dut = lab.router();
    for class in 0..=15 {
        let session = dut.plan.session(dut.h().flow().destination, 5000 + u16::from(class));
        let path = dut.path(Station::U1, session, dut.s1());
        dut.send_changed(Station::U1, path, |objects| objects.push(object(class, 1, &[0; 8])));
        if class == 2 {
            let error = dut.expect::<PathErr>(Port::A).message;
            assert_eq!((error.error.code, error.error.value), (13, 0x0201), "class 2");
            continue;
        }
        for error in dut.all::<PathErr>(Port::A) {
            assert_ne!(error.message.error.code, 13, "class {class} is known");
        }
    }
}

/// All POLICY_DATA of a Path and of a Resv travels on, octet by octet, be it none, one, three or five.
pub(crate) fn all_policy_data_is_kept(lab: &Lab) {
    shows(&["rfc2205-3.1.2-09", "rfc2205-A.13-01", "rfc2205-3.1.4-11"]);
    let policy: Vec<RawObject> = (1..=5).map(|n| object(14, 1, &[n * 17; 64])).collect();
    let mut dut = lab.router();
    let s1 = dut.s1();
    for (port, count) in [(5000, 0), (5001, 1), (5003, 3), (5005, 5)] {
        let session = dut.plan.session(dut.h().flow().destination, port);
        let mut path = dut.path(Station::U1, session, s1);
        path.policy = policy[..count].to_vec();
        dut.send(Station::U1, path);
        assert_eq!(dut.expect::<Path>(Port::C).message.policy, policy[..count], "in the Path");
        let mut resv = dut.resv(Station::D1, session, Style::Ff, &[ff(cl(1.0), s1)]);
        resv.policy = policy[..count].to_vec();
        dut.send(Station::D1, resv);
        let sent = dut.expect::<Resv>(Port::A);
        assert_eq!(sent.shares(), [(1.0, vec![s1])]);
        assert_eq!(sent.message.policy, policy[..count], "in the Resv");
    }
}

/// The two top bits of the number of an unknown class decide: the message is refused, the object is left out, or it
/// travels on.
pub(crate) fn the_class_says_what_becomes_of_an_unknown_object(lab: &Lab) {
    shows(&["rfc2205-3.1.2-11"]);
    let [reject, ignore, pass] = [0x63, 0x99, 0xc9].map(|class| object(class, 1, &[1, 2, 3, 4]));
    let mut dut = lab.router();
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    dut.send_changed(Station::U1, path.clone(), |objects| {
        objects.extend([reject, ignore.clone(), pass.clone()]);
    });
    let error = dut.expect_to::<PathErr>(Station::U1).message.error;
    assert_eq!((error.code, error.value), (13, 0x6301), "the class that has to be known decides");
    dut.expect_silence();
    dut.send_changed(Station::U1, path, |objects| objects.extend([ignore, pass.clone()]));
    let sent = dut.expect::<Path>(Port::C);
    assert_eq!(sent.message.forward, [pass], "what travels on");
    assert_eq!(sent.objects(ClassNum(0x99)), Vec::<&RawObject>::new(), "what is ignored");
    dut.expect_silence();
}
