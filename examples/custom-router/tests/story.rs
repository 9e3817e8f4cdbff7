//! The program tells its story to the end.

#![cfg(target_os = "linux")]

use std::process::Command;

#[test]
fn everything_happens_in_its_order() {
    let output = Command::new(env!("CARGO_BIN_EXE_custom-router")).output().expect("it runs");
    let (told, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}{said}");
    let mut lines = told.lines();
    for part in [
        "confirmed by 10.0.1.2",
        "the chip gives on port east: 125000 bytes/s to 10.0.2.2",
        "the chip tells the router: all 1 entries of the port are taken",
        "bob hears: Traffic Control System error (at 10.0.2.1)",
        "the chip gives on port south: 125000 bytes/s to 10.0.2.2",
        "the chip gives nothing on port east any more",
        "bob hears: Service preempted (at 10.0.3.1)",
        "the chip holds nothing",
        "all leave",
    ] {
        assert!(lines.any(|line| line.contains(part)), "{part:?} is missing, or out of order: {told}");
    }
}
