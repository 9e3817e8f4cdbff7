//! Messages in UDP (RFC 2205 Appendix C).

use alloc::vec::Vec;

use super::consistency::{check, check_empty};
use super::{Bench, DOWN, Kernel, SECOND, UP, flow, path, path_tear, resv, sender};
use crate::command::Command;
use crate::config::UdpEncapsulation;
use crate::input::{Encapsulation, Input};
use crate::udp::{self, PU, PU_PRIME};
use crate::wire::{Message, MessageType, Style};

#[test]
fn each_form_keeps_its_order() {
    let mut bench = Bench::new();
    let mut config = bench.node.config().clone();
    config.default_interface.udp_encapsulation = UdpEncapsulation::Always;
    bench.command(Command::Configure(config)).unwrap();
    bench.receive(UP, Message::Path(path(1)));
    bench.sent.clear();
    // A tear and a new Path, of which the driver can send nothing for a while.
    bench.input(Input::SocketBlocked);
    bench.receive(UP, Message::PathTear(path_tear(1)));
    bench.receive(UP, Message::Path(path(1)));
    assert!(bench.sent.is_empty());
    bench.input(Input::SocketWritable);
    for form in [Encapsulation::Raw, udp::to(PU_PRIME)] {
        let of_form = bench.sent.iter().filter(|(transmit, _)| transmit.encapsulation == form);
        let types: Vec<_> = of_form.map(|(_, message)| message.message_type()).collect();
        assert_eq!(types, [MessageType::PATH_TEAR, MessageType::PATH], "{form:?}");
    }
}

#[test]
fn a_neighbour_may_change_its_form() {
    let mut bench = Bench::with_paths(&[1]);
    let message = Message::Resv(resv(DOWN, Style::Ff, [flow(1000.0, &[sender(1)])].into()));
    for (form, answer) in [
        (Encapsulation::Raw, Encapsulation::Raw),
        (udp::to(PU), udp::to(PU_PRIME)),
        (Encapsulation::Raw, Encapsulation::Raw),
    ] {
        bench.encapsulation = form;
        bench.receive(DOWN, message.clone());
        bench.receive(DOWN, message.clone());
        check(&bench.node);
        let neighbors = bench.node.neighbors();
        let on_down = neighbors.iter().find(|neighbor| neighbor.interface == DOWN).unwrap();
        assert_eq!(on_down.udp, answer != Encapsulation::Raw);
    }
}

#[test]
fn what_somebody_says_in_a_neighbours_name_does_not_outlive_its_next_refresh() {
    let mut bench = Bench::with_paths(&[1]);
    let hop = |bench: &Bench| bench.node.neighbors().into_iter().find(|view| view.interface == UP).unwrap();
    bench.receive(UP, Message::Path(path(1)));
    assert!(!hop(&bench).udp);
    bench.encapsulation = udp::to(PU);
    bench.receive(UP, Message::Path(path(2)));
    assert!(hop(&bench).udp);
    bench.encapsulation = Encapsulation::Raw;
    bench.receive(UP, Message::Path(path(1)));
    assert!(!hop(&bench).udp, "though this is a mere refresh");
}

#[test]
fn a_refusal_that_comes_late_goes_in_the_neighbours_form() {
    let mut bench = Bench::with_paths(&[1]);
    bench.kernel = Kernel::Waits;
    bench.encapsulation = udp::to(PU);
    bench.receive(DOWN, Message::Resv(resv(DOWN, Style::Ff, [flow(1000.0, &[sender(1)])].into())));
    bench.answer(Err(()));
    let (transmit, message) = bench.sent.pop().unwrap();
    assert!(matches!(message, Message::ResvErr(_)), "{message:?}");
    assert_eq!(transmit.encapsulation, udp::to(PU_PRIME));
    bench.run(SECOND * 400);
    check_empty(&bench.node);
}
