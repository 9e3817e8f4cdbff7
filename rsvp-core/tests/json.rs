//! What the engine writes with serde, it reads back: whoever embeds it from another language, or records it, speaks JSON.

#![cfg(feature = "serde")]

use rsvp_core::input::{Datagram, Encapsulation, Input, InterfaceId};
use rsvp_core::wire::Tspec;
use rsvp_core::{Instant, Node, NodeConfig};

#[test]
fn a_datagram_reads_back() {
    let input = Input::Datagram(Datagram {
        interface: InterfaceId(1),
        source: "192.0.2.1".parse().expect("it is an address"),
        destination: "2001:db8::1".parse().expect("it is an address"),
        ttl: None,
        encapsulation: Encapsulation::Udp { source_port: 1698, destination_port: 1699 },
        payload: vec![0x10, 0xff].into(),
    });
    let text = serde_json::to_string(&input).expect("it can be written");
    assert_eq!(serde_json::from_str::<Input<'_>>(&text).expect("it can be read"), input);
}

#[test]
fn an_unlimited_peak_rate_reads_back() {
    for peak in [f32::INFINITY, 250e3] {
        let tspec = Tspec { rate: 125e3, bucket: 1e4, peak, min_unit: 64, max_packet: 1500 };
        let text = serde_json::to_string(&tspec).expect("it can be written");
        assert_eq!(text.contains("\"peak\":null"), peak.is_infinite(), "{text}");
        assert_eq!(serde_json::from_str::<Tspec>(&text).expect("it can be read"), tspec);
    }
}

#[test]
fn what_a_configuration_leaves_out_is_the_default() {
    assert_eq!(serde_json::from_str::<NodeConfig>("{}").expect("it can be read"), NodeConfig::default());
    let text = r#"{"interfaces": {"eth0": {"refresh_multiple": 5, "reduction": {"bundle": false}}}}"#;
    let config: NodeConfig = serde_json::from_str(text).expect("it can be read");
    assert_eq!(config.interface("eth0").refresh_multiple, 5);
    assert!(!config.interface("eth0").reduction.bundle && config.interface("eth0").reduction.reliable);

    let node = Node::new(config.clone(), [7; 32], Instant::ZERO);
    let text = serde_json::to_string(node.config()).expect("it can be written");
    assert_eq!(serde_json::from_str::<NodeConfig>(&text).expect("it can be read"), config);
}

#[test]
fn a_misspelt_setting_is_refused() {
    let error = serde_json::from_str::<NodeConfig>(r#"{"limits": {"session": 5}}"#)
        .expect_err("it has no such field");
    assert!(error.to_string().contains("`session`"), "{error}");
}
