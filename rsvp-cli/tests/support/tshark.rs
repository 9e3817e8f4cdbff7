//! What an independent dissector makes of a capture.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

/// Class, C-Type and length of each object, by frame.
pub(crate) type Objects = Vec<(u64, Vec<[u64; 3]>)>;

/// RSVP also on its UDP port (RFC 2205 Appendix C), and every checksum that can be checked.
const OPTIONS: [&str; 7] =
    ["-n", "-d", "udp.port==1698,rsvp", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"];

/// RSVP messages, but not what an ICMP error quotes of one.
pub(crate) const RSVP: &str = "rsvp && !icmp && !icmpv6";

/// What tshark prints, or `None` when it is not installed, which is an error in CI.
pub(crate) fn run(capture: &Path, arguments: &[&str]) -> Option<String> {
    match Command::new("tshark").args(OPTIONS).arg("-r").arg(capture).args(arguments).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).expect("UTF-8"))
        }
        Err(error) if std::env::var_os("CI").is_none() => {
            warn(&format!("SKIPPED: tshark cannot be started ({error}): nothing was compared with it"));
            None
        }
        Err(error) => panic!("tshark is needed in CI: {error}"),
    }
}

/// Says something that no one should miss: not by a macro, whose output the test harness would keep for itself.
pub(crate) fn warn(text: &str) {
    io::stderr().write_all(format!("{text}\n").as_bytes()).expect("standard error");
}

/// The objects of the RSVP messages of a capture.
pub(crate) fn objects(capture: &Path) -> Option<Objects> {
    let fields = ["-Y", RSVP, "-T", "fields", "-e", "frame.number", "-e", "rsvp.object", "-e", "rsvp.ctype"];
    let text = run(capture, &[&fields[..], &["-e", "rsvp.length"]].concat())?;
    let numbers = |list: &str| -> Vec<u64> {
        list.split(',')
            .filter(|number| !number.is_empty())
            .map(|number| number.parse().expect("a number"))
            .collect()
    };
    let frames = text.lines().map(|line| {
        let columns: Vec<_> = line.split('\t').map(numbers).collect();
        let [frame, classes, ctypes, lengths] = &columns[..] else { panic!("four columns: {line}") };
        assert_eq!((classes.len(), ctypes.len()), (lengths.len(), lengths.len()), "{line}");
        let objects = (0..classes.len()).map(|n| [classes[n], ctypes[n], lengths[n]]).collect();
        (frame[0], objects)
    });
    Some(frames.collect())
}
