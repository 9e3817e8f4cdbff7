//! Octets of messages that no encoder would make.

/// Writes the checksum of a message, whatever else is in it, over its checksum field (RFC 2205 section 3.1.1).
///
/// # Panics
///
/// When there is no such field: the message has less than four octets.
pub fn seal(message: &mut [u8]) {
    message[2..4].fill(0);
    let checksum = match !internet_sum(message) {
        0 => 0xffff,
        checksum => checksum,
    };
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
}

/// The one's complement sum of the whole message, its checksum included.
pub(crate) fn internet_sum(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u32::from);
    let mut sum: u32 = bytes.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
