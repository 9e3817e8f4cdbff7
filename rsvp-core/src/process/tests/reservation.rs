//! Reservations: merged, refused, blockaded, withdrawn.

use alloc::vec::Vec;

use super::consistency::{check, check_empty};
use super::{
    Bench, DOWN, DOWN2, Kernel, SECOND, UP, flow, nhop, path, resv, resv_err, resv_tear, sender, session,
};
use crate::command::{Command, CommandError, ReserveRequest};
use crate::config::Bandwidth;
use crate::event::Upcall;
use crate::output::{PoliceFlags, Request};
use crate::wire::{ErrorSpec, FilterSpec, Flowspec, Message, RawObject, ResvErr, Style};

fn ff(interface: crate::InterfaceId, rate: f32, n: u8) -> Message {
    Message::Resv(resv(interface, Style::Ff, [flow(rate, &[sender(n)])].into()))
}

fn se(rate: f32, senders: &[u8]) -> Message {
    let filters: Vec<FilterSpec> = senders.iter().map(|n| sender(*n)).collect();
    Message::Resv(resv(DOWN, Style::Se, [flow(rate, &filters)].into()))
}

fn errors(bench: &mut Bench) -> Vec<ResvErr> {
    let errors = bench.take_sent().into_iter().filter_map(|message| match message {
        Message::ResvErr(error) => Some(error),
        _ => None,
    });
    errors.collect()
}

#[test]
fn an_se_request_takes_up_a_sender_that_appears_later() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, se(1000.0, &[1, 2]));
    bench.receive(DOWN, se(1000.0, &[1, 2]));
    bench.receive(UP, Message::Path(path(2)));
    bench.receive(DOWN, se(1000.0, &[1, 2]));
    assert_eq!(bench.node.installed()[0].filters, [sender(1), sender(2)]);
}

#[test]
fn a_filter_named_twice_is_one_filter() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, se(1000.0, &[1, 1]));
    assert_eq!(bench.node.reservations()[0].filters, [sender(1)]);
}

#[test]
fn a_pool_that_shrank_does_not_stop_a_reservation_from_shrinking() {
    let mut bench = Bench::with_paths(&[1, 2]);
    bench.receive(DOWN, se(6000.0, &[1, 2]));
    let mut config = bench.node.config().clone();
    config.default_interface.bandwidth = Some(Bandwidth { total: 1000, per_flow: 1000, link: 1000 });
    bench.command(Command::Configure(config)).unwrap();
    bench.receive(DOWN, se(5000.0, &[1, 2]));
    assert_eq!(bench.node.installed()[0].bandwidth, 5000);
    bench.receive(DOWN, Message::ResvTear(resv_tear(DOWN, Style::Se, [flow(1.0, &[sender(2)])].into())));
    assert_eq!(bench.node.installed()[0].filters, [sender(1)]);
    bench.sent.clear();
    bench.receive(DOWN, se(5500.0, &[1]));
    assert_eq!(errors(&mut bench).len(), 1, "growing is another matter");
}

#[test]
fn a_change_that_traffic_control_never_takes_is_not_tried_in_a_loop() {
    let mut bench = Bench::with_paths(&[1, 2]);
    bench.receive(DOWN, se(1000.0, &[1, 2]));
    bench.kernel = Kernel::Fails;
    bench.requests.clear();
    let tear = resv_tear(DOWN, Style::Se, [flow(1.0, &[sender(2)])].into());
    bench.receive(DOWN, Message::ResvTear(tear));
    let installs = bench.requests.iter().filter(|request| matches!(request, Request::Install(_))).count();
    assert_eq!(installs, 1);
    check(&bench.node);
}

#[test]
fn what_traffic_control_did_not_give_back_is_tried_again_a_period_later() {
    let mut bench = Bench::with_paths(&[1, 2]);
    bench.receive(DOWN, se(1000.0, &[1, 2]));
    bench.kernel = Kernel::Fails;
    let tear = resv_tear(DOWN, Style::Se, [flow(1.0, &[sender(2)])].into());
    bench.receive(DOWN, Message::ResvTear(tear));
    assert_eq!(bench.node.installed()[0].filters, [sender(1), sender(2)], "that is what stands");
    bench.kernel = Kernel::Works;
    bench.run(SECOND * 29);
    assert_eq!(bench.node.installed()[0].filters, [sender(1), sender(2)]);
    bench.run(SECOND * 2);
    assert_eq!(bench.node.installed()[0].filters, [sender(1)]);
    check(&bench.node);
}

#[test]
fn the_pool_keeps_what_traffic_control_has_not_given_back() {
    let mut bench = Bench::with_paths(&[1, 2]);
    bench.receive(DOWN, ff(DOWN, 6000.0, 1));
    bench.kernel = Kernel::Waits;
    bench.receive(DOWN, ff(DOWN, 1000.0, 1));
    assert_eq!(bench.node.interfaces()[1].reserved, 6000, "the change is under way");
    bench.sent.clear();
    bench.receive(DOWN, ff(DOWN, 5000.0, 2));
    assert_eq!(errors(&mut bench).len(), 1, "there is no room for both");
    bench.answer(Ok(()));
    assert_eq!(bench.node.interfaces()[1].reserved, 1000);
    bench.receive(DOWN, ff(DOWN, 5000.0, 2));
    assert_eq!(bench.node.interfaces()[1].reserved, 6000);
    check(&bench.node);
}

#[test]
fn a_failed_change_keeps_the_old_reservation_and_says_so() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, ff(DOWN, 1000.0, 1));
    bench.kernel = Kernel::Fails;
    bench.sent.clear();
    for _ in 0..2 {
        // The same again is no mere refresh: it is refused again.
        bench.receive(DOWN, ff(DOWN, 2000.0, 1));
        let errors = errors(&mut bench);
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].error.flags, ErrorSpec::IN_PLACE);
        assert_eq!(errors[0].flows, [flow(2000.0, &[sender(1)])]);
        assert_eq!(bench.node.installed()[0].bandwidth, 1000);
    }
    bench.kernel = Kernel::Works;
    bench.receive(DOWN, ff(DOWN, 2000.0, 1));
    assert_eq!(bench.node.installed()[0].bandwidth, 2000);
}

#[test]
fn a_failed_first_installation_leaves_nothing() {
    let mut bench = Bench::with_paths(&[1]);
    bench.kernel = Kernel::Fails;
    bench.receive(DOWN, ff(DOWN, 1000.0, 1));
    assert!(bench.node.installed().is_empty() && bench.node.reservations().is_empty());
    let errors = errors(&mut bench);
    assert_eq!((errors.len(), errors[0].error.flags), (1, 0));
    assert!(bench.node.requests().is_empty());
}

/// Traffic control fails a request after it has been overtaken by a smaller one.
#[test]
fn requests_that_overtake_each_other() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, ff(DOWN, 1000.0, 1));
    bench.kernel = Kernel::Waits;
    bench.sent.clear();
    bench.receive(DOWN, ff(DOWN, 4000.0, 1));
    bench.receive(DOWN, ff(DOWN, 2000.0, 1));
    assert!(bench.take_sent().is_empty(), "nothing goes upstream before the answer");
    bench.answer(Err(()));
    bench.answer(Ok(()));
    let sent = bench.take_sent();
    let [Message::Resv(resv)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(resv.flows, [flow(2000.0, &[sender(1)])]);
    bench.receive(DOWN, ff(DOWN, 3000.0, 1));
    bench.answer(Err(()));
    assert_eq!(bench.node.reservations()[0].flowspec, Flowspec::ControlledLoad(super::bucket(2000.0)));
    assert_eq!(errors(&mut bench).len(), 1);
}

/// RFC 2209, UPDATE TRAFFIC CONTROL: InPlace is on where a reservation stands that was not to be enlarged, whichever
/// next hop it came from.
#[test]
fn in_place_where_another_next_hop_holds_the_reservation() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, ff(DOWN, 1000.0, 1));
    bench.sent.clear();
    let mut other = resv(DOWN, Style::Ff, [flow(9000.0, &[sender(1)])].into());
    other.hop.address = super::ip("10.0.2.3");
    bench.receive(DOWN, Message::Resv(other.clone()));
    assert_eq!(errors(&mut bench)[0].error.flags, ErrorSpec::IN_PLACE);
    other.flows = [flow(9000.0, &[sender(2)])].into();
    bench.receive(UP, Message::Path(path(2)));
    bench.sent.clear();
    bench.receive(DOWN, Message::Resv(other));
    assert_eq!(errors(&mut bench)[0].error.flags, 0);
}

/// RFC 2205 section 3.8: the flag depends on what is in place elsewhere, not on the order of arrival.
#[test]
fn branch_policing_in_either_order() {
    for order in [[(DOWN, 1000.0), (DOWN2, 2000.0)], [(DOWN2, 2000.0), (DOWN, 1000.0)]] {
        let mut bench = Bench::new();
        let key = super::RouteKey { table: 0, destination: session().destination(), source: None };
        bench.routes.insert(key, super::route(&[DOWN, DOWN2]));
        bench.receive(UP, Message::Path(path(1)));
        for (interface, rate) in order {
            bench.receive(interface, ff(interface, rate, 1));
        }
        let police: Vec<_> =
            bench.node.installed().iter().map(|view| (view.interface, view.police)).collect();
        let is_branch = |interface| {
            police.iter().any(|(on, police)| *on == interface && police.contains(PoliceFlags::BRANCH))
        };
        assert!(is_branch(DOWN) && !is_branch(DOWN2), "{order:?} {police:?}");
        let tear = Message::ResvTear(super::ResvTear {
            hop: nhop(DOWN2),
            ..resv_tear(DOWN2, Style::Ff, [flow(1.0, &[sender(1)])].into())
        });
        bench.receive(DOWN2, tear);
        assert_eq!(bench.node.installed()[0].police, PoliceFlags::default());
        check(&bench.node);
    }
}

#[test]
fn blockades_are_for_known_senders_and_the_style_in_use() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, ff(DOWN, 1000.0, 1));
    bench.receive(UP, Message::ResvErr(resv_err(Style::Ff, flow(1000.0, &[sender(2)]), 0)));
    bench.receive(UP, Message::ResvErr(resv_err(Style::Wf, flow(1000.0, &[]), 0)));
    assert!(bench.node.state.bsbs.is_empty());
    bench.receive(UP, Message::ResvErr(resv_err(Style::Ff, flow(1000.0, &[sender(1)]), 0)));
    assert_eq!(bench.node.state.bsbs.len(), 1);
    assert!(bench.node.requests()[0].blockaded);
    bench.run(SECOND * 500);
    check_empty(&bench.node);
}

/// RFC 2205 section 3.1.8: the filters come from the reservation state. Section 3.10: unknown objects go on.
#[test]
fn a_resv_err_that_goes_on() {
    let mut bench = Bench::new();
    let key = super::RouteKey { table: 0, destination: session().destination(), source: None };
    bench.routes.insert(key, super::route(&[DOWN, DOWN2]));
    bench.receive(UP, Message::Path(path(1)));
    bench.receive(UP, Message::Path(path(2)));
    bench.receive(DOWN, se(1000.0, &[1]));
    bench.receive(
        DOWN2,
        Message::Resv(resv(DOWN2, Style::Se, [flow(2000.0, &[sender(1), sender(2)])].into())),
    );
    bench.sent.clear();
    let mut error = resv_err(Style::Se, flow(2000.0, &[sender(1), sender(2)]), 0);
    let unknown = RawObject { class: 200, ctype: 1, contents: alloc::vec![1, 2, 3, 4] };
    error.forward = alloc::vec![unknown.clone()];
    bench.receive(UP, Message::ResvErr(error));
    let errors = errors(&mut bench);
    assert_eq!(errors.len(), 2);
    assert_eq!(errors[0].flows[0].filters, [sender(1)]);
    assert_eq!(errors[1].flows[0].filters, [sender(1), sender(2)]);
    assert!(errors.iter().all(|error| error.forward == [unknown.clone()]));
    assert!(errors.iter().all(|error| error.flows[0].flowspec == flow(2000.0, &[]).flowspec));
}

#[test]
fn a_resv_err_in_place_spares_the_smaller() {
    let mut bench = Bench::new();
    let key = super::RouteKey { table: 0, destination: session().destination(), source: None };
    bench.routes.insert(key, super::route(&[DOWN, DOWN2]));
    bench.receive(UP, Message::Path(path(1)));
    bench.receive(DOWN, ff(DOWN, 1000.0, 1));
    bench.receive(DOWN2, ff(DOWN2, 2000.0, 1));
    bench.sent.clear();
    let error = resv_err(Style::Ff, flow(2000.0, &[sender(1)]), ErrorSpec::IN_PLACE);
    bench.receive(UP, Message::ResvErr(error));
    let sent = bench.take_sent();
    let [Message::ResvErr(error), Message::Resv(resv)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(error.flows[0].filters, [sender(1)]);
    assert_eq!(resv.flows, [flow(1000.0, &[sender(1)])], "the smaller one goes up instead");
}

/// One-armed routing: data leaves by the interface that it came in on.
#[test]
fn one_interface_for_both_directions() {
    let mut bench = Bench::new();
    let key = super::RouteKey { table: 0, destination: session().destination(), source: None };
    bench.routes.insert(key, super::route(&[UP]));
    bench.receive(UP, Message::Path(path(1)));
    let mut request = resv(UP, Style::Ff, [flow(1000.0, &[sender(1)])].into());
    request.hop.address = super::ip("10.0.1.3");
    bench.receive(UP, Message::Resv(request));
    assert_eq!(bench.node.requests().len(), 1);
    bench.sent.clear();
    bench.receive(UP, Message::ResvErr(resv_err(Style::Ff, flow(1000.0, &[sender(1)]), 0)));
    assert_eq!(errors(&mut bench).len(), 1);
}

#[test]
fn an_application_hears_when_its_sender_loses_a_shared_reservation() {
    let mut bench = Bench::new();
    let apis = [bench.open(session()), bench.open(session())];
    for (n, api) in [(1, apis[0]), (2, apis[1])] {
        let request = crate::command::SenderRequest {
            template: sender(n),
            tspec: path(n).sender_tspec,
            adspec: false.into(),
            policy: Vec::new(),
            ttl: 63,
        };
        bench.command(Command::AddSender(api, request)).unwrap();
    }
    bench.receive(DOWN, se(1000.0, &[1, 2]));
    bench.events.clear();
    let tear = resv_tear(DOWN, Style::Se, [flow(1.0, &[sender(2)])].into());
    bench.receive(DOWN, Message::ResvTear(tear));
    let gone = bench.events.iter().any(|event| {
        matches!(&event.kind, crate::EventKind::Upcall(api, _, Upcall::ResvGone { filters, .. })
            if *api == apis[1] && *filters == [sender(2)])
    });
    assert!(gone, "{:?}", bench.events);
}

#[test]
fn a_resv_of_another_address_family_is_refused() {
    let mut bench = Bench::with_paths(&[1]);
    let mut request = resv(DOWN, Style::Ff, [flow(1000.0, &[sender(1)])].into());
    request.hop.address = "2001:db8::1".parse().unwrap();
    bench.receive(DOWN, Message::Resv(request));
    assert!(bench.node.reservations().is_empty());
}

/// RFC 2205 section 3.10: unknown objects of class 11bbbbbb pass from tear to tear.
#[test]
fn a_resv_tear_that_goes_on() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, ff(DOWN, 1000.0, 1));
    bench.sent.clear();
    let unknown = RawObject { class: 200, ctype: 1, contents: alloc::vec![1, 2, 3, 4] };
    let mut tear = resv_tear(DOWN, Style::Ff, [flow(1.0, &[sender(1)])].into());
    tear.forward = alloc::vec![unknown.clone()];
    bench.receive(DOWN, Message::ResvTear(tear));
    let sent = bench.take_sent();
    let [Message::ResvTear(tear)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(tear.forward, [unknown]);
}

/// RFC 2205 section 3.4: senders behind two previous hops, and a next hop that limits the scope.
#[test]
fn the_scope_of_a_wildcard_request() {
    let mut bench = Bench::with_paths(&[1]);
    bench.interface(4);
    let mut other = path(2);
    other.hop.address = super::ip("10.0.4.2");
    bench.receive(crate::InterfaceId(4), Message::Path(other));
    let mut request = resv(DOWN, Style::Wf, [flow(1000.0, &[])].into());
    bench.sent.clear();
    bench.receive(DOWN, Message::Resv(request.clone()));
    let scopes = |bench: &mut Bench| -> Vec<_> {
        let sent = bench.take_sent().into_iter();
        let scopes = sent.map(|message| match message {
            Message::Resv(resv) => Some(resv.scope.unwrap()),
            Message::ResvTear(_) => None,
            other => panic!("{other:?}"),
        });
        scopes.collect()
    };
    assert_eq!(
        scopes(&mut bench),
        [Some(alloc::vec![sender(1).source()]), Some(alloc::vec![sender(2).source()])]
    );
    request.scope = Some(alloc::vec![sender(1).source()]);
    bench.receive(DOWN, Message::Resv(request));
    assert_eq!(scopes(&mut bench), [None], "what is out of scope is given up, the rest stays");
}

/// RFC 2205 section 2.2: traffic control gets no more than the senders send; upstream goes what was asked for.
#[test]
fn no_more_is_installed_than_the_senders_send() {
    let mut bench = Bench::with_paths(&[]);
    let mut small = path(1);
    small.sender_tspec = crate::wire::SenderTspec::TokenBucket(super::bucket(400.0));
    bench.receive(UP, Message::Path(small));
    bench.sent.clear();
    bench.receive(DOWN, ff(DOWN, 1000.0, 1));
    assert_eq!(bench.node.installed()[0].bandwidth, 400);
    let sent = bench.take_sent();
    let [Message::Resv(resv)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(resv.flows, [flow(1000.0, &[sender(1)])]);
}

fn request(style: Style, flows: &[crate::wire::FlowDescriptor]) -> ReserveRequest {
    let flows = flows.to_vec();
    ReserveRequest { receiver: super::ip("10.0.2.1"), style, flows, policy: Vec::new(), confirm: false }
}

#[test]
fn an_application_withdraws_its_reservation_and_stays() {
    let mut bench = Bench::with_paths(&[1]);
    let api = bench.open(session());
    let flows = [flow(1000.0, &[sender(1)])];
    bench.command(Command::Reserve(api, request(Style::Ff, &flows))).unwrap();
    assert!(matches!(bench.take_sent()[..], [Message::Resv(_)]));
    bench.command(Command::Unreserve(api)).unwrap();
    assert!(matches!(bench.take_sent()[..], [Message::ResvTear(_)]));
    assert!(bench.node.reservations().is_empty());
    assert_eq!(bench.command(Command::Unreserve(api)), Err(CommandError::NoReservation));
    bench.command(Command::Reserve(api, request(Style::Ff, &flows))).unwrap();
}

#[test]
fn flow_descriptors_have_to_fit_the_style() {
    let mut bench = Bench::with_paths(&[1, 2]);
    let api = bench.open(session());
    let (one, two) = (flow(1000.0, &[sender(1)]), flow(1000.0, &[sender(2)]));
    let (both, all) = (flow(1000.0, &[sender(1), sender(2)]), flow(1000.0, &[]));
    for (style, flows) in [
        (Style::Ff, &[][..]),
        (Style::Ff, core::slice::from_ref(&both)),
        (Style::Ff, core::slice::from_ref(&all)),
        (Style::Ff, &[one.clone(), one.clone()]),
        (Style::Se, &[one.clone(), two.clone()]),
        (Style::Se, core::slice::from_ref(&all)),
        (Style::Wf, core::slice::from_ref(&one)),
        (Style::Wf, &[all.clone(), all.clone()]),
    ] {
        let answer = bench.command(Command::Reserve(api, request(style, flows)));
        assert!(matches!(answer, Err(CommandError::BadFlows(_))), "{style:?} {flows:?}: {answer:?}");
    }
    for (style, flows) in [(Style::Ff, &[one, two][..]), (Style::Se, &[both]), (Style::Wf, &[all])] {
        let api = bench.open(session());
        bench.command(Command::Reserve(api, request(style, flows))).unwrap();
        bench.command(Command::Release(api)).unwrap();
    }
}

#[test]
fn an_application_withdraws_its_own_sender_and_no_other() {
    use crate::command::SenderRequest;

    let mut bench = Bench::new();
    let [one, other] = [1, 2].map(|n| {
        let api = bench.open(session());
        let request = SenderRequest {
            template: sender(n),
            tspec: crate::wire::SenderTspec::TokenBucket(super::bucket(1000.0)),
            adspec: true.into(),
            policy: Vec::new(),
            ttl: 255,
        };
        bench.command(Command::AddSender(api, request)).unwrap();
        api
    });
    bench.sent.clear();
    let foreign = bench.command(Command::RemoveSender(one, sender(2)));
    assert_eq!(foreign, Err(CommandError::UnknownSender(sender(2))));
    assert!(bench.take_sent().is_empty());
    bench.command(Command::RemoveSender(other, sender(2))).unwrap();
    let sent = bench.take_sent();
    let [Message::PathTear(tear)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(tear.sender_template, sender(2));
    let left: Vec<_> = bench.node.senders().iter().map(|view| view.sender).collect();
    assert_eq!(left, [sender(1)]);
}

/// What this node sent comes back in a loop, or somebody says that he is this node.
#[test]
fn a_path_of_this_node_itself_is_dropped() {
    let own = super::ip("10.0.1.1");
    let hop = crate::wire::RsvpHop { address: own, ..super::phop() };
    let template = FilterSpec::Ip { source: own, port: 4000 };
    for path in
        [crate::wire::Path { hop, ..path(1) }, crate::wire::Path { sender_template: template, ..path(1) }]
    {
        let mut bench = Bench::new();
        bench.receive(UP, Message::Path(path));
        assert_eq!(bench.node.counters().dropped.get(&crate::counters::DropReason::OwnMessage), Some(&1));
        assert!(bench.node.senders().is_empty() && bench.take_sent().is_empty());
    }
}
