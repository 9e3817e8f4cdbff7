//! Recording packets.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use nix::sys::socket::{getsockopt, setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::{getsockopt_impl, sockopt_impl};

use crate::packet::{HeardFrame, PacketSocket};

/// What is kept of a packet that is no RSVP message: Ethernet, IPv6, UDP, and the beginning of the payload.
const HEADERS: usize = 96;
/// The largest packet that is kept whole.
const SNAPLEN: usize = 65_535;
/// How long the recorder sleeps at most before it looks whether to stop.
const PATIENCE: Duration = Duration::from_millis(50);

/// RSVP's IP protocol number.
const PROTOCOL_RSVP: u8 = 46;
/// Ports of RSVP in UDP (RFC 2205 Appendix C).
const UDP_PORTS: [u16; 2] = [1698, 1699];

/// A running recording; ends when stopped or dropped.
#[derive(Debug)]
pub struct Capture {
    /// The time of day at which recording ends, once it is asked to.
    stop: Arc<OnceLock<Duration>>,
    thread: Option<JoinHandle<io::Result<CaptureStatistics>>>,
}

/// What a recording saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptureStatistics {
    /// Packets in the file.
    pub recorded: u64,
    /// Packets that the kernel dropped because the recorder was too slow.
    pub dropped: u64,
}

impl Capture {
    /// Starts recording an interface of the calling thread's namespace.
    pub(crate) fn start(interface: &str, path: &Path) -> io::Result<Self> {
        let socket = PacketSocket::open(interface)?;
        let patience = TimeVal::milliseconds(i64::try_from(PATIENCE.as_millis()).unwrap_or(i64::MAX));
        setsockopt(&socket, sockopt::ReceiveTimeout, &patience)?;
        let file = PcapFile::create(path)?;
        let stop = Arc::new(OnceLock::new());
        let recorder = Recorder { socket, file, stop: Arc::clone(&stop) };
        let thread = thread::Builder::new().name("capture".to_owned()).spawn(move || recorder.record())?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Records what has arrived so far, ends, and closes the file.
    ///
    /// # Errors
    ///
    /// The file could not be written.
    pub fn stop(mut self) -> io::Result<CaptureStatistics> {
        self.finish().unwrap_or_else(|| Ok(CaptureStatistics::default()))
    }

    fn finish(&mut self) -> Option<io::Result<CaptureStatistics>> {
        self.stop.get_or_init(now);
        let thread = self.thread.take()?;
        Some(thread.join().unwrap_or_else(|_| Err(io::Error::other("the recorder panicked"))))
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // Whoever wants to know calls stop.
        let _ = self.finish();
    }
}

struct Recorder {
    socket: PacketSocket,
    file: PcapFile,
    /// The time of day at which recording ends, once it is asked to.
    stop: Arc<OnceLock<Duration>>,
}

impl Recorder {
    fn record(mut self) -> io::Result<CaptureStatistics> {
        let mut buffer = vec![0_u8; SNAPLEN];
        let mut statistics = CaptureStatistics::default();
        loop {
            let Some(HeardFrame { length, time, .. }) = self.socket.receive(&mut buffer, true)? else {
                if self.stop.get().is_some() {
                    break;
                }
                continue;
            };
            // A link under flood never falls silent: what came after the request to stop ends it as well.
            if self.stop.get().is_some_and(|end| time > *end) {
                break;
            }
            let frame = &buffer[..length.min(SNAPLEN)];
            self.file.write(time, kept(frame), length)?;
            statistics.recorded += 1;
        }
        self.file.flush()?;
        statistics.dropped = u64::from(getsockopt(&self.socket, PacketStatistics)?.tp_drops);
        Ok(statistics)
    }
}

sockopt_impl!(
    /// What a packet socket received and dropped since it was last asked.
    PacketStatistics,
    GetOnly,
    libc::SOL_PACKET,
    libc::PACKET_STATISTICS,
    libc::tpacket_stats
);

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The part of a frame that is worth its room on the disk.
fn kept(frame: &[u8]) -> &[u8] {
    if is_rsvp(frame).unwrap_or(false) { frame } else { &frame[..frame.len().min(HEADERS)] }
}

/// Whether an Ethernet frame carries RSVP; `None` if it is too short to tell.
fn is_rsvp(frame: &[u8]) -> Option<bool> {
    const ETHERNET: usize = 14;
    let packet = frame.get(ETHERNET..)?;
    let (protocol, payload) = match frame.get(12..ETHERNET)? {
        [0x08, 0x00] => {
            let header = usize::from(packet.first()? & 0x0f) * 4;
            (*packet.get(9)?, packet.get(header..)?)
        }
        [0x86, 0xdd] => upper_layer(packet)?,
        _ => return Some(false),
    };
    if protocol == PROTOCOL_RSVP {
        return Some(true);
    }
    if i32::from(protocol) != libc::IPPROTO_UDP {
        return Some(false);
    }
    let port = u16::from_be_bytes([*payload.get(2)?, *payload.get(3)?]);
    Some(UDP_PORTS.contains(&port))
}

/// The upper-layer protocol of an IPv6 packet and its payload, behind the extension headers.
fn upper_layer(packet: &[u8]) -> Option<(u8, &[u8])> {
    const HEADER: usize = 40;
    let (mut next, mut offset) = (*packet.get(6)?, HEADER);
    loop {
        let length = match i32::from(next) {
            libc::IPPROTO_HOPOPTS | libc::IPPROTO_ROUTING | libc::IPPROTO_DSTOPTS => {
                (usize::from(*packet.get(offset + 1)?) + 1) * 8
            }
            libc::IPPROTO_FRAGMENT => 8,
            _ => return Some((next, packet.get(offset..)?)),
        };
        next = *packet.get(offset)?;
        offset += length;
    }
}

/// A pcap file of Ethernet frames, with nanoseconds.
struct PcapFile(BufWriter<File>);

impl PcapFile {
    fn create(path: &Path) -> io::Result<Self> {
        const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
        const VERSION: [u16; 2] = [2, 4];
        const LINKTYPE_ETHERNET: u32 = 1;
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&MAGIC_NANOSECONDS.to_ne_bytes())?;
        for number in VERSION {
            file.write_all(&number.to_ne_bytes())?;
        }
        for number in [0, 0, 65_535, LINKTYPE_ETHERNET] {
            file.write_all(&u32::to_ne_bytes(number))?;
        }
        // Whoever looks at the file while it grows finds a valid one.
        file.flush()?;
        Ok(Self(file))
    }

    fn write(&mut self, time: Duration, frame: &[u8], length: usize) -> io::Result<()> {
        let seconds = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        let kept = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        for number in [seconds, time.subsec_nanos(), kept, length] {
            self.0.write_all(&number.to_ne_bytes())?;
        }
        self.0.write_all(frame)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
