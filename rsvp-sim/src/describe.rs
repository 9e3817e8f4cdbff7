//! One message in one line.

/// The message in one line.
#[must_use]
pub fn describe(message: &[u8]) -> String {
    let kind = match message.get(1) {
        Some(1) => "Path",
        Some(2) => "Resv",
        Some(3) => "PathErr",
        Some(4) => "ResvErr",
        Some(5) => "PathTear",
        Some(6) => "ResvTear",
        Some(7) => "ResvConf",
        _ => "unknown message",
    };
    format!("{kind}, {} bytes", message.len())
}
