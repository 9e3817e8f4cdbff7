//! What neighbours and receivers are not told, because it does not concern them or they know it.

use super::{
    Bench, DOWN, DOWN2, Kernel, RouteKey, UP, flow, interface_info, ip, path, phop, resv, resv_tear, route,
    sender, session_to,
};
use crate::input::{Input, InterfaceId, Route};
use crate::wire::{Message, Path, RsvpHop, SenderTemplate, Session, Style};

fn ff(interface: InterfaceId, rate: f32, n: u8) -> Message {
    Message::Resv(resv(interface, Style::Ff, [flow(rate, &[sender(n)])].into()))
}

#[test]
fn next_hops_do_not_hear_of_a_change_that_is_upstream_alone() {
    let mut bench = Bench::with_paths(&[1]);
    let moved = Path { hop: RsvpHop { lih: 78, ..phop() }, ..path(1) };
    bench.receive(UP, Message::Path(moved));
    let sent = bench.take_sent();
    assert!(sent.is_empty(), "{sent:?}");
}

#[test]
fn a_previous_hop_does_not_hear_of_other_interfaces_nor_of_what_leaves_its_own_address() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, ff(DOWN, 1000.0, 1));
    bench.sent.clear();
    for n in [1, 3] {
        let mut info = interface_info(n);
        info.mtu = 1400;
        bench.input(Input::Interface(info));
    }
    let mut elsewhere = interface_info(3);
    elsewhere.addresses = alloc::vec![ip("10.0.3.7")];
    bench.input(Input::Interface(elsewhere));
    let sent = bench.take_sent();
    assert!(sent.is_empty(), "{sent:?}");
    let mut here = interface_info(1);
    here.addresses = alloc::vec![ip("10.0.1.7")];
    bench.input(Input::Interface(here));
    assert!(matches!(bench.take_sent()[..], [Message::Resv(_)]), "the next hop has another address");
}

#[test]
fn who_has_what_it_asked_for_does_not_hear_of_a_neighbours_failure() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, ff(DOWN, 1000.0, 1));
    bench.sent.clear();
    bench.kernel = Kernel::Fails;
    let mut greedy = resv(DOWN, Style::Ff, [flow(2000.0, &[sender(1)])].into());
    greedy.hop.address = ip("10.0.2.3");
    bench.receive(DOWN, Message::Resv(greedy));
    let to: alloc::vec::Vec<_> = bench
        .sent
        .iter()
        .filter(|(_, message)| matches!(message, Message::ResvErr(_)))
        .map(|(transmit, _)| transmit.destination)
        .collect();
    assert_eq!(to, [ip("10.0.2.3")]);
    assert_eq!(bench.node.reservations().len(), 1);
    assert_eq!(bench.node.installed()[0].bandwidth, 1000);
}

/// What is reserved for another sender, where this one does not go, is no reason to wait for a route.
#[test]
fn a_previous_hop_hears_at_once_that_nothing_is_reserved_for_its_sender_any_more() {
    let group = session_to("239.1.1.1");
    let mut bench = Bench::new();
    bench.interface(4);
    let four = InterfaceId(4);
    for (n, incoming, outgoing) in [(1, UP, DOWN), (2, four, DOWN2)] {
        let key = RouteKey { table: 0, destination: group.destination(), source: Some(sender(n).source()) };
        bench.routes.insert(key, Route { incoming: Some(incoming), ..route(&[outgoing]) });
        let address = ip(if n == 1 { "10.0.1.2" } else { "10.0.4.2" });
        let template: SenderTemplate = sender(n);
        let announced = Path {
            session: Session { key: group, flags: 0 },
            hop: RsvpHop { address, lih: 5 },
            sender_template: template,
            ..path(n)
        };
        bench.receive(incoming, Message::Path(announced));
        let mut request = resv(outgoing, Style::Ff, [flow(1000.0, &[sender(n)])].into());
        request.session.key = group;
        bench.receive(outgoing, Message::Resv(request));
    }
    bench.sent.clear();
    let mut tear = resv_tear(DOWN, Style::Ff, [flow(1000.0, &[sender(1)])].into());
    tear.session.key = group;
    bench.receive(DOWN, Message::ResvTear(tear));
    let sent = bench.take_sent();
    let [Message::ResvTear(tear)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(tear.flows[0].filters, [sender(1)]);
}
