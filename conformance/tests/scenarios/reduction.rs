//! RFC 2961: what is lost, who restarts, and who does not know it.

use std::time::Duration;

use conformance::bench::{Ack, Dut, EPOCH, Lab, Station, cl, ff, list, mid, tspec, wanted};
use rsvp_core::wire::{
    Acknowledgement, FlaggedId, Head, Header, IdEntries, IdList, MessageId, Path, Srefresh, Style,
};

use crate::scene::{Names, Scene};

const NAMES: Names = ["r1", "r2", "r3", "r4", "r5"];

const TOPOLOGY: &str = "    S1 - r1 --- (a)        (c) --- r3 - H\n                     Router\n\
    Message ids are mid(Epoch,identifier), +A: ACK_Desired; the Router's Epoch is E, its neighbours' e.";

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn scene(title: &str, dut: Dut) -> Scene {
    Scene::new(title, TOPOLOGY, NAMES, dut)
}

fn with_id(id: MessageId) -> Head {
    Head { acknowledgements: Vec::new(), message_id: Some(FlaggedId::wanting_ack(id)) }
}

/// r1's Path of S1 for H.
fn path(scene: &Scene) -> Path {
    scene.dut.path(Station::U1, scene.dut.h(), scene.dut.s1())
}

/// r1's Path with an identifier, and what it brings about.
fn announce(scene: &mut Scene, id: MessageId) {
    let path = path(scene);
    scene.say_with(Station::U1, path, &with_id(id));
}

/// An Ack message of a neighbour about the router's latest message.
pub(crate) fn answer(scene: &mut Scene, from: Station, as_what: impl Fn(FlaggedId) -> Acknowledgement) {
    let id = scene.last_id.expect("a message with a MESSAGE_ID");
    let head = Head { acknowledgements: vec![as_what(FlaggedId::plain(id))], message_id: None };
    scene.say_with(from, Ack, &head);
}

#[test]
fn a_lost_trigger() {
    let mut scene =
        scene("A trigger is lost, and sent again until it is acknowledged", Lab::in_process().reducing());
    let path = path(&scene);
    scene.say(Station::U1, path);
    scene.remark("It does not get to r3.");
    scene.wait(SECOND);
    answer(&mut scene, Station::D1, Acknowledgement::Ack);
    scene.wait(10 * SECOND);
    scene.remark("Nothing more in 10 s.");
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_lost_acknowledgement() {
    let mut scene = scene(
        "An acknowledgement is lost: the copy is no news, and acknowledged again",
        Lab::in_process().router(),
    );
    announce(&mut scene, mid(1));
    scene.remark("The Ack does not get to r1, which sends again:");
    scene.wait(SECOND / 2);
    announce(&mut scene, mid(1));
    scene.wait(3 * SECOND);
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_neighbour_restarts() {
    let mut scene =
        scene("r1 restarts, and uses the same identifier with another Epoch e'", Lab::in_process().router());
    scene.dut.befriend(&[Station::U1]);
    announce(&mut scene, mid(1));
    let resv = scene.dut.resv(Station::D1, scene.dut.h(), Style::Ff, &[ff(cl(1.0), scene.dut.s1())]);
    scene.say(Station::D1, resv);
    scene.say(Station::U1, Srefresh { lists: vec![list(&[1])] });
    scene.remark("r1 restarts. It is told within a second what it has lost:");
    announce(&mut scene, MessageId { epoch: EPOCH + 1, id: 1 });
    scene.wait(SECOND);
    answer(&mut scene, Station::U1, Acknowledgement::Nack);
    scene.wait(SECOND / 10);
    answer(&mut scene, Station::U1, Acknowledgement::Ack);
    scene.wait(SECOND);
    scene.remark("What r1 advertised before is not known any more:");
    scene.say(Station::U1, Srefresh { lists: vec![IdList::new(EPOCH + 1, IdEntries::Plain(vec![1]))] });
    scene.say(Station::U1, Srefresh { lists: vec![list(&[1])] });
    insta::assert_snapshot!(scene.text());
}

#[test]
fn identifiers_wrap_around() {
    let mut scene =
        scene("r1's identifiers wrap around; what is older is dropped", Lab::in_process().router());
    for (n, id) in [(10.0, u32::MAX - 1), (20.0, u32::MAX), (10.0, 0), (20.0, 1)] {
        let path = Path { sender_tspec: tspec(n), ..path(&scene) };
        scene.say_with(Station::U1, path, &with_id(mid(id)));
    }
    scene.remark("A Path of before comes late:");
    announce(&mut scene, mid(u32::MAX));
    scene.remark("A refresh:");
    announce(&mut scene, mid(1));
    scene.say(Station::U1, Srefresh { lists: vec![list(&[1, u32::MAX])] });
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_neighbour_does_not_know_message_ids() {
    let title = "r3 does not know MESSAGE_ID: it gets the Path without, and r1 hears nothing of it";
    let mut scene = scene(title, Lab::in_process().reducing());
    let path = path(&scene);
    scene.say(Station::U1, path.clone());
    let mut error = scene.dut.path_err(scene.dut.h(), scene.dut.s1(), 13, 0x1701);
    error.error.node = scene.dut.plan.station(Station::D1);
    scene.say(Station::D1, error);
    scene.wait(10 * SECOND);
    scene.remark("A change:");
    scene.say(Station::U1, Path { sender_tspec: tspec(10.0), ..path });
    scene.wait(3 * SECOND);
    scene.remark("r3 is replaced by one that is capable of refresh reduction:");
    scene.dut.set_flags(Station::D1, Header::REFRESH_REDUCTION);
    let resv = scene.dut.resv(Station::D1, scene.dut.h(), Style::Ff, &[ff(cl(1.0), scene.dut.s1())]);
    scene.say_with(Station::D1, resv, &Head { acknowledgements: vec![], message_id: Some(wanted(1)) });
    scene.say(Station::U1, Path { sender_tspec: tspec(20.0), ..self::path(&scene) });
    insta::assert_snapshot!(scene.text());
}
