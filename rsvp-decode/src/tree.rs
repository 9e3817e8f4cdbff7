//! Records as text: a line for the packet, a line for each message of a Bundle, a line for each object.

use std::fmt::{self, Display, Formatter};

use rsvp_core::wire::{
    Acknowledgement, Adspec, ErrorSpec, FilterSpec, FlaggedId, Flowspec, GuaranteedFragment, Header,
    IdEntries, IdList, IntServAdspec, Object, Overrides, RawObject, SenderTspec, Session, SessionKey, Style,
    Tspec,
};

use crate::record::{Checksum, Message, Record};
use crate::text::{delay, hex, micros, protocol, rate, size};

/// Octets in one line of a hexadecimal dump.
const DUMP_WIDTH: usize = 32;
/// Message ids in one line of a list.
const LIST_WIDTH: usize = 8;
/// Where the lines below an object start.
const INDENT: &str = "        ";

/// A record as a tree.
pub struct Tree<'a>(
    /// The record.
    pub &'a Record<'a>,
);

impl Display for Tree<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let record = self.0;
        write!(f, "#{}", record.frame)?;
        if let Some(time) = record.time {
            write!(f, "  {}", humantime::format_rfc3339_micros(time))?;
        }
        if let Some(packet) = &record.packet {
            write!(f, "  {} > {}  TTL {}", packet.source, packet.destination, packet.ttl)?;
            f.write_str(if packet.router_alert { "  RA" } else { "" })?;
            if let Some(port) = packet.udp_port {
                write!(f, "  in UDP to port {port}")?;
            }
        }
        match &record.message {
            Some(message) => message_tree(f, message, record.error.as_ref()),
            None => writeln!(f).and_then(|()| fault(f, "    ", record.error.as_ref())),
        }
    }
}

/// A message that is at hand without a packet, as a tree.
#[must_use]
pub fn describe(message: &[u8]) -> String {
    struct Text(Message, Option<String>);
    impl Display for Text {
        fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
            message_tree(f, &self.0, self.1.as_ref())
        }
    }
    let (message, error) = Message::whole(message);
    let text = Text(message, error).to_string();
    text.trim().to_owned()
}

/// The rest of the line, and the lines below.
fn message_tree(f: &mut Formatter<'_>, message: &Message, error: Option<&String>) -> fmt::Result {
    header(f, message)?;
    objects(f, message)?;
    for (bundled, error) in &message.bundled {
        header(f, bundled)?;
        objects(f, bundled)?;
        fault(f, "    ", error.as_ref())?;
    }
    fault(f, if message.bundled.is_empty() { "    " } else { "  " }, error)
}

fn fault(f: &mut Formatter<'_>, indent: &str, error: Option<&String>) -> fmt::Result {
    error.map_or(Ok(()), |error| writeln!(f, "{indent}ERROR: {error}"))
}

/// The rest of the line.
fn header(f: &mut Formatter<'_>, message: &Message) -> fmt::Result {
    let Some(header) = &message.header else { return writeln!(f) };
    match header.message_type.name() {
        Some(name) => write!(f, "  {name}")?,
        None => write!(f, "  message type {}", header.message_type.0)?,
    }
    write!(f, "  {} bytes  Send_TTL {}", header.length, header.send_ttl)?;
    match header.flags {
        0 => {}
        Header::REFRESH_REDUCTION => f.write_str("  refresh reduction capable")?,
        flags => write!(f, "  flags {flags:#x}")?,
    }
    match message.checksum {
        Checksum::Ok => writeln!(f, "  checksum {:#06x} ok", header.checksum),
        Checksum::Bad => writeln!(f, "  checksum {:#06x} BAD", header.checksum),
        Checksum::None => writeln!(f, "  no checksum"),
    }
}

fn objects(f: &mut Formatter<'_>, message: &Message) -> fmt::Result {
    for (raw, decoded) in &message.objects {
        let name = raw.class_num().name().unwrap_or("(unknown)");
        let numbers = format!("{}/{}", raw.class, raw.ctype);
        write!(f, "    {name:<18} {numbers:<6} {:>4}  ", raw.encoded_len())?;
        match decoded {
            Ok(object) => contents(f, object, raw)?,
            Err(error) => writeln!(f, "{error}").and_then(|()| dump(f, &raw.contents))?,
        }
    }
    Ok(())
}

/// The fields of an object, to the end of its last line.
fn contents(f: &mut Formatter<'_>, object: &Object, raw: &RawObject) -> fmt::Result {
    match object {
        Object::Null => writeln!(f),
        Object::Session(session) => self::session(f, session),
        Object::RsvpHop(hop) => writeln!(f, "{}, LIH {}", hop.address, hop.lih),
        Object::TimeValues(refresh_ms) => writeln!(f, "R={} s", f64::from(*refresh_ms) / 1000.0),
        Object::ErrorSpec(error) => error_spec(f, error),
        Object::Scope(sources) => {
            let sources: Vec<_> = sources.iter().map(ToString::to_string).collect();
            writeln!(f, "{}", sources.join(", "))
        }
        Object::Style(style) => writeln!(f, "{style} ({})", style_name(*style)),
        Object::Flowspec(Flowspec::ControlledLoad(tspec)) => {
            writeln!(f, "controlled load, {}", TspecText(tspec))
        }
        Object::Flowspec(Flowspec::Guaranteed(tspec, rspec)) => {
            writeln!(f, "guaranteed, {}", TspecText(tspec))?;
            writeln!(f, "{INDENT}R={}, S={}", rate(rspec.rate), micros(rspec.slack))
        }
        Object::Flowspec(Flowspec::Null { max_packet })
        | Object::SenderTspec(SenderTspec::Null { max_packet }) => {
            writeln!(f, "null service, M={max_packet} B")
        }
        Object::SenderTspec(SenderTspec::TokenBucket(tspec)) => writeln!(f, "{}", TspecText(tspec)),
        Object::SenderTspec(SenderTspec::TokenBucketOrNull { tspec, null_max_packet }) => {
            writeln!(f, "{}, or null service, M={null_max_packet} B", TspecText(tspec))
        }
        Object::FilterSpec(filter) | Object::SenderTemplate(filter) => filter_spec(f, filter),
        Object::Adspec(Adspec::IntServ(adspec)) => self::adspec(f, adspec),
        Object::ResvConfirm(receiver) => writeln!(f, "receiver {receiver}"),
        Object::MessageId(id) => flagged_id(f, "", *id),
        Object::MessageIdAck(Acknowledgement::Ack(id)) => flagged_id(f, "ack of ", *id),
        Object::MessageIdAck(Acknowledgement::Nack(id)) => flagged_id(f, "nack of ", *id),
        Object::MessageIdList(list) => id_list(f, list),
        _ => writeln!(f, "{} bytes of contents", raw.contents.len()).and_then(|()| dump(f, &raw.contents)),
    }
}

fn session(f: &mut Formatter<'_>, session: &Session) -> fmt::Result {
    let flow = session.key.flow();
    let port = if matches!(session.key, SessionKey::Gpi(_)) { "virtual port" } else { "port" };
    write!(f, "{}, {}, {port} {}", flow.destination, protocol(flow.protocol), flow.port)?;
    flags(f, session.flags, &[(Session::E_POLICE, "E_Police")])?;
    writeln!(f)
}

fn error_spec(f: &mut Formatter<'_>, error: &ErrorSpec) -> fmt::Result {
    write!(f, "node {}, code {}", error.node, error.code)?;
    if let Some(name) = error.error_code().name() {
        write!(f, " ({name})")?;
    }
    write!(f, ", value {}", error.value)?;
    if let Some(name) = error.error_code().value_name(error.value) {
        write!(f, " ({name})")?;
    }
    flags(f, error.flags, &[(ErrorSpec::IN_PLACE, "InPlace"), (ErrorSpec::NOT_GUILTY, "NotGuilty")])?;
    writeln!(f)
}

fn flagged_id(f: &mut Formatter<'_>, what: &str, FlaggedId { flags, id }: FlaggedId) -> fmt::Result {
    write!(f, "{what}{id}")?;
    // Of a message; those of an acknowledgement have no meaning.
    let names: &[(u8, &str)] = if what.is_empty() { &[(FlaggedId::ACK_DESIRED, "ACK_Desired")] } else { &[] };
    self::flags(f, flags, names)?;
    writeln!(f)
}

fn id_list(f: &mut Formatter<'_>, list: &IdList) -> fmt::Result {
    let form = match &list.entries {
        IdEntries::Plain(_) => "LIST",
        IdEntries::Sources(_) => "SRC_LIST",
        IdEntries::Groups(_) => "MCAST_LIST",
    };
    let s = if list.len() == 1 { "" } else { "s" };
    write!(f, "{form}, epoch {:#08x}, {} id{s}", list.epoch, list.len())?;
    flags(f, list.flags, &[])?;
    writeln!(f)?;
    match &list.entries {
        IdEntries::Plain(ids) => ids.chunks(LIST_WIDTH).try_for_each(|line| {
            let ids: Vec<_> = line.iter().map(ToString::to_string).collect();
            writeln!(f, "{INDENT}{}", ids.join(", "))
        }),
        IdEntries::Sources(entries) => {
            entries.iter().try_for_each(|(id, source)| writeln!(f, "{INDENT}{id}: from {source}"))
        }
        IdEntries::Groups(entries) => entries
            .iter()
            .try_for_each(|(id, source, group)| writeln!(f, "{INDENT}{id}: from {source} to {group}")),
    }
}

fn flags(f: &mut Formatter<'_>, flags: u8, names: &[(u8, &str)]) -> fmt::Result {
    if flags == 0 {
        return Ok(());
    }
    write!(f, ", flags {flags:#04x}")?;
    let set: Vec<_> = names.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, name)| *name).collect();
    if set.is_empty() { Ok(()) } else { write!(f, " ({})", set.join(", ")) }
}

const fn style_name(style: Style) -> &'static str {
    match style {
        Style::Ff => "Fixed-Filter",
        Style::Se => "Shared-Explicit",
        Style::Wf => "Wildcard-Filter",
    }
}

fn filter_spec(f: &mut Formatter<'_>, filter: &FilterSpec) -> fmt::Result {
    match filter {
        FilterSpec::Ip { source, port } => writeln!(f, "{source}, port {port}"),
        FilterSpec::FlowLabel { source, label } => writeln!(f, "{source}, flow label {label:#07x}"),
        FilterSpec::Gpi { source, spi } => writeln!(f, "{source}, SPI {spi:#010x}"),
        _ => writeln!(f, "{filter}"),
    }
}

struct TspecText<'a>(&'a Tspec);

impl Display for TspecText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Tspec { rate: r, bucket, peak, min_unit, max_packet } = self.0;
        let (r, b, p) = (rate(*r), size(*bucket), rate(*peak));
        write!(f, "r={r} b={b} p={p} m={min_unit} B M={max_packet} B")
    }
}

fn adspec(f: &mut Formatter<'_>, adspec: &IntServAdspec) -> fmt::Result {
    let general = &adspec.general;
    let (bandwidth, latency) = (rate(general.bandwidth), delay(general.latency));
    write!(f, "IS hops {}, bandwidth {bandwidth}, latency {latency}, ", general.is_hops)?;
    writeln!(f, "path MTU {} B{}", general.path_mtu, broken(general.broken))?;
    if let Some(fragment) = adspec.guaranteed.as_ref().filter(|fragment| fragment.header_only) {
        writeln!(f, "{INDENT}guaranteed: no terms{}", broken(fragment.broken))?;
    } else if let Some(fragment) = &adspec.guaranteed {
        let GuaranteedFragment { c_total, d_total, c_sum, d_sum, .. } = *fragment;
        let (d_total, d_sum) = (delay(d_total), delay(d_sum));
        write!(f, "{INDENT}guaranteed: Ctot={c_total} B Dtot={d_total} Csum={c_sum} B Dsum={d_sum}")?;
        writeln!(f, "{}{}", OverridesText(&fragment.overrides), broken(fragment.broken))?;
    }
    if let Some(fragment) = &adspec.controlled_load {
        let (overrides, broken) = (OverridesText(&fragment.overrides), broken(fragment.broken));
        writeln!(f, "{INDENT}controlled load: offered{overrides}{broken}")?;
    }
    for fragment in &adspec.other {
        let (service, length) = (fragment.service, fragment.contents.len());
        writeln!(f, "{INDENT}service {service}: {length} bytes{}", broken(fragment.broken))?;
        dump(f, &fragment.contents)?;
    }
    Ok(())
}

/// The break bit: a hop on the way does not offer the service.
const fn broken(is_broken: bool) -> &'static str {
    if is_broken { ", BROKEN" } else { "" }
}

struct OverridesText<'a>(&'a Overrides);

impl Display for OverridesText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Overrides { is_hops, bandwidth, latency, path_mtu } = *self.0;
        is_hops.iter().try_for_each(|hops| write!(f, ", IS hops {hops}"))?;
        bandwidth.iter().try_for_each(|bandwidth| write!(f, ", bandwidth {}", rate(*bandwidth)))?;
        latency.iter().try_for_each(|latency| write!(f, ", latency {}", delay(*latency)))?;
        path_mtu.iter().try_for_each(|mtu| write!(f, ", path MTU {mtu} B"))
    }
}

fn dump(f: &mut Formatter<'_>, octets: &[u8]) -> fmt::Result {
    octets.chunks(DUMP_WIDTH).try_for_each(|line| writeln!(f, "{INDENT}{}", hex(line)))
}
