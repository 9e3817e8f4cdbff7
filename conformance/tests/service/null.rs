//! RFC 2997 section 3: senders that offer the null service.

use conformance::bench::{Family, Lab, Port, Received, hex};
use conformance::shows;
use rsvp_core::Command;
use rsvp_core::command::SenderRequest;
use rsvp_core::wire::{ClassNum, FilterSpec, Path, SenderTspec, Tspec};

/// What a host sends for a sender of its own, on a link of which it knows nothing.
fn announced(tspec: SenderTspec) -> Received<Path> {
    let mut dut = Lab::in_process().with(Family::V4, |config| {
        config.router = false;
        config.default_interface.bandwidth = None;
    });
    let h = dut.h();
    let template = FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 };
    let api = dut.open(h);
    let request = SenderRequest { template, tspec, adspec: true.into(), policy: vec![], ttl: 64 };
    dut.command(Command::AddSender(api, request)).expect("it is a good sender");
    dut.expect::<Path>(Port::C)
}

const TSPEC: Tspec =
    Tspec { rate: 10_000.0, bucket: 2000.0, peak: f32::INFINITY, min_unit: 64, max_packet: 1500 };

#[test]
fn the_null_service_is_offered_by_an_empty_fragment() {
    shows(&["rfc2997-3-01"]);
    let general = "01000008 04000001 00000001 06000001 00000000 08000001 ffffffff 0a000001 000005dc";
    let path = announced(SenderTspec::Null { max_packet: 1500 });
    let alone = hex(&format!("0000000a {general} 06000000"));
    assert_eq!(path.objects(ClassNum::ADSPEC)[0].contents, alone);
    let both = announced(SenderTspec::TokenBucketOrNull { tspec: TSPEC, null_max_packet: 1500 });
    let contents = &both.objects(ClassNum::ADSPEC)[0].contents;
    assert_eq!(contents[contents.len() - 4..], [6, 0, 0, 0], "after the services with lower numbers");
    assert_eq!(contents[3] as usize, contents.len() / 4 - 1);
    let usual = announced(SenderTspec::TokenBucket(TSPEC));
    assert_eq!(usual.objects(ClassNum::ADSPEC)[0].contents.len(), contents.len() - 4, "only if it is wanted");
}

#[test]
fn the_tspec_of_the_null_service() {
    shows(&["rfc2997-3-02"]);
    let contents = |tspec| announced(tspec).objects(ClassNum::SENDER_TSPEC)[0].contents.clone();
    let alone = "00000003 06000002 80000001 000005dc";
    assert_eq!(contents(SenderTspec::Null { max_packet: 1500 }), hex(alone));
    let both = "0000000a 01000006 7f000005 461c4000 44fa0000 7f800000 00000040 000005dc
        06000002 80000001 000005dc";
    let offered = SenderTspec::TokenBucketOrNull { tspec: TSPEC, null_max_packet: 1500 };
    assert_eq!(contents(offered), hex(both));
}
