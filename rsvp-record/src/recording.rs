//! The reading side: a file becomes records.

use std::io::{self, BufRead, BufReader, Read};

use rsvp_core::{Command, CommandError, Event, Input, Instant, Reply, Request, Transmit};

use crate::format::{self, End, FORMAT, Header, Kind, MAGIC, MAX_FRAME, PLACES, Poll};

/// Why a recording cannot be read, or no further. What comes before is sound.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system says so.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It begins with other octets than a recording.
    #[error("this is no recording of a node")]
    NotARecording,
    /// Another version of the program wrote it, in another format.
    #[error(
        "the recording has format {0}, and this program reads format {FORMAT}: replay it with the version that made it"
    )]
    OtherFormat(u8),
    /// The octets before the first record do not say what they should.
    #[error("the beginning of the recording is damaged")]
    Header,
    /// The file ends in the middle of a record, as after a crash.
    #[error("the recording breaks off in the middle of step {0}")]
    Truncated(u64),
    /// A record is not what was written.
    #[error("step {0} of the recording is damaged")]
    Garbled(u64),
}

/// One call of the node, with what it took or gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// An input was handled.
    Handle(Input<'static>),
    /// A command was given.
    Command(Command),
    /// The command before returned this.
    Answer(Result<Reply, CommandError>),
    /// A message was polled, with its octets.
    Transmit(Transmit, Vec<u8>),
    /// An event was polled.
    Event(Event),
    /// A request was polled.
    Request(Request),
    /// These polls, in this order, found nothing.
    Nothing(Vec<Poll>),
    /// The recording ends here on purpose.
    End(End),
}

/// A record of the file.
pub(crate) struct Record {
    pub(crate) at: Instant,
    pub(crate) call: Call,
    /// As it was written.
    pub(crate) body: Vec<u8>,
}

/// A recording that is read from its beginning to its end.
pub(crate) struct Recording<R> {
    reader: BufReader<R>,
    header: Header,
    at: Instant,
    read: u64,
    contents: Vec<u8>,
    kept: Vec<Vec<u8>>,
    next: usize,
}

/// What reading a frame came to.
enum Frame {
    Whole,
    /// The file ends before it.
    None,
    Truncated,
    Garbled,
}

impl<R: Read> Recording<R> {
    pub(crate) fn open(reader: R) -> Result<Self, ReadError> {
        let mut reader = BufReader::new(reader);
        let mut magic = [0; MAGIC.len() + 1];
        reader.read_exact(&mut magic).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ReadError::NotARecording,
            _ => ReadError::Io(error),
        })?;
        let [magic @ .., version] = magic;
        if magic != *MAGIC {
            return Err(ReadError::NotARecording);
        }
        if version != FORMAT {
            return Err(ReadError::OtherFormat(version));
        }
        let mut contents = Vec::new();
        let Frame::Whole = frame(&mut reader, &mut contents)? else { return Err(ReadError::Header) };
        let header: Header = whole(&contents).ok_or(ReadError::Header)?;
        Ok(Self { reader, at: header.start, header, read: 0, contents, kept: Vec::new(), next: 0 })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// How many records were read.
    pub(crate) fn read(&self) -> u64 {
        self.read
    }

    /// The next record; `None` at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, ReadError> {
        let number = self.read + 1;
        match frame(&mut self.reader, &mut self.contents)? {
            Frame::Whole => {}
            Frame::None => return Ok(None),
            Frame::Truncated => return Err(ReadError::Truncated(number)),
            Frame::Garbled => return Err(ReadError::Garbled(number)),
        }
        let record = self.record().ok_or(ReadError::Garbled(number))?;
        self.read = number;
        Ok(Some(record))
    }

    fn record(&mut self) -> Option<Record> {
        let ((delta, place), rest) = postcard::take_from_bytes::<(i64, u32)>(&self.contents).ok()?;
        let body = match usize::try_from(place).ok()?.checked_sub(1) {
            Some(index) if rest.is_empty() => self.kept.get(index)?.clone(),
            Some(_) => return None,
            None => rest.to_vec(),
        };
        if place == 0 && format::is_kept(&body) {
            self.keep(&body);
        }
        let at = self.at.as_micros().wrapping_add(delta.cast_unsigned());
        self.at = Instant::from_micros(at);
        Some(Record { at: self.at, call: call(&body)?, body })
    }

    fn keep(&mut self, body: &[u8]) {
        match self.kept.get_mut(self.next) {
            Some(place) => body.clone_into(place),
            None => self.kept.push(body.to_owned()),
        }
        self.next = (self.next + 1) % PLACES;
    }
}

/// Reads the contents of a frame. What is allocated is bounded by what is there.
fn frame(reader: &mut impl BufRead, contents: &mut Vec<u8>) -> io::Result<Frame> {
    let mut length = 0;
    let mut octets = 0;
    loop {
        let Some(octet) = reader.by_ref().bytes().next().transpose()? else {
            return Ok(if octets == 0 { Frame::None } else { Frame::Truncated });
        };
        length |= usize::from(octet & 0x7f) << (7 * octets);
        octets += 1;
        if octet & 0x80 == 0 {
            break;
        }
        if octets == 4 {
            return Ok(Frame::Garbled);
        }
    }
    if length > MAX_FRAME {
        return Ok(Frame::Garbled);
    }
    let mut check = Vec::new();
    reader.take(format::CHECK as u64).read_to_end(&mut check)?;
    contents.clear();
    reader.take(length as u64).read_to_end(contents)?;
    if check.len() < format::CHECK || contents.len() < length {
        return Ok(Frame::Truncated);
    }
    Ok(if check == format::check(contents) { Frame::Whole } else { Frame::Garbled })
}

/// The call that a body is about.
pub(crate) fn call(body: &[u8]) -> Option<Call> {
    let (kind, value) = body.split_first()?;
    Some(match Kind::from_octet(*kind)? {
        Kind::Handle => Call::Handle(whole(value)?),
        Kind::Command => Call::Command(whole(value)?),
        Kind::Answer => Call::Answer(whole(value)?),
        Kind::Transmit => {
            let (transmit, message) = whole(value)?;
            Call::Transmit(transmit, message)
        }
        Kind::Event => Call::Event(whole(value)?),
        Kind::Request => Call::Request(whole(value)?),
        Kind::Nothing => Call::Nothing(format::unpack(whole(value)?)?),
        Kind::End => Call::End(whole(value)?),
    })
}

/// The value that all the octets make.
fn whole<'a, T: serde::Deserialize<'a>>(octets: &'a [u8]) -> Option<T> {
    let (value, rest) = postcard::take_from_bytes(octets).ok()?;
    rest.is_empty().then_some(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::mem::discriminant;

    use super::*;
    use crate::format::Octets;

    /// The body as the recorder writes it.
    fn body(call: &Call) -> Vec<u8> {
        let (kind, value) = match call {
            Call::Handle(input) => (Kind::Handle, postcard::to_allocvec(input)),
            Call::Command(command) => (Kind::Command, postcard::to_allocvec(command)),
            Call::Answer(answer) => (Kind::Answer, postcard::to_allocvec(answer)),
            Call::Transmit(transmit, message) => {
                (Kind::Transmit, postcard::to_allocvec(&(transmit, Octets(message))))
            }
            Call::Event(event) => (Kind::Event, postcard::to_allocvec(event)),
            Call::Request(request) => (Kind::Request, postcard::to_allocvec(request)),
            Call::Nothing(polls) => (Kind::Nothing, postcard::to_allocvec(&format::pack(polls))),
            Call::End(end) => (Kind::End, postcard::to_allocvec(end)),
        };
        [vec![kind as u8], value.expect("it is written")].concat()
    }

    /// A file of this format is read as it was written. Where a type of `rsvp-core` is written in another way, this fails:
    /// then raise [`FORMAT`], and make the file anew with the example `record`.
    #[test]
    fn the_format_is_what_it_was() {
        let file: &[u8] = include_bytes!("../tests/data/format.rsvp");
        let mut recording = Recording::open(file).expect("a recording of this format");
        let mut kinds = BTreeSet::new();
        while let Some(record) = recording.next().expect("a record of this format") {
            assert_eq!(body(&record.call), record.body, "{:?}", record.call);
            kinds.insert(format!("{:?}", discriminant(&record.call)));
        }
        assert_eq!(kinds.len(), 8, "each kind of call is there");
        assert_eq!(recording.read(), RECORDS);
    }

    const RECORDS: u64 = 90;
}
