//! A visitor of the console without a browser: a jar of cookies, and forms as a browser would send them.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    browser::Browser,
    html::{self, Form},
    program::{Answer, parse_answer},
};

/// Says nothing for so long: stuck.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// What a browser says of a form on a page of the console.
pub const OWN_FORM: [(&str, &str); 1] = [("sec-fetch-site", "same-origin")];

/// Whoever calls the console over plain HTTP, with the cookies that it was given. Follows no redirection by itself.
#[derive(Debug)]
pub struct Visitor {
    address: SocketAddr,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Visitor {
    /// One who has never been here.
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, cookies: Mutex::new(BTreeMap::new()) }
    }

    /// Asks for a page.
    ///
    /// # Panics
    /// There is no answer.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    /// The same, following redirections as far as they go; where that was.
    ///
    /// # Panics
    /// There is no answer, or no end of them.
    #[track_caller]
    pub fn get_to_the_end(&self, path: &str) -> (String, Answer) {
        let mut path = path.to_owned();
        for _ in 0..8 {
            let answer = self.get(&path);
            match answer.header("location") {
                Some(next) => next.clone_into(&mut path),
                None => return (path, answer),
            }
        }
        panic!("redirected again and again, lastly to {path}");
    }

    /// Sends a form as a page of the console would.
    ///
    /// # Panics
    /// There is no answer.
    #[track_caller]
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(path, &OWN_FORM, fields)
    }

    /// Sends a form with these headers beside its type and the cookies.
    ///
    /// # Panics
    /// There is no answer.
    #[track_caller]
    pub fn post_with(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let body = encode(fields.iter().copied());
        let headers = [&[("content-type", "application/x-www-form-urlencoded")], headers].concat();
        self.send("POST", path, &headers, Some(&body))
    }

    /// Opens a page, fills in what is named here of its form that goes to `action` (all else stays as it stands there:
    /// hidden fields, too), and sends it.
    ///
    /// # Panics
    /// There is no such page, form or field.
    #[track_caller]
    pub fn submit(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = self.get(page);
        self.submit_shown(&shown.body, action, fields)
    }

    /// The same with a page that is there already.
    ///
    /// # Panics
    /// As for [`Self::submit`].
    #[track_caller]
    pub fn submit_shown(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let forms = html::forms(page);
        let form = forms.iter().find(|form| form.method == "post" && form.action == action);
        let form = form.unwrap_or_else(|| panic!("no form to {action}, but {forms:?} in\n{}", html::text(page)));
        let filled = fill(form, fields);
        let filled: Vec<(&str, &str)> = filled.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(action, &filled)
    }

    /// Sends a request with these headers and the cookies, and gives its answer.
    ///
    /// # Panics
    /// There is no answer.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Answer {
        let mut lines = vec![
            format!("{method} {path} HTTP/1.1"),
            format!("host: {}", self.address),
            "connection: close".to_owned(),
        ];
        let cookies: Vec<String> = self.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        lines.extend((!cookies.is_empty()).then(|| format!("cookie: {}", cookies.join("; "))));
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.extend(body.map(|body| format!("content-length: {}", body.len())));
        let request = format!("{}\r\n\r\n{}", lines.join("\r\n"), body.unwrap_or_default());
        let answer = exchange(self.address, &request);
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            self.keep(cookie);
        }
        answer
    }

    fn jar(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let Some((name, value)) = pair.split_once('=') else { return };
        let is_over = attributes.split(';').any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0"));
        if is_over {
            self.jar().remove(name);
        } else {
            self.jar().insert(name.to_owned(), value.to_owned());
        }
    }

    /// The names and values of the cookies.
    pub fn cookies(&self) -> Vec<(String, String)> {
        self.jar().iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Has this cookie from now on, and no other one of the name.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar().insert(name.to_owned(), value.to_owned());
    }

    /// Lets somebody with a browser go on as this visitor.
    pub fn go_on_in(&self, browser: &Browser) {
        for (name, value) in self.cookies() {
            browser.give_cookie(&format!("http://{}/", self.address), &name, &value);
        }
    }
}

/// What a form sends with these fields filled in.
///
/// # Panics
/// It has no such field.
#[track_caller]
pub fn fill(form: &Form, fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let known = |name: &str| {
        let mut all = form.fields.iter().chain(&form.boxes).chain(&form.buttons);
        all.any(|(known, _)| known == name)
    };
    let unknown: Vec<_> = fields.iter().map(|(name, _)| *name).filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "no {unknown:?} in {form:?}");
    let kept = form.fields.iter().filter(|(name, _)| fields.iter().all(|(filled, _)| filled != name)).cloned();
    kept.chain(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect()
}

/// As `application/x-www-form-urlencoded`.
pub fn encode<'f>(fields: impl Iterator<Item = (&'f str, &'f str)>) -> String {
    let pairs: Vec<String> = fields.map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

fn escape(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// One request on a connection of its own, which the program closes.
fn exchange(address: SocketAddr, request: &str) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    stream.set_nodelay(true)?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let (head, body) = bytes.split_at(at);
    let head = String::from_utf8_lossy(head);
    let mut answer = parse_answer(&head, "");
    let body = body.get(4..).unwrap_or_default();
    let body = if answer.header("transfer-encoding") == Some("chunked") { join_chunks(body)? } else { body.to_vec() };
    answer.body = String::from_utf8_lossy(&body).into_owned();
    Ok(answer)
}

/// A body that came in chunks, whole. One without its last chunk was cut.
fn join_chunks(mut bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|window| window == b"\r\n").ok_or_else(cut)?;
        let line = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
        let size = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
        let from = end + 2;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(bytes.get(from..from + size).ok_or_else(cut)?);
        bytes = bytes.get(from + size + 2..).ok_or_else(cut)?;
    }
}

#[cfg(test)]
mod tests;
