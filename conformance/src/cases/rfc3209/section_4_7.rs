//! RFC 3209 section 4.7: ClassNum::SESSION_ATTRIBUTE.

use rsvp_core::wire::{ClassNum, MessageType};

use crate::bench::{Lab, Port, Station, object, session_attribute};
use crate::shows;

/// SESSION_ATTRIBUTE goes on as it came, with or without affinities.
pub(crate) fn session_attribute_goes_on_unchanged(lab: &Lab) {
    shows(&["rfc3209-4.7.4-10"]);
    let mut dut = lab.router();
    let plain = object(ClassNum::SESSION_ATTRIBUTE.0, 7, &[3, 2, 0x05, 3, b'a', b'b', b'c', 0]);
    let affinities = [&[0; 8][..], &[0, 0, 0, 0], &[4, 4, 0x04, 1, b'x', 0, 0, 0]].concat();
    let with_affinities = object(ClassNum::SESSION_ATTRIBUTE.0, 1, &affinities);
    for (id, attribute) in [(201, plain), (202, with_affinities)] {
        let lsp = dut.lsp(id);
        let path = dut.tunnel_path(Station::U1, lsp).with(attribute.clone());
        dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
        let path = dut.expect_tunnel(Port::C, MessageType::PATH);
        assert_eq!(path.object(ClassNum::SESSION_ATTRIBUTE), &attribute, "SESSION_ATTRIBUTE of the Path");
    }
}

/// A SESSION_ATTRIBUTE of a C-Type that nobody knows goes on too: its class is one of those that are passed on.
pub(crate) fn an_unknown_session_attribute_goes_on(lab: &Lab) {
    shows(&["rfc3209-4.7.4-10"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(203);
    let attribute = object(ClassNum::SESSION_ATTRIBUTE.0, 9, &[1, 2, 3, 4]);
    let path = dut.tunnel_path(Station::U1, lsp).with(attribute.clone());
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    let path = dut.expect_tunnel(Port::C, MessageType::PATH);
    assert_eq!(path.object(ClassNum::SESSION_ATTRIBUTE), &attribute, "SESSION_ATTRIBUTE of the Path");
}

/// Flags that nobody knows stay as they are.
pub(crate) fn unknown_flags_stay(lab: &Lab) {
    shows(&["rfc3209-4.7.1-06"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(204);
    let path = dut.tunnel_path(Station::U1, lsp).with(session_attribute(0xe4));
    let (path, _) = dut.set_up_by(lsp, path);
    assert_eq!(path.object(ClassNum::SESSION_ATTRIBUTE).contents[2], 0xe4, "flags of SESSION_ATTRIBUTE");
}
