//! Who looks at the console without a browser: a jar of cookies, and forms as a browser would send them.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::{
    failure::{Context as _, Failure, Outcome},
    wire::parse_head,
};

/// Where the console is.
const ROOT: &str = "/admin";

/// Who says nothing for so long is stuck.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// Somebody with cookies.
#[derive(Debug)]
pub(crate) struct Visitor {
    address: SocketAddr,
    cookies: BTreeMap<String, String>,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Visitor {
    pub(crate) const fn new(address: SocketAddr) -> Self {
        Self { address, cookies: BTreeMap::new() }
    }

    /// The page at this address below the console's root.
    pub(super) fn page(&self, address: &str) -> Outcome<Vec<u8>> {
        self.get(&format!("{ROOT}{address}"))
    }

    /// What is at `path`; only if it is there.
    pub(crate) fn get(&self, path: &str) -> Outcome<Vec<u8>> {
        let answer = self.send("GET", path, "")?;
        if answer.status != 200 {
            return Err(Failure::new(format!("`{path}` was answered with {}", answer.status)));
        }
        Ok(answer.body)
    }

    /// The address below the console's root of the first page with the path `route` to which the page at `on` has a link, or
    /// to one above it: `/accounts/{id}` leads to `/accounts/{id}/caps`.
    pub(super) fn find_link(&self, on: &str, route: &str) -> Outcome<Option<String>> {
        let page = self.page(on)?;
        let page = String::from_utf8_lossy(&page).into_owned();
        let links = between(&page, "href=\"", '"').into_iter().chain(between(&page, "data-href=\"", '"'));
        let links: Vec<&str> = links.filter_map(|link| link.strip_prefix(ROOT)).collect();
        let last = route.rfind('}').map_or(route.len(), |at| at.saturating_add(1));
        let (above, below) = route.split_at(last);
        let found = links.iter().find(|link| leads_to(link, above));
        Ok(found.map(|link| format!("{link}{below}")))
    }

    /// Fills in the form of the page at `path` that goes back there, and sends it.
    pub(super) fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Outcome<()> {
        let page = self.open(path)?;
        self.submit_shown(&page, path, fields)
    }

    /// The page at `path`, with its form.
    pub(super) fn open(&mut self, path: &str) -> Outcome<String> {
        let shown = self.send("GET", path, "")?;
        self.keep(&shown.head);
        Ok(String::from_utf8_lossy(&shown.body).into_owned())
    }

    /// Sends the form of a page that was opened at `path`.
    pub(super) fn submit_shown(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Outcome<()> {
        let hidden = page.split("<input").skip(1).filter(|input| input.contains("type=\"hidden\""));
        let hidden = hidden.filter_map(|input| {
            let of = |name: &str| between(input, name, '"').first().map(|value| (*value).to_owned());
            Some((of("name=\"")?, of("value=\"").unwrap_or_default()))
        });
        let typed = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let pairs: Vec<String> =
            hidden.chain(typed).map(|(name, value)| format!("{name}={}", escaped(&value))).collect();
        let answer = self.send("POST", path, &pairs.join("&"))?;
        self.keep(&answer.head);
        if answer.status == 303 {
            return Ok(());
        }
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        Err(Failure::new(format!("the form at `{path}` was answered with {}: {body}", answer.status)))
    }

    fn keep(&mut self, head: &str) {
        for line in head.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let pair = value.split(';').next().and_then(|pair| pair.trim().split_once('='));
            if let (true, Some((name, value))) = (name.eq_ignore_ascii_case("set-cookie"), pair) {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Outcome<Answer> {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncookie: {}\r\nsec-fetch-site: same-origin\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            cookies.join("; "),
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).context(|| "cannot connect to the console".to_owned())?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.set_nodelay(true)?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).context(|| format!("no answer from `{path}`"))?;
        let broken = || Failure::new(format!("`{path}` did not answer in HTTP/1.1"));
        let head = parse_head(&answer).ok_or_else(broken)?;
        let (text, body) = answer.split_at_checked(head.bytes).ok_or_else(broken)?;
        let (status, head) = (head.status.ok_or_else(broken)?, String::from_utf8_lossy(text).into_owned());
        Ok(Answer { status, head, body: body.to_vec() })
    }
}

/// The addresses of the style and the scripts that a page brings.
pub(super) fn parts(page: &str) -> Vec<String> {
    let heads = page.split("</head>").next().unwrap_or_default();
    let styles = between(heads, "rel=\"stylesheet\" href=\"", '"');
    styles.into_iter().chain(between(heads, "<script src=\"", '"')).map(str::to_owned).collect()
}

/// As a form sends it.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(byte).collect()
}

/// What stands behind each `before`, up to `end`.
pub(super) fn between<'t>(text: &'t str, before: &str, end: char) -> Vec<&'t str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

/// Whether an address below the console's root, without a query, is of a page with the path `route`.
fn leads_to(link: &str, route: &str) -> bool {
    // `/accounts/new` is no account: names have digits
    let is_name = |part: &str| part.chars().any(|letter| letter.is_ascii_digit());
    let (parts, wanted): (Vec<&str>, Vec<&str>) = (link.split('/').collect(), route.split('/').collect());
    let is_same = |(part, wanted): (&&str, &&str)| if wanted.starts_with('{') { is_name(part) } else { part == wanted };
    !link.contains(['?', '#']) && parts.len() == wanted.len() && parts.iter().zip(&wanted).all(is_same)
}

#[cfg(test)]
mod tests;
