//! The events of a stream (`text/event-stream`), read as the bytes come in. Pure, and never more than one event in memory.

/// One event, or what a stream says without one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Event {
    /// The lines of its data; `None` where only a name was given.
    pub(super) data: Option<String>,
    /// By which the stream can be asked for from here on.
    pub(super) id: Option<String>,
    /// What kind it is; nothing is a message.
    pub(super) kind: Option<String>,
    /// How long to wait before asking again, in milliseconds.
    pub(super) retry_ms: Option<u64>,
}

impl Event {
    /// Other kinds are not for us.
    pub(super) fn is_message(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind.is_empty() || kind == "message")
    }
}

/// Why a stream cannot be read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadEvents {
    #[error("an event is longer than {0} bytes")]
    TooLong(usize),
    #[error("an event is not utf-8 text")]
    NotUtf8,
}

/// Reads events.
#[derive(Debug)]
pub(super) struct EventReader {
    event_bytes_max: usize,
    line: Vec<u8>,
    event: Event,
    is_after_return: bool,
    is_begun: bool,
}

impl EventReader {
    /// For events of at most so many bytes.
    pub(super) fn new(event_bytes_max: usize) -> Self {
        Self { event_bytes_max, line: Vec::new(), event: Event::default(), is_after_return: false, is_begun: false }
    }

    /// Takes in the next bytes and gives what they complete.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Vec<Event>, BadEvents> {
        let mut events = Vec::new();
        for byte in bytes {
            let is_second_half = std::mem::take(&mut self.is_after_return) && *byte == b'\n';
            match byte {
                b'\n' if is_second_half => {}
                b'\r' | b'\n' => {
                    self.is_after_return = *byte == b'\r';
                    events.extend(self.end_line()?);
                }
                _ => self.line.push(*byte),
            }
            if self.line.len().saturating_add(self.event_bytes()) > self.event_bytes_max {
                return Err(BadEvents::TooLong(self.event_bytes_max));
            }
        }
        Ok(events)
    }

    fn event_bytes(&self) -> usize {
        let texts = [&self.event.data, &self.event.id, &self.event.kind];
        texts.into_iter().flatten().map(String::len).fold(0, usize::saturating_add)
    }

    fn end_line(&mut self) -> Result<Option<Event>, BadEvents> {
        let line = String::from_utf8(std::mem::take(&mut self.line)).map_err(|_cause| BadEvents::NotUtf8)?;
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        let line = line.strip_prefix('\u{feff}').filter(|_| is_first).unwrap_or(&line);
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return Ok((event != Event::default()).then_some(event));
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => match &mut self.event.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.event.data = Some(value.to_owned()),
            },
            "event" => self.event.kind = Some(value.to_owned()),
            "id" if !value.contains('\0') => self.event.id = Some(value.to_owned()),
            "retry" => self.event.retry_ms = value.parse().ok().or(self.event.retry_ms),
            // a comment (no name at all), or a field of later times
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
