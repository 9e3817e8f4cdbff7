//! Time, and refresh reduction (RFC 2961).

use rsvp_core::wire::{Acknowledgement, ClassNum, FlaggedId, Header, MessageType, Object, ctype};

use crate::alter::Alteration;
use crate::alter::fault::{
    Deaf, Fault, Hears, Loses, Rewrites, Sends, change_bytes, change_each, change_objects, message_type,
};
use crate::alter::kinds::kind;
use crate::alter::memory::{Ids, Immortal, Numbers, SendsOnce, Sluggish};
use crate::bench::{Packet, Sent};

pub(super) const KINDS: &[Alteration] = &[
    kind("refreshes-lost", "rfc2205-2.3-02", "nothing is refreshed", || Box::new(Sluggish::new(None))),
    kind("refreshes-slow", "rfc2205-3.7-01", "refreshes come at a third of the rate", || {
        Box::new(Sluggish::new(Some(3)))
    }),
    kind("immortal", "rfc2205-2.3-01", "state that nobody refreshes does not time out", || {
        Box::new(Immortal::default())
    }),
    kind("id-stale", "rfc2961-4.5-06", "every message has the first id of all", || {
        Box::new(Numbers::new(Ids::Stale))
    }),
    kind("epoch-changes", "rfc2961-4.2-05", "every message has an Epoch of its own", || {
        Box::new(Numbers::new(Ids::Epochs))
    }),
    kind("id-missing", "rfc2961-5-02", "messages have no MESSAGE_ID", || {
        Box::new(Rewrites(|_, objects| objects.retain(|object| object.class != ClassNum::MESSAGE_ID.0)))
    }),
    kind("ack-desired-missing", "rfc2961-4.5-09", "no acknowledgement is asked for", || {
        Box::new(Rewrites(|_, objects| {
            change_each(objects, ClassNum::MESSAGE_ID, |object| {
                if let Object::MessageId(id) = object {
                    id.flags &= !FlaggedId::ACK_DESIRED;
                }
            });
        }))
    }),
    kind("sends-once", "rfc2961-4.5-11", "what nobody acknowledges is not sent again", || {
        Box::new(SendsOnce::default())
    }),
    kind("acks-missing", "rfc2961-4.5-30", "nothing is acknowledged", || {
        Box::new(AckLess(ctype::MESSAGE_ID_ACK))
    }),
    kind("nacks-missing", "rfc2961-5.3-21", "what is listed and not known is not answered", || {
        Box::new(AckLess(ctype::MESSAGE_ID_NACK))
    }),
    kind("ack-id", "rfc2961-4.3-04", "acknowledgements name another message", || {
        Box::new(Rewrites(|_, objects| {
            change_each(objects, ClassNum::MESSAGE_ID_ACK, |object| {
                if let Object::MessageIdAck(Acknowledgement::Ack(id) | Acknowledgement::Nack(id)) = object {
                    id.id.id = id.id.id.wrapping_add(1);
                }
            });
        }))
    }),
    kind("ack-unheeded", "rfc2961-6.1-02", "acknowledgements do not end retransmission", || {
        Box::new(Hears(|packet| without_acks(packet, ctype::MESSAGE_ID_ACK)))
    }),
    kind("nack-unheeded", "rfc2961-5.4-04", "a MESSAGE_ID_NACK does not bring the whole message", || {
        Box::new(Hears(|packet| without_acks(packet, ctype::MESSAGE_ID_NACK)))
    }),
    kind("srefresh-lost", "rfc2961-5.2-02", "no Srefresh is sent", || {
        Box::new(Loses(|raw| raw.header.message_type == MessageType::SREFRESH))
    }),
    kind("srefresh-unheeded", "rfc2961-5.3-20", "a received Srefresh refreshes nothing", || {
        Box::new(Deaf(|raw| raw.header.message_type == MessageType::SREFRESH))
    }),
    kind(
        "capability-hidden",
        "rfc2961-2-01",
        "the device does not say that it is capable of refresh reduction",
        || {
            Box::new(Sends(|_, sent| {
                change_bytes(&mut sent.packet, |bytes| bytes[0] &= !Header::REFRESH_REDUCTION);
            }))
        },
    ),
];

/// It leaves out acknowledgements of a C-Type, and Ack messages that say nothing else.
struct AckLess(u8);

impl Fault for AckLess {
    fn sends(&mut self, mut message: Sent) -> Vec<Sent> {
        without_acks(&mut message.packet, self.0);
        let is_empty = message_type(&message.packet) == MessageType::ACK && message.packet.message.len() == 8;
        if is_empty { Vec::new() } else { vec![message] }
    }
}

fn without_acks(packet: &mut Packet, ctype: u8) {
    change_objects(packet, |_, objects| {
        objects.retain(|object| (object.class, object.ctype) != (ClassNum::MESSAGE_ID_ACK.0, ctype));
    });
}
