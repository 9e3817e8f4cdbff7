//! One message in one line.

use std::fmt::{self, Write};
use std::net::{IpAddr, SocketAddr};

use rsvp_core::wire::{
    Acknowledgement, Adspec, Bundle, ErrorSpec, FilterSpec, FlowDescriptor, FlowKey, Flowspec,
    GuaranteedFragment, Head, INDETERMINATE_LATENCY, IdEntries, IdList, IntServAdspec, Message, Object, Path,
    PathErr, PathTear, RawMessage, RawObject, Resv, ResvConf, ResvErr, ResvTear, RsvpHop, SenderTspec,
    SessionKey, Style, Tspec,
};

/// The message in one line: its type, then its objects in short; a Bundle with its messages in brackets. What is not
/// understood, such as a message about an LSP tunnel, is said to be so, with the names of its objects; and so is what cannot
/// be decoded.
#[must_use]
pub fn describe(message: &[u8]) -> String {
    let Ok(bundle) = Bundle::decode(message) else { return describe_single(message) };
    let messages = bundle.messages().map(|message| match message {
        Ok((_, message)) => describe_single(message),
        Err(error) => error.to_string(),
    });
    format!("Bundle [{}]", messages.collect::<Vec<_>>().join(" | "))
}

fn describe_single(message: &[u8]) -> String {
    let raw = match RawMessage::decode(message) {
        Ok(raw) => raw,
        Err(error) => return format!("{} octets: {error}", message.len()),
    };
    let parsed = Message::parse(&raw, usize::MAX);
    let head = Head::split(message).map(|(head, _)| head).unwrap_or_default();
    match parsed {
        Ok(parsed) => {
            let mut text = String::new();
            write_message(&mut text, &head, &parsed).expect("writing to a string succeeds");
            text
        }
        Err(error) => {
            let said = raw.objects.iter().find_map(|placed| match placed.decode() {
                Ok(Object::ErrorSpec(said)) => Some(format!(": {said};")),
                _ => None,
            });
            let classes: Vec<String> =
                raw.objects.iter().map(|placed| placed.object.class_num().to_string()).collect();
            let (kind, said) = (raw.header.message_type, said.unwrap_or_default());
            format!("{kind}{said} {} ({error})", classes.join(" "))
        }
    }
}

fn write_message(out: &mut String, head: &Head, message: &Message) -> fmt::Result {
    write!(out, "{}", message.message_type())?;
    write_head(out, head)?;
    if let Some(session) = message.session() {
        write!(out, " {}", Session(&session.key))?;
        if session.flags != 0 {
            write!(out, " flags {:#x}", session.flags)?;
        }
    }
    match message {
        Message::Path(Path {
            hop,
            refresh_ms,
            policy,
            sender_template,
            sender_tspec,
            adspec,
            forward,
            ..
        }) => {
            write!(out, "{} R {refresh_ms} ms", Hop(hop))?;
            write_sender(out, sender_template, Some(sender_tspec), adspec.as_ref())?;
            write_others(out, policy, forward)
        }
        Message::PathTear(PathTear { hop, sender_template, sender_tspec, adspec, forward, .. }) => {
            write!(out, "{}", Hop(hop))?;
            write_sender(out, sender_template, sender_tspec.as_ref(), adspec.as_ref())?;
            write_others(out, &[], forward)
        }
        Message::PathErr(PathErr {
            error, policy, sender_template, sender_tspec, adspec, forward, ..
        }) => {
            write!(out, ": {error};")?;
            write_sender(out, sender_template, sender_tspec.as_ref(), adspec.as_ref())?;
            write_others(out, policy, forward)
        }
        Message::Resv(Resv { hop, refresh_ms, confirm, scope, policy, style, flows, forward, .. }) => {
            write!(out, "{} R {refresh_ms} ms", Hop(hop))?;
            write_confirm(out, confirm.as_ref())?;
            write_scope(out, scope.as_deref())?;
            write_flows(out, *style, flows)?;
            write_others(out, policy, forward)
        }
        Message::ResvTear(ResvTear { hop, scope, style, flows, forward, .. }) => {
            write!(out, "{}", Hop(hop))?;
            write_scope(out, scope.as_deref())?;
            write_flows(out, *style, flows)?;
            write_others(out, &[], forward)
        }
        Message::ResvErr(ResvErr { hop, error, scope, policy, style, flows, forward, .. }) => {
            let in_place = if error.flags & ErrorSpec::IN_PLACE != 0 { ", in place" } else { "" };
            write!(out, "{}: {error}{in_place};", Hop(hop))?;
            write_scope(out, scope.as_deref())?;
            write_flows(out, *style, flows)?;
            write_others(out, policy, forward)
        }
        Message::ResvConf(ResvConf { error, confirm, style, flows, forward, .. }) => {
            write!(out, ": {error};")?;
            write_confirm(out, Some(confirm))?;
            write_flows(out, *style, flows)?;
            write_others(out, &[], forward)
        }
        Message::Srefresh(srefresh) => srefresh.lists.iter().try_for_each(|list| write_list(out, list)),
        Message::Ack => Ok(()),
        other => write!(out, " {other:?}"),
    }
}

fn write_head(out: &mut String, head: &Head) -> fmt::Result {
    if let Some(flagged) = head.message_id {
        let wanted = if flagged.wants_ack() { " +ack" } else { "" };
        write!(out, " id {}{wanted}", flagged.id)?;
    }
    head.acknowledgements.iter().try_for_each(|acknowledgement| match acknowledgement {
        Acknowledgement::Ack(flagged) => write!(out, " ack {}", flagged.id),
        Acknowledgement::Nack(flagged) => write!(out, " nack {}", flagged.id),
    })
}

fn write_list(out: &mut String, list: &IdList) -> fmt::Result {
    write!(out, " of {:#08x}:", list.epoch)?;
    match &list.entries {
        IdEntries::Plain(ids) => ids.iter().try_for_each(|id| write!(out, " {id}")),
        IdEntries::Sources(entries) => {
            entries.iter().try_for_each(|(id, source)| write!(out, " {id} from {source}"))
        }
        IdEntries::Groups(entries) => {
            entries.iter().try_for_each(|(id, source, group)| write!(out, " {id} from {source} to {group}"))
        }
    }
}

fn write_sender(
    out: &mut String,
    template: &FilterSpec,
    tspec: Option<&SenderTspec>,
    adspec: Option<&Adspec>,
) -> fmt::Result {
    write!(out, " from {}", Filter(template))?;
    match tspec {
        Some(SenderTspec::TokenBucket(tspec)) => write!(out, " ({})", Bucket(tspec))?,
        Some(SenderTspec::Null { max_packet }) => write!(out, " null(M={max_packet})")?,
        Some(SenderTspec::Opaque(object)) => write!(out, " {}", Raw(object))?,
        Some(_) => out.push_str(" another TSpec"),
        None => {}
    }
    match adspec {
        Some(Adspec::IntServ(adspec)) => write_adspec(out, adspec),
        Some(Adspec::Opaque(object)) => write!(out, " adspec {}", Raw(object)),
        None => Ok(()),
    }
}

fn write_adspec(out: &mut String, adspec: &IntServAdspec) -> fmt::Result {
    let IntServAdspec { general, guaranteed, controlled_load, other } = adspec;
    let broken = |broken: bool| if broken { " broken" } else { "" };
    let latency = match general.latency {
        INDETERMINATE_LATENCY => "?".to_owned(),
        latency => format!("{latency} us"),
    };
    write!(out, " adspec[hops {} bandwidth {}", general.is_hops, general.bandwidth)?;
    write!(out, " latency {latency} mtu {}{}", general.path_mtu, broken(general.broken))?;
    if let Some(fragment) = guaranteed {
        let GuaranteedFragment { c_total, d_total, c_sum, d_sum, .. } = fragment;
        write!(out, "; GS C {c_total} D {d_total} Csum {c_sum} Dsum {d_sum}{}", broken(fragment.broken))?;
    }
    if let Some(fragment) = controlled_load {
        write!(out, "; CL{}", broken(fragment.broken))?;
    }
    for fragment in other {
        write!(out, "; service {}{}", fragment.service, broken(fragment.broken))?;
    }
    out.push(']');
    Ok(())
}

fn write_flows(out: &mut String, style: Style, flows: &[FlowDescriptor]) -> fmt::Result {
    write!(out, " {style}")?;
    for FlowDescriptor { flowspec, filters } in flows {
        match flowspec {
            Some(Flowspec::ControlledLoad(tspec)) => write!(out, " CL({})", Bucket(tspec))?,
            Some(Flowspec::Guaranteed(tspec, rspec)) => {
                write!(out, " GS({} R={} S={})", Bucket(tspec), rspec.rate, rspec.slack)?;
            }
            Some(Flowspec::Null { max_packet }) => write!(out, " null(M={max_packet})")?,
            Some(Flowspec::Opaque(object)) => write!(out, " {}", Raw(object))?,
            Some(_) => out.push_str(" another flowspec"),
            None => {}
        }
        for (position, filter) in filters.iter().enumerate() {
            write!(out, "{}{}", if position == 0 { " for " } else { ", " }, Filter(filter))?;
        }
    }
    Ok(())
}

fn write_confirm(out: &mut String, confirm: Option<&IpAddr>) -> fmt::Result {
    confirm.map_or(Ok(()), |receiver| write!(out, " confirm {receiver}"))
}

fn write_scope(out: &mut String, scope: Option<&[IpAddr]>) -> fmt::Result {
    scope.map_or(Ok(()), |scope| write!(out, " scope {scope:?}"))
}

fn write_others(out: &mut String, policy: &[RawObject], forward: &[RawObject]) -> fmt::Result {
    policy.iter().chain(forward).try_for_each(|object| write!(out, " {}", Raw(object)))
}

struct Session<'a>(&'a SessionKey);

impl fmt::Display for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FlowKey { destination, protocol, port } = *self.0.flow();
        match protocol {
            6 => f.write_str("tcp")?,
            17 => f.write_str("udp")?,
            other => write!(f, "{other}")?,
        }
        let gpi = if matches!(self.0, SessionKey::Gpi(_)) { " GPI" } else { "" };
        write!(f, "/{}{gpi}", SocketAddr::new(destination, port))
    }
}

struct Hop<'a>(&'a RsvpHop);

impl fmt::Display for Hop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " hop {} lih {}", self.0.address, self.0.lih)
    }
}

struct Filter<'a>(&'a FilterSpec);

impl fmt::Display for Filter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            FilterSpec::Ip { source, port } => write!(f, "{}", SocketAddr::new(*source, *port)),
            other => other.fmt(f),
        }
    }
}

struct Bucket<'a>(&'a Tspec);

impl fmt::Display for Bucket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tspec { rate, bucket, peak, min_unit, max_packet } = self.0;
        write!(f, "r={rate} b={bucket} p={peak} m={min_unit} M={max_packet}")
    }
}

struct Raw<'a>(&'a RawObject);

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RawObject { class, ctype, contents } = self.0;
        write!(f, "object {class}/{ctype} {} octets", contents.len())
    }
}

#[cfg(test)]
mod tests {
    use rsvp_core::wire::{FlaggedId, Header, MessageId, Srefresh};

    use super::*;

    /// Bytes from hexadecimal digits.
    fn hex(text: &str) -> Vec<u8> {
        let digits: String = text.split_whitespace().collect();
        (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex"))
            .collect()
    }

    #[test]
    fn a_path_in_one_line() {
        let path =
            hex("10011dde 40000058 000c0101 e0010203 11001388 000c0301 0a000101 0000004d 00080501 00007530
            000c0b01 0a000001 00000fa0 00240c02 00000007 01000006 7f000005 461c4000 44fa0000 7f800000 00000040
            000005dc");
        let text = "Path udp/224.1.2.3:5000 hop 10.0.1.1 lih 77 R 30000 ms from 10.0.0.1:4000 \
            (r=10000 b=2000 p=inf m=64 M=1500)";
        assert_eq!(describe(&path), text);
    }

    #[test]
    fn a_resv_in_one_line() {
        let resv =
            hex("10020ea6 40000060 000c0101 e0010203 11001388 000c0301 0a000101 0000004d 00080501 00007530
            00080801 0000000a 00240902 00000007 05000006 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc
            000c0a01 0a000001 00000fa0");
        let text = "Resv udp/224.1.2.3:5000 hop 10.0.1.1 lih 77 R 30000 ms FF CL(r=10000 b=2000 p=20000 m=64 \
            M=1500) for 10.0.0.1:4000";
        assert_eq!(describe(&resv), text);
    }

    #[test]
    fn a_bundle_in_one_line() {
        let acknowledged = Head {
            acknowledgements: vec![Acknowledgement::Ack(FlaggedId::plain(MessageId { epoch: 10, id: 7 }))],
            message_id: None,
        };
        let refresh = Head {
            message_id: Some(FlaggedId::wanting_ack(MessageId { epoch: 0xab_cdef, id: 9 })),
            ..Head::default()
        };
        let list = IdList::new(0xab_cdef, IdEntries::Plain(vec![1, 2]));
        let header = Header { flags: Header::REFRESH_REDUCTION, send_ttl: 1 };
        let (mut ack, mut srefresh, mut bundle) = (Vec::new(), Vec::new(), Vec::new());
        Message::Ack.encode_with(header, &acknowledged, &mut ack).expect("it is small");
        Message::Srefresh(Srefresh { lists: vec![list] })
            .encode_with(header, &refresh, &mut srefresh)
            .expect("it is small");
        Bundle::encode(header, &[&ack, &srefresh], &mut bundle).expect("it is small");
        let text = "Bundle [Ack ack 0x00000a/7 | Srefresh id 0xabcdef/9 +ack of 0xabcdef: 1 2]";
        assert_eq!(describe(&bundle), text);
    }

    #[test]
    fn lists_in_one_line() {
        let table = [
            (
                "100ff171 40000044 000c1801 00abcdef 01020304 000c1701 01123456 00000009
                00101901 00123456 00000007 ffffffff 00141904 00123456 00000008 0a000001 e0010203",
                "Srefresh id 0x123456/9 +ack ack 0xabcdef/16909060 of 0x123456: 7 4294967295 \
                of 0x123456: 8 from 10.0.0.1 to 224.1.2.3",
            ),
            (
                "100f3484 40000024 001c1903 00123456 00000007 20010db8 00000000 00000000 00000001",
                "Srefresh of 0x123456: 7 from 2001:db8::1",
            ),
        ];
        for (bytes, text) in table {
            assert_eq!(describe(&hex(bytes)), text);
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let text = describe(&hex(
            "10030000 40000024 00100107 0a000707 00000001 0a000001 000c0601 0a0003fe 00180002",
        ));
        let expected = "PathErr: 24, value 2 (at 10.0.3.254); SESSION ERROR_SPEC (unknown C-Type 7 of SESSION (at octet 8))";
        assert_eq!(text, expected);
    }

    #[test]
    fn damage_is_said() {
        let text = describe(&hex("10011dde 40000008"));
        assert!(text.starts_with("8 octets: "), "{text}");
    }
}
