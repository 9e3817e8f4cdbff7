//! Looking at the traffic control of the namespace that the calling thread is in.

use std::ffi::CString;
use std::io;

use netlink_bindings::traits::NetlinkRequest;
use netlink_bindings::{nftables, tc};
use netlink_socket2::{NetlinkSocket, ReplyError};

use crate::netlink;

/// The parent of what is at the root (`linux/pkt_sched.h`).
const TC_H_ROOT: u32 = u32::MAX;

/// A class of an HTB queueing discipline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtbClass {
    /// Its class id: the handle of the queueing discipline in the upper half, its number in the lower.
    pub id: u32,
    /// The rate that it is sure of, in bytes per second.
    pub rate: u64,
    /// How many packets have left by it.
    pub packets: u64,
}

/// What has passed an interface so far, link headers included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceTraffic {
    /// Packets received.
    pub received_packets: u64,
    /// Octets received.
    pub received_octets: u64,
    /// Packets sent.
    pub sent_packets: u64,
    /// Octets sent.
    pub sent_octets: u64,
}

/// Key and value of an nftables map.
pub type MapElement = (Vec<u8>, Vec<u8>);

/// What has passed an interface.
pub(crate) fn traffic(interface: &str) -> io::Result<InterfaceTraffic> {
    // Of this thread: the others may be in another namespace.
    let text = std::fs::read_to_string("/proc/thread-self/net/dev")?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let (_, figures) = lines.find(|(name, _)| name.trim() == interface).ok_or(io::ErrorKind::NotFound)?;
    let figures: Vec<u64> = figures.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    // Eight columns of what was received, then eight of what was sent; each begins with octets and packets.
    let [received_octets, received_packets, _, _, _, _, _, _, sent_octets, sent_packets, ..] = figures[..]
    else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    Ok(InterfaceTraffic { received_packets, received_octets, sent_packets, sent_octets })
}

/// The kind of an interface's root queueing discipline.
pub(crate) fn root_qdisc(interface: &str) -> io::Result<Option<String>> {
    let index = netlink::index(interface)?;
    let request = tc::Request::new().op_getqdisc_dump(&tc::Tcmsg { ifindex: index, ..Default::default() });
    let kinds = collect(&request, |(header, attributes): (tc::Tcmsg, tc::IterableAttrs<'_>)| {
        let is_root = header.ifindex == index && header.parent == TC_H_ROOT;
        is_root.then(|| attributes.get_kind().map(|kind| kind.to_string_lossy().into_owned()).ok()).flatten()
    });
    Ok(kinds?.into_iter().next())
}

/// Gives an interface a rate, in bytes per second: a token bucket in front of a queue.
pub(crate) fn limit(interface: &str, rate: u64) -> io::Result<()> {
    /// Its class id is of no interest: there is no class.
    const HANDLE: u32 = 1 << 16;
    /// `TC_LINKLAYER_ETHERNET`: the kernel computes the times, and needs no tables.
    const LINK_LAYER: u8 = 1;
    // At least two packets, and what a timer that is late by some milliseconds has to catch up with.
    let burst = u32::try_from(rate / 200).unwrap_or(u32::MAX).max(3200);
    // A queue that is full makes a packet wait a twentieth of a second.
    let limit = u32::try_from(rate / 20).unwrap_or(u32::MAX).max(16_000);
    let header = tc::Tcmsg {
        ifindex: netlink::index(interface)?,
        handle: HANDLE,
        parent: TC_H_ROOT,
        ..Default::default()
    };
    let mut request = tc::Request::new().set_create().set_replace().op_newqdisc_do(&header);
    let spec = tc::TcRatespec {
        linklayer: LINK_LAYER,
        rate: u32::try_from(rate).unwrap_or(u32::MAX),
        ..tc::TcRatespec::new()
    };
    let options = request.encode().nested_options_tbf();
    let options = options.push_parms(tc::TcTbfQopt { rate: spec, limit, ..tc::TcTbfQopt::new() });
    let _ = options.push_rate64(rate).push_burst(burst);
    netlink::acknowledged(&request)
}

/// The HTB classes of an interface.
pub(crate) fn htb_classes(interface: &str) -> io::Result<Vec<HtbClass>> {
    let index = netlink::index(interface)?;
    // The bindings have no name for the dump of classes; it is the query with the flag for dumps.
    let dump = u16::try_from(libc::NLM_F_DUMP).map_err(io::Error::other)?;
    let header = tc::Tcmsg { ifindex: index, ..Default::default() };
    let request = tc::Request::new().set_flags(dump).op_gettclass_do(&header);
    collect(&request, |(header, attributes): (tc::Tcmsg, tc::IterableAttrs<'_>)| {
        let Ok(tc::OptionsMsg::Htb(options)) = attributes.get_options() else { return None };
        let small = options.get_parms().ok()?.rate.rate;
        let sent = attributes.get_stats2().ok()?.get_basic().ok()?;
        let rate = options.get_rate64().unwrap_or(small.into());
        Some(HtbClass { id: header.handle, rate, packets: sent.packets.into() })
    })
}

/// Keys and values of an nftables map of the `inet` family; empty if there is no such map.
pub(crate) fn nft_map(table: &str, map: &str) -> io::Result<Vec<MapElement>> {
    let family = u8::try_from(libc::NFPROTO_INET).map_err(io::Error::other)?;
    let header = nftables::Nfgenmsg { nfgen_family: family, ..Default::default() };
    let mut request = nftables::Request::new().op_getsetelem_dump(&header);
    let (table, map) = (CString::new(table)?, CString::new(map)?);
    let _ = request.encode().push_table(&table).push_set(&map);
    let messages = collect(&request, |(_, attributes)| {
        let elements = attributes.get_elements().ok()?;
        let element = |element: nftables::IterableSetelemAttrs<'_>| {
            let key = element.get_key().ok()?.get_value().ok()?;
            let value = element.get_data().ok()?.get_value().ok()?;
            Some((key.to_vec(), value.to_vec()))
        };
        Some(elements.get_elem().filter_map(element).collect::<Vec<_>>())
    });
    match messages {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        messages => Ok(messages?.into_iter().flatten().collect()),
    }
}

/// Sends a request for a dump and keeps what `pick` makes of its answers.
fn collect<R: NetlinkRequest, T>(
    request: &R,
    pick: impl Fn(R::ReplyType<'_>) -> Option<T>,
) -> io::Result<Vec<T>> {
    let in_words = |error: ReplyError| io::Error::new(error.as_io_error().kind(), error.to_string());
    let mut socket = NetlinkSocket::new();
    let mut reply = socket.request(request)?;
    let mut picked = Vec::new();
    while let Some(answer) = reply.recv() {
        picked.extend(pick(answer.map_err(in_words)?));
    }
    Ok(picked)
}
