//! What configuration files may say, and what is said to those that are wrong.

use std::path::Path;
use std::time::Duration;

use rsvp_client::api::Style;
use rsvp_core::policy::{PolicyAction, PolicyRule};

use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("rsvp.toml"))
}

fn complaint(text: &str) -> String {
    parse(text).expect_err("this file is wrong").to_string()
}

#[test]
fn an_empty_file_is_the_defaults() {
    let config = parse("").expect("an empty file");
    assert_eq!(config, Config { file: Some("rsvp.toml".into()), ..Config::default() });
    assert!(
        config.node.default_interface.bandwidth.is_none(),
        "nothing may be reserved unless it is configured"
    );
}

#[test]
fn interfaces_take_what_they_do_not_say_from_the_defaults() {
    let config = parse(
        r#"
        [defaults]
        refresh-interval = "10s"
        bandwidth = { link = "100Mbit" }
        [interface.eth0]
        bandwidth = { link = "10Mbit", total = "8Mbit", per-flow = "500kB" }
        refresh-misses = 5
        neighbors = ["192.0.2.1"]
        [interface.eth1]
        enabled = false
        traffic-control = false
        "#,
    )
    .expect("a good file");
    let eth0 = config.node.interface("eth0");
    let pool = eth0.bandwidth.expect("a pool");
    assert_eq!((pool.link, pool.total, pool.per_flow), (1_250_000, 1_000_000, 500_000));
    assert_eq!(eth0.refresh, Duration::from_secs(10));
    assert_eq!(eth0.refresh_multiple, 5);
    assert_eq!(config.extras("eth0").neighbors, ["192.0.2.1".parse::<IpAddr>().expect("address")]);
    let eth1 = config.node.interface("eth1");
    assert!(!eth1.enabled);
    assert_eq!(eth1.bandwidth.expect("the default pool").total, 9_375_000, "three quarters of the link");
    assert!(!config.extras("eth1").traffic_control);
    assert!(config.extras("eth9").traffic_control);
}

#[test]
fn the_sample_file_is_right() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/rsvp.toml"));
    let config = Config::load(path).expect("the sample is right");
    assert!(!config.senders.is_empty() && !config.reservations.is_empty());
    let defaults = parse("").expect("all is optional");
    assert_eq!(config.node.limits, defaults.node.limits, "the sample says that its limits are the defaults");
    let (sample, reduction) = (&config.node.default_interface.reduction, Default::default());
    assert_eq!(*sample, reduction, "the sample says that this is the default");
    let text = std::fs::read_to_string(path).expect("the sample");
    let uncomment = |line: &str| line.strip_prefix("# ").unwrap_or(line).to_owned();
    let table = text.lines().skip_while(|line| !line.starts_with("# [defaults.refresh-reduction]"));
    let table: Vec<String> = table.take_while(|line| line.starts_with("# ")).map(uncomment).collect();
    let spelt_out = parse(&table.join("\n")).expect("the table that is commented out is right");
    assert_eq!(spelt_out.node.default_interface.reduction, reduction, "and so does its table");
    assert!(table.len() > 10, "{table:?}");
}

#[test]
fn standing_state_is_what_the_commands_would_ask_for() {
    let config = parse(
        r#"
        [[sender]]
        destination = "192.0.2.7"
        port = 5004
        source = "198.51.100.1:6000"
        tspec = { rate = "1Mbit", bucket = "10kB", peak = "2Mbit" }
        [[reservation]]
        destination = "2001:db8::7"
        port = 5004
        senders = ["[2001:db8::1]:6000", "2001:db8::2"]
        rate = 1000000
        service = "gs"
        guaranteed-rate = "2Mbit"
        "#,
    )
    .expect("a good file");
    assert_eq!(config.senders[0].source_port, Some(6000));
    assert_eq!(config.senders[0].tspec.peak_rate, Some(2e6));
    let reservation = &config.reservations[0];
    assert_eq!(reservation.style, Style::Ff);
    assert_eq!(reservation.senders[1].source_port, Some(5004), "the session's port");
    assert_eq!(reservation.flowspec.rate(), Some(2e6));
}

#[test]
fn rules_of_policy_keep_their_order() {
    let config = parse(
        r#"
        [[policy]]
        action = "limit"
        sender = "10.1.0.0/16"
        bandwidth = "8Mbit"
        [[policy]]
        action = "deny"
        receiver = "2001:db8::7"
        [[policy]]
        action = "allow"
        "#,
    )
    .expect("a good file");
    let prefix = |text: &str| Some(text.parse().expect("a prefix"));
    let rule = |sender, receiver, action| PolicyRule { sender, receiver, action };
    let expected = [
        rule(prefix("10.1.0.0/16"), None, PolicyAction::Limit(1_000_000)),
        rule(None, prefix("2001:db8::7/128"), PolicyAction::Deny),
        rule(None, None, PolicyAction::Allow),
    ];
    assert_eq!(config.node.policy, expected);
}

/// Files with one fault each.
const FAULTS: [&str; 24] = [
    "\n[interface.eth0]\nbandwith = 1\n",
    "[defaults]\nrefresh-interval = \"soon\"\n",
    "[defaults]\nrefresh-interval = true\n",
    "[defaults]\nrefresh-interval = 0\n",
    "[defaults]\nrefresh-misses = -1\n",
    "[defaults]\nrefresh-misses = 0\n",
    "[defaults]\nslew-max = -0.5\n",
    "[interface.eth0.bandwidth]\ntotal = \"1Mbit\"\n",
    "[interface.eth0]\nbandwidth = { link = \"10Mbps\" }\n",
    "[interface.eth0]\n\nbandwidth = { link = \"1Mbit\", total = \"2Mbit\" }\n",
    "role = \"bridge\"\n",
    "[log]\nformat = \"xml\"\n",
    "[log]\nlevel = \"a=b=c\"\n",
    "[interface.eth0\n",
    "[interface.eth0]\nneighbors = [\"here\"]\n",
    "\n\n[[sender]]\ndestination = \"192.0.2.7\"\nport = 5004\n",
    "[[reservation]]\ndestination = \"192.0.2.7\"\nport = 1\nrate = 1\nstyle = \"se\"\n",
    "[[reservation]]\ndestination = \"192.0.2.7\"\nport = 1\nrate = 1\nsenders = [\"::1\"]\n",
    "[[policy]]\nsender = \"10.0.0.0/8\"\n",
    "[[policy]]\naction = \"drop\"\n",
    "[[policy]]\naction = \"deny\"\nsender = \"10.0.0.0/40\"\n",
    "[[policy]]\naction = \"deny\"\nreceiver = \"everybody\"\n",
    "[[policy]]\naction = \"limit\"\n\n[[policy]]\naction = \"deny\"\n",
    "\n[[policy]]\naction = \"deny\"\nsender = \"10.0.0.0/8\"\nreceiver = \"::/0\"\n",
];

#[test]
fn complaints_are_one_line_with_the_place_and_what_is_allowed() {
    let complaints: Vec<String> =
        FAULTS.iter().map(|text| format!("{text:?}\n  {}", complaint(text))).collect();
    assert!(complaints.iter().all(|c| c.lines().count() == 2), "one line each");
    insta::assert_snapshot!(complaints.join("\n"));
}

#[test]
fn a_file_that_is_not_there_is_told_without_a_line() {
    let error = Config::load(Path::new("/nonexistent/rsvp.toml")).expect_err("there is no such file");
    assert_eq!(error.to_string(), "/nonexistent/rsvp.toml: cannot be read: no such file or directory");
}

#[test]
fn udp_encapsulation_is_set_by_interface_and_for_a_host_as_a_whole() {
    use rsvp_core::config::{FirstHop, UdpEncapsulation, UdpOnly};

    let config = parse(
        r#"
        role = "host"
        [udp-only]
        first-hop = "192.0.2.1"
        ttl = 3
        [defaults]
        udp-encapsulation = "never"
        [interface.eth0]
        udp-encapsulation = "always"
        udp-send-ttl = false
        "#,
    )
    .expect("a good file");
    let first_hop = FirstHop { address: "192.0.2.1".parse().expect("address"), ttl: Some(3) };
    assert_eq!(config.node.hu(), Some(&UdpOnly { first_hop: Some(first_hop) }));
    let eth0 = config.node.interface("eth0");
    assert_eq!((eth0.udp_encapsulation, eth0.udp_send_ttl), (UdpEncapsulation::Always, false));
    let eth1 = config.node.interface("eth1");
    assert_eq!((eth1.udp_encapsulation, eth1.udp_send_ttl), (UdpEncapsulation::Never, true));
    let bare = parse("role = \"host\"\nudp-only = {}\n").expect("nothing in it is required");
    assert_eq!(bare.node.hu(), Some(&UdpOnly { first_hop: None }));
}

#[test]
fn mistakes_with_udp_are_told_with_their_line() {
    for (text, said) in [
        ("[udp-only]\n", "rsvp.toml:1: udp-only is for role = \"host\""),
        ("role = \"host\"\n[udp-only]\nttl = 3\n", "rsvp.toml:2: udp-only.ttl (Ta) is the distance"),
        (
            "role = \"host\"\nudp-only = { first-hop = \"10.0.0.1\", ttl = 0 }\n",
            "rsvp.toml:2: udp-only.ttl must",
        ),
        (
            "role = \"host\"\nudp-only = { first-hop = \"224.0.0.14\" }\n",
            "the address of a router, not 224.0.0.14",
        ),
        (
            "[defaults]\nudp-encapsulation = \"yes\"\n",
            "rsvp.toml:2: unknown variant `yes`, expected one of `learn`",
        ),
    ] {
        let complaint = complaint(text);
        assert!(complaint.contains(said), "{complaint}");
    }
}

#[test]
fn refresh_reduction_is_a_switch_or_a_table_for_all_for_an_interface_and_for_a_neighbour() {
    use rsvp_core::config::{MessageIds, ReductionConfig, SummaryRefresh};

    let config = parse(
        r#"
        [defaults]
        refresh-reduction = { summary-refresh = "session", message-max-size = 1400 }
        [interface.eth0]
        refresh-reduction = false
        [interface.eth1]
        point-to-point = true
        [interface.eth1.refresh-reduction]
        message-ids = "always"
        ack-retransmit-time = "200ms"
        retransmit-limit = 5
        retransmit-growth = 0.5
        ack-hold-time = 0
        group-ack-hold-time = "50ms"
        bundle-hold-time = "5ms"
        max-outstanding = 64
        full-refresh = 10
        [neighbor."192.0.2.1"]
        refresh-reduction = { assume-capable = true }
        [neighbor."2001:db8::1"]
        refresh-reduction = false
        [limits]
        queued-acks = 100
        "#,
    )
    .expect("a good file");
    let common = ReductionConfig {
        summary_refresh: SummaryRefresh::Session,
        max_packet: 1400,
        ..ReductionConfig::default()
    };
    assert_eq!(config.node.interface("eth9").reduction, common);
    assert_eq!(config.node.interface("eth0").reduction, ReductionConfig::off());
    assert_eq!(config.node.interface("eth0").point_to_point, None);
    let eth1 = config.node.interface("eth1");
    assert_eq!(eth1.point_to_point, Some(true));
    let millis = Duration::from_millis;
    let expected = ReductionConfig {
        message_ids: MessageIds::Always,
        retransmit_interval: millis(200),
        retransmit_limit: 5,
        retransmit_growth: 0.5,
        ack_delay: Duration::ZERO,
        group_ack_delay: millis(50),
        bundle_delay: millis(5),
        max_outstanding: 64,
        full_refresh: 10,
        ..common.clone()
    };
    assert_eq!(eth1.reduction, expected);
    let neighbor = |address: &str| config.node.reduction("eth0", address.parse().expect("an address"));
    assert_eq!(*neighbor("192.0.2.1"), ReductionConfig { assume_capable: true, ..common });
    assert_eq!(*neighbor("2001:db8::1"), ReductionConfig::off());
    assert_eq!(*neighbor("192.0.2.2"), ReductionConfig::off(), "that of its interface");
    assert_eq!(config.node.limits.queued_acks, 100);
}

#[test]
fn what_is_switched_off_for_all_can_be_switched_on_for_one() {
    use rsvp_core::config::{ReductionConfig, SummaryRefresh};

    let config = parse(
        r#"
        [defaults]
        refresh-reduction = { enabled = false, message-max-size = 1000 }
        [interface.eth0]
        refresh-reduction = true
        [interface.eth1]
        refresh-reduction = { enabled = true, summary-refresh = "off" }
        "#,
    )
    .expect("a good file");
    assert_eq!(config.node.default_interface.reduction, ReductionConfig::off());
    let on = ReductionConfig { max_packet: 1000, ..ReductionConfig::default() };
    assert_eq!(config.node.interface("eth0").reduction, on);
    let without = ReductionConfig { summary_refresh: SummaryRefresh::Off, ..on };
    assert_eq!(config.node.interface("eth1").reduction, without);
}

#[test]
fn mistakes_with_refresh_reduction_are_told_with_their_line() {
    for (text, said) in [
        (
            "[defaults]\nrefresh-reduction = \"on\"\n",
            "rsvp.toml:2: invalid type: string \"on\", expected true, false, or a table",
        ),
        (
            "[defaults.refresh-reduction]\n\nsrefresh = true\n",
            "rsvp.toml:3: unknown field `srefresh`, expected one of `enabled`, `message-ids`",
        ),
        (
            "[defaults.refresh-reduction]\n\nretransmit-limit = 0\n",
            "rsvp.toml:3: `0` must be a whole number from 1",
        ),
        (
            "[defaults.refresh-reduction]\nretransmit-growth = -1\n",
            "rsvp.toml:2: retransmit-growth (Delta) must be 0 or more",
        ),
        (
            "[defaults.refresh-reduction]\nretransmit-growth = inf\n",
            "rsvp.toml:2: retransmit-growth (Delta) must be 0 or more",
        ),
        (
            "[defaults.refresh-reduction]\nack-retransmit-time = 0\n",
            "rsvp.toml:2: ack-retransmit-time (Rf) must be at least 1ms",
        ),
        (
            "[defaults.refresh-reduction]\nmessage-max-size = 500\n",
            "rsvp.toml:2: message-max-size must be from 576 to 65535 bytes",
        ),
        (
            "[defaults.refresh-reduction]\nmessage-max-size = \"1MB\"\n",
            "rsvp.toml:2: message-max-size must be from 576 to 65535 bytes",
        ),
        ("[defaults.refresh-reduction]\nsummary-refresh = true\n", "rsvp.toml:2: "),
        ("[defaults.refresh-reduction]\nfull-refresh = -1\n", "rsvp.toml:2: "),
        (
            "[interface.eth0]\n\nrefresh-reduction = { ack-retransmit-time = \"50ms\" }\n",
            "rsvp.toml:3: group-ack-hold-time (100ms) must be less than ack-retransmit-time (Rf, 50ms)",
        ),
        (
            "[defaults]\nrefresh-reduction.ack-hold-time = \"1s\"\n",
            "rsvp.toml:2: ack-hold-time (1s) must be less than ack-retransmit-time (Rf, 500ms)",
        ),
        (
            "[defaults]\nrefresh-reduction = { retransmit-limit = 30 }\n",
            "rsvp.toml:2: a message would be sent again for more than an hour",
        ),
        (
            "[defaults]\nrefresh-reduction = { retransmit-limit = 9999, retransmit-growth = 0 }\n",
            "rsvp.toml:2: a message would be sent again for more than an hour",
        ),
        (
            "[defaults]\nrefresh-reduction = { message-ids = \"never\", summary-refresh = \"neighbor\" }\n",
            "rsvp.toml:2: message-ids = \"never\" leaves nothing for reliable and summary-refresh",
        ),
        ("\n[neighbor.here]\nrefresh-reduction = true\n", "rsvp.toml:2: invalid IP address syntax"),
        ("\n[neighbor.\"192.0.2.1\"]\n", "rsvp.toml:2: missing field `refresh-reduction`"),
        (
            "[neighbor.\"192.0.2.1\"]\nrefresh-reduction = { ack-hold-time = \"1s\" }\n",
            "rsvp.toml:2: ack-hold-time (1s)",
        ),
        (
            "[neighbor.\"224.0.0.1\"]\nrefresh-reduction = true\n",
            "rsvp.toml:2: 224.0.0.1 is no address of a neighbor",
        ),
        ("[limits]\nqueued-acks = 0\n", "rsvp.toml:2: `0` must be a whole number from 1"),
    ] {
        let complaint = complaint(text);
        assert!(complaint.starts_with(said), "{complaint}");
    }
}

/// What the conformance suite asks of the daemon is what the daemon then does.
#[cfg(target_os = "linux")]
#[test]
fn the_suite_writes_what_the_daemon_reads() {
    use conformance::bench::{Family, Port, Setup};
    use conformance::wire::daemon_config;
    use rsvp_core::config::{
        FirstHop, MessageIds, ReductionConfig, SummaryRefresh, UdpEncapsulation, UdpOnly,
    };

    let changes: [fn(&mut NodeConfig); 6] = [
        |_| (),
        |config| {
            config.router = false;
            let address = "10.0.1.1".parse().expect("an address");
            config.udp_only = Some(UdpOnly { first_hop: Some(FirstHop { address, ttl: Some(3) }) });
        },
        |config| config.default_interface.reduction = ReductionConfig::off(),
        |config| {
            let reduction = ReductionConfig {
                message_ids: MessageIds::Always,
                reliable: false,
                bundle: false,
                summary_refresh: SummaryRefresh::Session,
                assume_capable: true,
                retransmit_interval: Duration::from_millis(250),
                retransmit_limit: 7,
                retransmit_growth: 0.5,
                ack_delay: Duration::from_micros(1500),
                group_ack_delay: Duration::from_millis(20),
                bundle_delay: Duration::from_millis(5),
                max_packet: 576,
                max_outstanding: 9,
                full_refresh: 4,
            };
            config.neighbors.insert("10.0.1.1".parse().expect("an address"), reduction.clone());
            config.default_interface.reduction = reduction;
        },
        |config| {
            let mut interface = config.default_interface.clone();
            interface.enabled = false;
            interface.refresh = Duration::from_millis(700);
            (interface.refresh_multiple, interface.blockade_multiple) = (5, 6);
            interface.repair_delay = Duration::from_millis(10);
            interface.slew_max = 0.1;
            interface.latency = Some(Duration::from_micros(17));
            interface.link_header = 14;
            interface.udp_encapsulation = UdpEncapsulation::Always;
            interface.udp_send_ttl = false;
            interface.non_rsvp = true;
            interface.point_to_point = Some(true);
            let guaranteed = interface.guaranteed.as_mut().expect("the stock has it");
            (guaranteed.mtu, guaranteed.flows) = (Some(1400), Some(3));
            (guaranteed.discards, guaranteed.reshapes) = (true, true);
            config.interfaces.insert("d".to_owned(), interface);
        },
        |config| {
            (config.default_interface.bandwidth, config.default_interface.guaranteed) = (None, None);
            config.limits.sessions = 5;
            config.limits.repairs_per_second = 2;
            let sender = Some("10.0.0.0/24".parse().expect("a prefix"));
            let action = PolicyAction::Limit(12_345);
            config.policy = vec![
                PolicyRule { sender, receiver: None, action },
                PolicyRule { sender: None, receiver: None, action: PolicyAction::Deny },
            ];
        },
    ];
    for change in changes {
        let mut wanted = Setup::stock(Family::V4, Duration::from_secs(30)).config;
        change(&mut wanted);
        let text =
            daemon_config(&wanted, Path::new("/tmp/x/socket")).unwrap_or_else(|error| panic!("{error}"));
        let read = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read.control.socket.as_deref(), Some(Path::new("/tmp/x/socket")));
        for port in Port::ALL.map(Port::name) {
            assert_eq!(read.node.interface(port), wanted.interface(port), "{port}\n{text}");
            assert!(!read.extras(port).traffic_control, "{port}");
        }
        let interfaces = wanted.interfaces.clone();
        let node =
            NodeConfig { interfaces, default_interface: wanted.default_interface.clone(), ..read.node };
        assert_eq!(node, wanted, "{text}");
    }
}
