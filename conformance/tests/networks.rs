//! Cases name stations, not addresses: in networks that are numbered otherwise they say the same.

use conformance::bench::{Devices, Engines, Family, Lab, Networks, Port, Station};
use conformance::cases::CASES;
use conformance::catalogue::Catalogue;
use conformance::run::run;
use conformance::verdict::Verdict;

/// Numbers that stand in no case.
const NETWORKS: Networks = Networks { v4: [172, 20], v6: [0xfd00, 0x77, 5] };

#[test]
fn every_case_passes_in_networks_of_other_numbers() {
    let catalogue = Catalogue::load().unwrap_or_else(|error| panic!("{error}"));
    let engines = Engines { networks: NETWORKS };
    let cases: Vec<_> = CASES.iter().filter(|case| engines.speaks(case.rfc())).collect();
    let run = run("engines", &cases, 2, &catalogue, |_| Lab::new(engines), |_| true);
    let wrong = run.results.iter().filter(|result| result.outcome.verdict != Verdict::Pass);
    let wrong: Vec<String> =
        wrong.map(|result| format!("{}: {:?}", result.case.id, result.outcome.reason)).collect();
    assert_eq!((run.results.len(), wrong), (cases.len(), vec![]));
    for result in &run.results {
        let packets = result.outcome.transcript.entries.iter().filter_map(|entry| entry.happening.packet());
        for packet in packets {
            let source = packet.source.to_string();
            let is_stock = source.starts_with("10.0.") || source.starts_with("2001:db8:");
            assert!(!is_stock, "{}: {packet:?}", result.case.id);
        }
    }
}

#[test]
fn stations_are_in_the_networks_of_the_laboratory() {
    let plan = Lab::new(Engines { networks: NETWORKS }).plan(Family::V6);
    assert_eq!(plan.station(Station::D3).to_string(), "fd00:77:5:4::2");
    assert_eq!(plan.dut(Port::A).to_string(), "fd00:77:5:1::fe");
}
