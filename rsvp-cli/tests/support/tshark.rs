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

/// MESSAGE_ID_ACK, whose C-Type tshark has in a field of its own.
const MESSAGE_ID_ACK: u64 = 24;

/// The objects of the RSVP messages of a capture; those of all messages of a Bundle.
pub(crate) fn objects(capture: &Path) -> Option<Objects> {
    let names = ["frame.number", "rsvp.object", "rsvp.length", "rsvp.ctype", "rsvp.ctype.message_id_ack"];
    let fields = names.map(|name| ["-e", name]).concat();
    let text = run(capture, &[&["-Y", RSVP, "-T", "fields"][..], &fields].concat())?;
    let numbers = |list: &str| -> Vec<u64> {
        list.split(',')
            .filter(|number| !number.is_empty())
            .map(|number| number.parse().expect("a number"))
            .collect()
    };
    let frames = text.lines().map(|line| {
        let columns: Vec<_> = line.split('\t').map(numbers).collect();
        let [frame, classes, lengths, ctypes, of_acks] = &columns[..] else { panic!("five columns: {line}") };
        assert_eq!((classes.len(), ctypes.len() + of_acks.len()), (lengths.len(), lengths.len()), "{line}");
        let (mut ctypes, mut of_acks) = (ctypes.iter(), of_acks.iter());
        let object = |(class, length): (&u64, &u64)| {
            let column = if *class == MESSAGE_ID_ACK { &mut of_acks } else { &mut ctypes };
            [*class, *column.next().unwrap_or_else(|| panic!("a C-Type: {line}")), *length]
        };
        (frame[0], classes.iter().zip(lengths).map(object).collect())
    });
    Some(frames.collect())
}
