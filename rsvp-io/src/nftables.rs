//! The messages to nftables that are needed here: a transaction, and rules as lists of expressions.

use std::ffi::CStr;

use netlink_bindings::nftables::{Chained, Nfgenmsg, PushExprListAttrs, Request};
use netlink_bindings::traits::Pusher;
use netlink_bindings::utils;

use crate::netlink::{Netlink, NetlinkError};

// From linux/netfilter/nf_tables.h and linux/netfilter.h.
const NFPROTO_INET: u8 = 1;
const NFNL_SUBSYS_NFTABLES: u16 = 10;
const NF_DROP: u32 = 0;
const NF_ACCEPT: u32 = 1;
const NFT_JUMP: u32 = (-3_i32).cast_unsigned();
const NFT_GOTO: u32 = (-4_i32).cast_unsigned();
const NFT_REG_VERDICT: u32 = 0;
const NFT_REG32_00: u32 = 8;
const NFT_CMP_EQ: u32 = 0;
const NFT_CMP_GT: u32 = 4;
const NFT_OBJECT_LIMIT: u32 = 4;
const NFT_SET_MAP: u32 = 8;
const NFT_SET_OBJECT: u32 = 64;
const NFT_TABLE_F_OWNER: u32 = 2;
const NFTA_OBJ_DATA: u16 = 4;
const NFTA_LOOKUP_SREG: u16 = 2;
const NFTA_LOOKUP_DREG: u16 = 3;
const NFTA_SET_ELEM_OBJREF: u16 = 9;
const NFTA_EXPR_DATA: u16 = 2;
const NFT_LIMIT_F_INV: u32 = 1;
/// `NFT_LIMIT_PKTS` and `NFT_LIMIT_PKT_BYTES`.
const LIMIT_PACKETS: u32 = 0;
const LIMIT_BYTES: u32 = 1;

/// What a packet has to tell of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meta {
    Priority = 2,
    /// 0: the packet is of this host.
    IncomingDevice = 4,
    OutgoingDevice = 5,
    NetworkProtocol = 15,
    TransportProtocol = 16,
}

/// Where a header starts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Header {
    Network = 1,
    Transport = 2,
}

/// One step of a rule. Registers are words of four octets; a step that finds nothing ends the rule.
#[derive(Clone, Debug)]
pub(crate) enum Expression<'a> {
    /// Loads something that is not in the packet.
    Meta { what: Meta, into: u32 },
    /// Loads octets of the packet.
    Payload { header: Header, offset: u32, length: u32, into: u32 },
    /// Loads octets of an IPv6 extension header, if the packet has it.
    Extension { header: u8, offset: u32, length: u32, into: u32 },
    /// Loads a constant.
    Constant { value: &'a [u8], into: u32 },
    /// Keeps only these bits of a register.
    Mask { register: u32, mask: &'a [u8] },
    /// Goes on if a register has this value.
    Equals { register: u32, value: &'a [u8] },
    /// Goes on if a register, as a number in network byte order, is more than this.
    Greater { register: u32, value: &'a [u8] },
    /// Looks a key up and loads what the map has for it.
    Lookup { map: &'a CStr, key: u32, into: u32 },
    /// Looks a key up and goes on if the limit that the map names for it is exceeded.
    Exceeds { map: &'a CStr, key: u32 },
    /// Sets the packet's class.
    SetPriority { from: u32 },
    /// Goes to another chain for good.
    Goto(&'a CStr),
    /// Goes to another chain, and on here behind it.
    Jump(&'a CStr),
    /// Ends.
    Accept,
    /// Ends the packet, too.
    Drop,
}

/// A limit that is exceeded by more than so many octets in a second or packets in a minute.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    Bytes { rate: u64, burst: u32 },
    PacketsPerMinute { rate: u64, burst: u32 },
}

/// What a map holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MapOf {
    /// Values of four octets, of this type of the `nft` program.
    Words(u32),
    /// Names of limits.
    Limits,
}

/// What a map has for a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Word(u32),
    Limit(&'a CStr),
}

/// Changes of a table that the kernel makes all together or not at all.
pub(crate) struct Transaction {
    /// The name by which the table is known, and leftovers of a crashed daemon too.
    table: &'static CStr,
    messages: Chained<'static>,
}

impl Transaction {
    pub(crate) fn new(table: &'static CStr) -> Self {
        let mut messages = Chained::new(1);
        messages.request().op_batch_begin_do(&batch_header());
        Self { table, messages }
    }

    /// Removes the table, whether it is there or not, and makes it anew. It vanishes with the socket.
    pub(crate) fn make_table(&mut self) {
        let table = self.table;
        self.create().op_newtable_do(&header()).encode().push_name(table);
        self.remove_table();
        let mut request = self.create().op_newtable_do(&header());
        request.encode().push_name(table).push_flags(NFT_TABLE_F_OWNER);
    }

    /// Removes the table with all that is in it.
    pub(crate) fn remove_table(&mut self) {
        let table = self.table;
        self.messages.request().op_deltable_do(&header()).encode().push_name(table);
    }

    /// Makes a chain; a base chain if it says where to hook in and at which priority.
    pub(crate) fn make_chain(&mut self, name: &CStr, hook: Option<(u32, i32)>) {
        let table = self.table;
        let mut request = self.create().op_newchain_do(&header());
        let chain = request.encode().push_table(table).push_name(name);
        if let Some((number, priority)) = hook {
            let chain = chain.nested_hook().push_num(number).push_priority(priority).end_nested();
            chain.push_type(c"filter").push_policy(NF_ACCEPT);
        }
    }

    pub(crate) fn make_map(&mut self, name: &CStr, id: u32, key: (u32, u32), of: MapOf) {
        let table = self.table;
        let mut request = self.create().op_newset_do(&header());
        let map = request.encode().push_table(table).push_name(name).push_id(id);
        let map = map.push_key_type(key.0).push_key_len(key.1);
        match of {
            MapOf::Words(kind) => map.push_flags(NFT_SET_MAP).push_data_type(kind).push_data_len(4),
            MapOf::Limits => map.push_flags(NFT_SET_OBJECT).push_obj_type(NFT_OBJECT_LIMIT),
        };
    }

    pub(crate) fn append_rule(&mut self, chain: &CStr, expressions: &[Expression<'_>]) {
        let table = self.table;
        let request = self.messages.request().set_create().set_append();
        let mut request = request.op_newrule_do(&header());
        let rule = request.encode().push_table(table).push_chain(chain);
        let mut list = rule.nested_expressions();
        for expression in expressions {
            list = expression.encode(list);
        }
    }

    pub(crate) fn add_limit(&mut self, name: &CStr, limit: Limit) {
        let table = self.table;
        let mut request = self.create().op_newobj_do(&header());
        let object = request.encode().push_table(table).push_name(name);
        let mut object = object.push_type(NFT_OBJECT_LIMIT);
        let (kind, rate, seconds, burst) = match limit {
            Limit::Bytes { rate, burst } => (LIMIT_BYTES, rate, 1, burst),
            Limit::PacketsPerMinute { rate, burst } => (LIMIT_PACKETS, rate, 60, burst),
        };
        // The bindings have no limit objects yet; NFTA_LIMIT_RATE to NFTA_LIMIT_FLAGS.
        let buffer = object.as_vec_mut();
        let nested = utils::push_nested_header(buffer, NFTA_OBJ_DATA);
        for (attribute, value) in [(1, rate), (2, seconds)] {
            utils::push_header(buffer, attribute, 8);
            buffer.extend(value.to_be_bytes());
        }
        for (attribute, value) in [(3, burst), (4, kind), (5, NFT_LIMIT_F_INV)] {
            push_word(buffer, attribute, value);
        }
        utils::finalize_nested_header(buffer, nested);
    }

    pub(crate) fn remove_limit(&mut self, name: &CStr) {
        let table = self.table;
        let mut request = self.messages.request().op_delobj_do(&header());
        request.encode().push_table(table).push_name(name).push_type(NFT_OBJECT_LIMIT);
    }

    pub(crate) fn add_elements(&mut self, map: &CStr, keys: &[Vec<u8>], value: Value<'_>) {
        let table = self.table;
        let mut request = self.create().op_newsetelem_do(&header());
        let mut list = request.encode().push_table(table).push_set(map).nested_elements();
        for key in keys {
            let mut encoded = list.nested_elem().nested_key().push_value(key).end_nested();
            match value {
                // The kernel takes the value as it is: in the order of this machine.
                Value::Word(word) => {
                    encoded = encoded.nested_data().push_value(&word.to_ne_bytes()).end_nested();
                }
                // The bindings number this one wrongly, too.
                Value::Limit(name) => push_string(encoded.as_vec_mut(), NFTA_SET_ELEM_OBJREF, name),
            }
            list = encoded.end_nested();
        }
    }

    pub(crate) fn remove_elements(&mut self, map: &CStr, keys: &[Vec<u8>]) {
        let table = self.table;
        let mut request = self.messages.request().op_delsetelem_do(&header());
        let mut list = request.encode().push_table(table).push_set(map).nested_elements();
        for key in keys {
            list = list.nested_elem().nested_key().push_value(key).end_nested().end_nested();
        }
    }

    /// Has the kernel do it.
    pub(crate) fn commit(mut self, netlink: &mut Netlink) -> Result<(), NetlinkError> {
        self.messages.request().op_batch_end_do(&batch_header());
        netlink.send(self.messages.finalize().buf())?;
        let mut result = Ok(());
        // There is an answer to each message, but if one is refused, none to the last: all that are there are read.
        while let Some(messages) = netlink.receive()? {
            for outcome in messages.filter_map(|message| message.outcome()) {
                if result.is_ok() {
                    result = outcome;
                }
            }
        }
        result
    }

    fn create(&mut self) -> Request<'_> {
        self.messages.request().set_create()
    }
}

impl Expression<'_> {
    /// Appends itself to the expressions of a rule.
    fn encode<P: Pusher>(&self, list: PushExprListAttrs<P>) -> PushExprListAttrs<P> {
        let expression = list.nested_elem();
        match *self {
            Self::Meta { what, into } => {
                let meta = expression.nested_data_meta().push_key(what as u32);
                meta.push_dreg(register(into)).end_nested()
            }
            Self::Payload { header, offset, length, into } => {
                let payload = expression.nested_data_payload().push_base(header as u32);
                payload.push_offset(offset).push_len(length).push_dreg(register(into)).end_nested()
            }
            Self::Extension { header, offset, length, into } => {
                let mut expression = expression.push_name(c"exthdr");
                // The bindings have no such expression yet; NFTA_EXTHDR_DREG to NFTA_EXTHDR_LEN.
                let buffer = expression.as_vec_mut();
                let nested = utils::push_nested_header(buffer, NFTA_EXPR_DATA);
                push_word(buffer, 1, register(into));
                utils::push_header(buffer, 2, 1);
                buffer.push(header);
                for (attribute, value) in [(3, offset), (4, length)] {
                    push_word(buffer, attribute, value);
                }
                utils::finalize_nested_header(buffer, nested);
                return expression.end_nested();
            }
            Self::Constant { value, into } => {
                let constant = expression.nested_data_immediate().push_dreg(register(into));
                constant.nested_data().push_value(value).end_nested().end_nested()
            }
            Self::Equals { register: from, value } | Self::Greater { register: from, value } => {
                let op = if matches!(self, Self::Equals { .. }) { NFT_CMP_EQ } else { NFT_CMP_GT };
                let compare = expression.nested_data_cmp().push_sreg(register(from)).push_op(op);
                compare.nested_data().push_value(value).end_nested().end_nested()
            }
            Self::Mask { register: word, mask } => {
                let bits =
                    expression.nested_data_bitwise().push_sreg(register(word)).push_dreg(register(word));
                let bits = bits.push_len(mask.len() as u32).nested_mask().push_value(mask).end_nested();
                bits.nested_xor().push_value(&[0; 4][..mask.len()]).end_nested().end_nested()
            }
            Self::Lookup { map, key, into } => {
                let mut lookup = expression.nested_data_lookup().push_set(map);
                // The bindings number these two wrongly (as of 0.3.5).
                for (attribute, value) in [(NFTA_LOOKUP_SREG, key), (NFTA_LOOKUP_DREG, into)] {
                    push_word(lookup.as_vec_mut(), attribute, register(value));
                }
                lookup.end_nested()
            }
            Self::Exceeds { map, key } => {
                let limit = expression.nested_data_objref().push_set_name(map);
                limit.push_set_sreg(register(key)).end_nested()
            }
            Self::SetPriority { from } => {
                let meta = expression.nested_data_meta().push_key(Meta::Priority as u32);
                meta.push_sreg(register(from)).end_nested()
            }
            Self::Goto(chain) | Self::Jump(chain) => {
                let code = if matches!(self, Self::Goto(_)) { NFT_GOTO } else { NFT_JUMP };
                let verdict = expression.nested_data_immediate().push_dreg(NFT_REG_VERDICT).nested_data();
                let verdict = verdict.nested_verdict().push_code(code).push_chain(chain);
                verdict.end_nested().end_nested().end_nested()
            }
            Self::Accept | Self::Drop => {
                let code = if matches!(self, Self::Drop) { NF_DROP } else { NF_ACCEPT };
                let verdict = expression.nested_data_immediate().push_dreg(NFT_REG_VERDICT).nested_data();
                verdict.nested_verdict().push_code(code).end_nested().end_nested().end_nested()
            }
        }
        .end_nested()
    }
}

fn push_word(buffer: &mut Vec<u8>, attribute: u16, value: u32) {
    utils::push_header(buffer, attribute, 4);
    buffer.extend(value.to_be_bytes());
}

fn push_string(buffer: &mut Vec<u8>, attribute: u16, value: &CStr) {
    let octets = value.to_bytes_with_nul();
    utils::push_header(buffer, attribute, octets.len() as u16);
    buffer.extend(octets);
}

/// The number of a register, counted in words.
fn register(word: u32) -> u32 {
    NFT_REG32_00 + word
}

fn header() -> Nfgenmsg {
    Nfgenmsg { nfgen_family: NFPROTO_INET, ..Nfgenmsg::new() }
}

fn batch_header() -> Nfgenmsg {
    let mut header = Nfgenmsg::new();
    header.set_res_id(NFNL_SUBSYS_NFTABLES);
    header
}
