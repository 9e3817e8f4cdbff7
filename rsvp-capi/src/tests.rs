//! What C cannot bring about, or cannot see.

use std::ffi::CStr;
use std::ptr;

use rsvp_core::input::InterfaceId;
use rsvp_core::output::{self, InstallationId, PoliceFlags};
use rsvp_core::wire::{self, FilterSpec, FlowKey, RawObject, Rspec, SenderTspec, SessionKey};
use rsvp_core::{Instant, Node, NodeConfig};

use crate::fault::{Status, run};
use crate::handle::{Handle, enter};
use crate::installation::{FilterKind, Handling, Installed, Service, Tspec};
use crate::node::{rsvp_node_free, rsvp_node_handle_timeout};
use crate::rsvp_last_error;

const TSPEC: wire::Tspec =
    wire::Tspec { rate: 125e3, bucket: 1e4, peak: f32::INFINITY, min_unit: 64, max_packet: 1500 };

fn node() -> *mut Handle {
    Box::into_raw(Box::new(Handle::new(Node::new(NodeConfig::default(), [7; 32], Instant::ZERO))))
}

fn last_error() -> String {
    // SAFETY: the text is valid until the next call that fails, and copied before.
    unsafe { CStr::from_ptr(rsvp_last_error()) }.to_str().expect("it is UTF-8").to_owned()
}

#[test]
fn a_panic_poisons_its_node_alone() {
    let (bad, good) = (node(), node());
    // SAFETY: the nodes live, in this thread, until they are freed at the end.
    unsafe {
        assert_eq!(enter(bad, |_| panic!("a planted {}", "bug")), Status::Panicked);
        assert!(last_error().ends_with("a bug in it: a planted bug"), "{}", last_error());
        for _ in 0..2 {
            assert_eq!(rsvp_node_handle_timeout(bad, 1), Status::Panicked);
            assert!(last_error().starts_with("this node can only be freed"), "{}", last_error());
            assert!(last_error().ends_with("a planted bug"), "{}", last_error());
        }
        assert_eq!(rsvp_node_handle_timeout(good, 1), Status::Ok);
        rsvp_node_free(bad);
        rsvp_node_free(good);
    }
}

#[test]
fn a_panic_without_a_node_is_told() {
    assert_eq!(run(|| std::panic::panic_any(7)), Status::Panicked);
    assert!(last_error().ends_with("no words"), "{}", last_error());
}

#[test]
fn errors_are_of_the_thread() {
    // SAFETY: NULL is refused.
    assert_eq!(unsafe { rsvp_node_handle_timeout(ptr::null_mut(), 1) }, Status::InvalidArgument);
    assert_eq!(last_error(), "node is NULL");
    let other = std::thread::spawn(last_error).join().expect("the thread ends");
    assert_eq!(other, "");
}

#[test]
fn a_node_may_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Node>();
}

fn installation(flowspec: wire::Flowspec) -> output::Installation {
    let source = "192.0.2.1".parse().expect("it is an address");
    output::Installation {
        id: InstallationId(5),
        interface: InterfaceId(3),
        session: SessionKey::Ip(FlowKey {
            destination: "198.51.100.7".parse().expect("it is an address"),
            protocol: 17,
            port: 5004,
        }),
        filters: vec![
            FilterSpec::Ip { source, port: 4000 },
            FilterSpec::Gpi { source, spi: 0x1234_5678 },
            FilterSpec::FlowLabel { source: "2001:db8::1".parse().expect("it is an address"), label: 7 },
        ],
        flowspec,
        sender_tspec: Some(SenderTspec::TokenBucketOrNull { tspec: TSPEC, null_max_packet: 100 }),
        police: PoliceFlags::MERGE | PoliceFlags::BRANCH,
        buffer: Some(12_000),
        discards: true,
    }
}

#[test]
fn an_installation_is_told_whole() {
    let mut installed = Installed::default();
    let flowspec = wire::Flowspec::Guaranteed(TSPEC, Rspec { rate: 2e5, slack: 9 });
    let form = *installed.keep(installation(flowspec));
    assert_eq!((form.id, form.interface, form.session.protocol, form.session.port), (5, 3, 17, 5004));
    assert_eq!(form.session.destination.octets[..4], [198, 51, 100, 7]);
    assert_eq!((form.police, form.discards, form.buffer), (6, 1, 12_000));
    assert_eq!(form.handling, Handling::Reshape);
    assert_eq!(form.flowspec.service, Service::Guaranteed);
    assert_eq!((form.flowspec.rate, form.flowspec.slack), (2e5, 9));
    assert_eq!(form.flowspec.tspec, Tspec::from(&TSPEC));
    // SAFETY: `installed` lives, and keeps nothing new.
    let (filters, sender) =
        unsafe { (std::slice::from_raw_parts(form.filters, form.filter_count), form.sender_tspec.as_ref()) };
    let told = Vec::from_iter(filters.iter().map(|filter| (filter.kind, filter.source.family, filter.value)));
    let wanted =
        [(FilterKind::Port, 4, 4000), (FilterKind::Spi, 4, 0x1234_5678), (FilterKind::FlowLabel, 6, 7)];
    assert_eq!(told, wanted);
    assert_eq!(sender, Some(&Tspec::from(&TSPEC)));
}

#[test]
fn a_service_that_is_not_known_is_told_as_it_came() {
    let mut installed = Installed::default();
    let object = RawObject { class: 9, ctype: 77, contents: vec![1, 2, 3, 4] };
    let form = *installed.keep(installation(wire::Flowspec::Opaque(object)));
    assert_eq!((form.flowspec.service, form.flowspec.ctype), (Service::Other, 77));
    assert_eq!(form.handling, Handling::None);
    // SAFETY: `installed` lives, and keeps nothing new.
    let contents = unsafe { std::slice::from_raw_parts(form.flowspec.contents, form.flowspec.length) };
    assert_eq!(contents, [1, 2, 3, 4]);

    let source = output::Installation {
        filters: Vec::new(),
        sender_tspec: None,
        buffer: None,
        ..installation(wire::Flowspec::Null { max_packet: 500 })
    };
    let form = *installed.keep(source);
    assert_eq!((form.flowspec.service, form.flowspec.tspec.max_packet), (Service::Null, 500));
    assert!(form.filters.is_null() && form.sender_tspec.is_null() && form.flowspec.contents.is_null());
    assert_eq!((form.filter_count, form.buffer), (0, 0));
}
