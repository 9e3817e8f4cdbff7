//! What was said in a case, as a capture file that other tools can read.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::{DataLink, PcapError};

use crate::bench::{Happening, Port, Transcript, ip_packet};

/// Times are in nanoseconds.
const RESOLUTION: u8 = 9;
/// `epb_flags`: the packet came in to the device, or left it.
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

/// The name of a case's capture file.
#[must_use]
pub fn file_name(case: &str) -> String {
    format!("{}.pcapng", case.replace('/', "_"))
}

/// Writes the packets of a transcript as a pcapng file of IP packets; notes are comments on the packet that follows.
///
/// Each device has four interfaces, named as those of the bench. Its times begin at `began`. A packet that no IP packet can be
/// is left out, and the comment of the next one says so.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(out: impl Write, transcript: &Transcript, began: SystemTime) -> io::Result<()> {
    let began = began.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut writer = PcapNgWriter::new(out).map_err(error)?;
    for device in 1..=transcript.devices.max(1) {
        for port in Port::ALL {
            writer.write_pcapng_block(interface(device, transcript.devices, port)).map_err(error)?;
        }
    }
    let mut comments = Vec::new();
    for entry in &transcript.entries {
        let (port, flags, packet) = match &entry.happening {
            Happening::ToDevice(station, packet) => (station.port(), INBOUND, packet),
            Happening::FromDevice(port, packet) => (*port, OUTBOUND, packet),
            Happening::Note(text) => {
                comments.push(text.clone());
                continue;
            }
        };
        let Some(data) = ip_packet(packet, 0) else {
            comments.push(format!("a packet of {} octets is not shown", packet.message.len()));
            continue;
        };
        let comments = comments.drain(..).map(|text| EnhancedPacketOption::Comment(Cow::Owned(text)));
        let block = EnhancedPacketBlock {
            interface_id: number(entry.device, port),
            timestamp: began + Duration::from_micros(entry.at.as_micros()),
            original_len: u32::try_from(data.len()).expect("an IP packet"),
            data: Cow::Owned(data),
            options: [EnhancedPacketOption::Flags(flags)].into_iter().chain(comments).collect(),
        };
        writer.write_pcapng_block(block).map_err(error)?;
    }
    writer.into_inner().flush()
}

fn interface(device: usize, devices: usize, port: Port) -> InterfaceDescriptionBlock<'static> {
    let name = if devices > 1 { format!("{}{device}", port.name()) } else { port.name().to_owned() };
    let options = vec![
        InterfaceDescriptionOption::IfName(Cow::Owned(name)),
        InterfaceDescriptionOption::IfDescription(Cow::Owned(format!(
            "device {device}, interface {}",
            port.name()
        ))),
        InterfaceDescriptionOption::IfTsResol(RESOLUTION),
    ];
    InterfaceDescriptionBlock { linktype: DataLink::RAW, snaplen: 0, options }
}

/// The number of an interface in the file.
fn number(device: usize, port: Port) -> u32 {
    let place = Port::ALL.iter().position(|other| *other == port).expect("it is one of all");
    u32::try_from((device - 1) * Port::ALL.len() + place).expect("there are not so many devices")
}

fn error(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
