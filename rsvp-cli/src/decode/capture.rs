//! Capture files: pcap and pcapng to frames.
//!
//! Memory is bounded: one packet is held at a time, and one small record per pcapng interface.

use std::io::{self, Read};
use std::time::{Duration, SystemTime};

use pcap_parser::pcapng::{Block, OptionCode, parse_block_be, parse_block_le};
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{EnhancedPacketBlock, InterfaceDescriptionBlock, SimplePacketBlock, parse_pcap_header};
use rsvp_decode::{Frame, LinkType};
use thiserror::Error;

/// The largest packet that capture tools write.
const MAX_PACKET: usize = 262_144;
/// The largest pcapng block that is read: a packet with its comments.
const MAX_BLOCK: usize = 2 * MAX_PACKET;
/// The most interfaces of one pcapng section.
const MAX_INTERFACES: usize = 65_536;

/// The start of the year 10000, in seconds.
const YEAR_10000: u64 = 253_402_300_800;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// Where the packet starts in an enhanced packet block.
const ENHANCED_PACKET_DATA: usize = 28;

/// Why a capture cannot be read (on).
#[derive(Debug, Error)]
pub(crate) enum CaptureError {
    #[error("cannot be read: {}", crate::words(.0))]
    Io(#[from] io::Error),
    #[error("is neither a pcap nor a pcapng file")]
    NotACapture,
    #[error("damaged after packet {after}: {what}; the rest cannot be read")]
    Damaged { after: u64, what: String },
}

/// A capture that is being read.
pub(crate) struct Capture<R> {
    input: R,
    buffer: Vec<u8>,
    frames: u64,
    format: Format,
}

enum Format {
    Pcap(Pcap),
    PcapNg(Section),
}

#[derive(Clone, Copy)]
struct Pcap {
    big_endian: bool,
    nanoseconds: bool,
    record_header: usize,
    link: LinkType,
}

#[derive(Default)]
struct Section {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

struct Interface {
    link: LinkType,
    snaplen: u32,
    /// Time units per second.
    resolution: u64,
    /// Seconds to add to every time.
    offset: i64,
}

fn u32_at(bytes: &[u8], at: usize, big_endian: bool) -> u32 {
    let bytes = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

/// `None` for a time that no clock shows: it would not print.
fn after_epoch(seconds: u64, nanoseconds: u64) -> Option<SystemTime> {
    if seconds >= YEAR_10000 {
        return None;
    }
    let since =
        Duration::from_secs(seconds).checked_add(Duration::from_nanos(nanoseconds.min(999_999_999)))?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}

impl<R: Read> Capture<R> {
    /// Recognises the format by the first bytes.
    pub(crate) fn open(input: R) -> Result<Self, CaptureError> {
        let format = Format::PcapNg(Section::default());
        let mut capture = Self { input, buffer: Vec::new(), frames: 0, format };
        capture.read(4)?;
        if capture.buffer == SECTION_HEADER.to_be_bytes() {
            // The section header is read with the other blocks.
            return Ok(capture);
        }
        capture.read(20)?;
        let Ok((_, header)) = parse_pcap_header(&capture.buffer) else {
            return Err(CaptureError::NotACapture);
        };
        capture.format = Format::Pcap(Pcap {
            big_endian: header.is_bigendian(),
            nanoseconds: header.is_nanosecond_precision(),
            record_header: if header.is_modified_format() { 24 } else { 16 },
            // The upper half of the field is about the frame check sequence.
            link: LinkType(header.network.0 as u16),
        });
        capture.buffer.clear();
        Ok(capture)
    }

    /// The next packet; `None` at the end of the file.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        match self.format {
            Format::Pcap(pcap) => self.next_record(pcap),
            Format::PcapNg(_) => self.next_packet_block(),
        }
    }

    /// Appends up to `count` bytes to the buffer; fewer at the end of the file.
    fn read(&mut self, count: usize) -> io::Result<usize> {
        self.input.by_ref().take(count as u64).read_to_end(&mut self.buffer)
    }

    fn damaged(&self, what: impl Into<String>) -> CaptureError {
        CaptureError::Damaged { after: self.frames, what: what.into() }
    }

    fn next_record(&mut self, pcap: Pcap) -> Result<Option<Frame<'_>>, CaptureError> {
        self.buffer.clear();
        match self.read(pcap.record_header)? {
            0 => return Ok(None),
            read if read < pcap.record_header => return Err(self.damaged("it ends inside a packet header")),
            _ => {}
        }
        let field = |n: usize| u32_at(&self.buffer, 4 * n, pcap.big_endian);
        let (seconds, fraction, length) = (field(0), u64::from(field(1)), field(2) as usize);
        if length > MAX_PACKET {
            return Err(self.damaged(format!("the next one claims to have {length} bytes")));
        }
        self.buffer.clear();
        let read = self.read(length)?;
        self.frames += 1;
        let nanoseconds = if pcap.nanoseconds { fraction } else { fraction * 1000 };
        Ok(Some(Frame {
            number: self.frames,
            time: after_epoch(seconds.into(), nanoseconds),
            link: pcap.link,
            data: &self.buffer,
            damage: (read < length).then(ends_inside),
        }))
    }

    fn next_packet_block(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        loop {
            let Some((kind, length)) = self.next_block_header()? else { return Ok(None) };
            let is_packet = matches!(kind, SIMPLE_PACKET | ENHANCED_PACKET);
            let is_wanted = is_packet || matches!(kind, SECTION_HEADER | INTERFACE_DESCRIPTION);
            let rest = length - self.buffer.len();
            if is_wanted && length <= MAX_BLOCK {
                let missing = rest - self.read(rest)?;
                if !is_packet {
                    self.on_description(missing)?;
                    continue;
                }
                self.frames += 1;
                return Ok(Some(self.packet(kind, missing)));
            }
            let skipped = io::copy(&mut self.input.by_ref().take(rest as u64), &mut io::sink())?;
            if skipped < rest as u64 {
                return Err(self.damaged("it ends inside a block"));
            }
            if is_packet {
                self.frames += 1;
                return Ok(Some(self.lost_packet(format!("a packet block of {length} bytes is too large"))));
            }
        }
    }

    /// Reads type and length of the next block, and of a section header the byte order.
    fn next_block_header(&mut self) -> Result<Option<(u32, usize)>, CaptureError> {
        // The first four bytes of the file are in the buffer already.
        let first = self.frames == 0 && self.buffer.len() == 4;
        if !first {
            self.buffer.clear();
        }
        self.read(if first { 4 } else { 8 })?;
        match self.buffer.len() {
            0 => return Ok(None),
            8 => {}
            _ => return Err(self.damaged("it ends inside a block header")),
        }
        if self.buffer[..4] == SECTION_HEADER.to_be_bytes() {
            self.read(4)?;
            let big_endian = match self.buffer.get(8..12) {
                Some([0x1a, 0x2b, 0x3c, 0x4d]) => true,
                Some([0x4d, 0x3c, 0x2b, 0x1a]) => false,
                _ => return Err(self.damaged("a section header without its byte order")),
            };
            self.format = Format::PcapNg(Section { big_endian, interfaces: Vec::new() });
        }
        let big_endian = self.section().big_endian;
        let (kind, length) = (u32_at(&self.buffer, 0, big_endian), u32_at(&self.buffer, 4, big_endian));
        if length % 4 != 0 || (length as usize) < self.buffer.len().max(12) {
            return Err(self.damaged(format!("a block claims to have {length} bytes")));
        }
        Ok(Some((kind, length as usize)))
    }

    fn section(&self) -> &Section {
        match &self.format {
            Format::PcapNg(section) => section,
            Format::Pcap(_) => unreachable!("blocks are read from pcapng only"),
        }
    }

    fn parse(&self) -> Option<Block<'_>> {
        let parse = if self.section().big_endian { parse_block_be } else { parse_block_le };
        parse(&self.buffer).ok().map(|(_, block)| block)
    }

    /// Takes in the section header or interface description in the buffer.
    fn on_description(&mut self, missing: usize) -> Result<(), CaptureError> {
        if missing > 0 {
            return Err(self.damaged("it ends inside a block"));
        }
        let interface = match self.parse() {
            Some(Block::InterfaceDescription(block)) => Interface::new(&block, self.section().big_endian),
            Some(_) => return Ok(()),
            None => return Err(self.damaged("a malformed section header or interface description")),
        };
        if self.section().interfaces.len() >= MAX_INTERFACES {
            return Err(self.damaged(format!("more than {MAX_INTERFACES} interfaces")));
        }
        if let Format::PcapNg(section) = &mut self.format {
            section.interfaces.push(interface);
        }
        Ok(())
    }

    /// The frame of the packet block in the buffer, of which the last `missing` bytes are not there.
    fn packet(&mut self, kind: u32, missing: usize) -> Frame<'_> {
        let there = self.buffer.len();
        if missing > 0 {
            // Complete the block, so that it can be read like any other.
            let length = [self.buffer[4], self.buffer[5], self.buffer[6], self.buffer[7]];
            self.buffer.resize(there + missing - 4, 0);
            self.buffer.extend(length);
        }
        let frame = match self.parse() {
            Some(Block::EnhancedPacket(block)) => self.enhanced_packet(&block),
            Some(Block::SimplePacket(block)) => self.simple_packet(&block),
            _ => Err("a malformed packet block".into()),
        };
        match frame {
            Ok((time, link, length)) => {
                let start = if kind == ENHANCED_PACKET { ENHANCED_PACKET_DATA } else { 12 };
                let end = (start + length).min(there.max(start));
                let damage = (end < start + length).then(ends_inside);
                Frame { number: self.frames, time, link, data: &self.buffer[start..end], damage }
            }
            Err(damage) => self.lost_packet(damage),
        }
    }

    fn lost_packet(&self, damage: String) -> Frame<'_> {
        Frame { number: self.frames, time: None, link: LinkType(0), data: &[], damage: Some(damage) }
    }

    fn enhanced_packet(&self, block: &EnhancedPacketBlock<'_>) -> PacketHead {
        let id = block.if_id;
        let interface = self.section().interfaces.get(id as usize);
        let interface =
            interface.ok_or_else(|| format!("a packet of interface {id}, which is not described"))?;
        let units = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
        Ok((interface.time(units), interface.link, block.packet_data().len()))
    }

    fn simple_packet(&self, block: &SimplePacketBlock<'_>) -> PacketHead {
        let interface = self.section().interfaces.first();
        let interface = interface.ok_or("a packet of interface 0, which is not described")?;
        let limit = if interface.snaplen == 0 { usize::MAX } else { interface.snaplen as usize };
        Ok((None, interface.link, block.packet_data().len().min(limit)))
    }
}

/// Time, link type and captured length of a packet, or what is wrong with it.
type PacketHead = Result<(Option<SystemTime>, LinkType, usize), String>;

fn ends_inside() -> String {
    "the file ends inside this packet".into()
}

impl Interface {
    fn new(block: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        let exponent = u32::from(block.if_tsresol & 0x7f);
        let base = if block.if_tsresol & 0x80 == 0 { 10_u64 } else { 2 };
        let offset = block.options.iter().find(|option| option.code == OptionCode::IfTsoffset);
        let offset = offset.and_then(|option| option.as_bytes().ok()).and_then(|value| value.try_into().ok());
        Self {
            link: LinkType(block.linktype.0 as u16),
            snaplen: block.snaplen,
            resolution: base.checked_pow(exponent).unwrap_or(u64::MAX),
            offset: offset.map_or(0, if big_endian { i64::from_be_bytes } else { i64::from_le_bytes }),
        }
    }

    fn time(&self, units: u64) -> Option<SystemTime> {
        let seconds = (units / self.resolution).checked_add_signed(self.offset)?;
        let fraction = u128::from(units % self.resolution) * 1_000_000_000 / u128::from(self.resolution);
        after_epoch(seconds, fraction as u64)
    }
}
