//! Pages of ours as a strict reader has them: tags, forms, what can be read. What is not written as our templates write
//! it (attributes in quotes, tags in pairs) ends the test.

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The beginning of an element.
    Start(Element),
    /// Its end.
    End(String),
    /// What stands between, decoded; what scripts and styles hold as it is.
    Text(String),
}

/// The beginning of an element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// In lower case.
    pub name: String,
    /// Names in lower case, values decoded; without a value it is empty.
    pub attributes: Vec<(String, String)>,
}

/// A form, with what it would send if nobody changed anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// How, in lower case.
    pub method: String,
    /// The fields, without the buttons.
    pub fields: Vec<(String, String)>,
    /// The boxes that are not ticked, and what they would send.
    pub boxes: Vec<(String, String)>,
    /// The buttons with a name, and their values.
    pub buttons: Vec<(String, String)>,
}

/// Elements whose contents are text, whatever it looks like.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];
/// Of these, those in which nothing is decoded.
const UNDECODED: [&str; 2] = ["script", "style"];

impl Element {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of an attribute; empty if it is absent.
    fn value(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }
}

/// Takes a page apart.
///
/// # Panics
/// It is not written as our templates write.
pub fn pieces(html: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, markup) = rest.split_at(at);
        push_text(&mut found, &decode(text));
        rest = if let Some(comment) = markup.strip_prefix("<!--") {
            comment.split_once("-->").expect("the end of a comment").1
        } else if let Some(declaration) = markup.strip_prefix("<!") {
            declaration.split_once('>').expect("the end of a declaration").1
        } else if let Some(end) = markup.strip_prefix("</") {
            let (name, after) = end.split_once('>').expect("the end of a tag");
            found.push(Piece::End(name.trim().to_lowercase()));
            after
        } else {
            read_start(markup, &mut found)
        };
    }
    push_text(&mut found, &decode(rest));
    found
}

fn push_text(found: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        found.push(Piece::Text(text.to_owned()));
    }
}

/// Reads an element's beginning, and of some elements everything to their end; what follows.
fn read_start<'h>(markup: &'h str, found: &mut Vec<Piece>) -> &'h str {
    let inside = markup.strip_prefix('<').unwrap_or(markup);
    let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').expect("the end of a tag");
    let (name, mut rest) = inside.split_at(end);
    assert!(!name.is_empty(), "a bare `<`: {markup:.80}");
    let mut element = Element { name: name.to_lowercase(), attributes: Vec::new() };
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>").or_else(|| rest.strip_prefix('>')) {
            rest = after;
            break;
        }
        let end = rest.find(|c: char| c.is_whitespace() || "=>/".contains(c)).expect("the end of an attribute");
        let (name, after) = rest.split_at(end);
        assert!(!name.is_empty(), "not an attribute: {rest:.80}");
        let (value, after) = match after.strip_prefix('=') {
            Some(value) => {
                let quoted = value.strip_prefix('"').unwrap_or_else(|| panic!("a value without quotes: {rest:.80}"));
                quoted.split_once('"').expect("the end of a value")
            }
            None => ("", after),
        };
        element.attributes.push((name.to_lowercase(), decode(value)));
        rest = after;
    }
    let name = element.name.clone();
    found.push(Piece::Start(element));
    if !RAW.contains(&name.as_str()) {
        return rest;
    }
    let (text, after) = rest.split_once(&format!("</{name}>")).expect("the end of an element");
    push_text(found, &if UNDECODED.contains(&name.as_str()) { text.to_owned() } else { decode(text) });
    found.push(Piece::End(name));
    after
}

/// Text as it is read.
///
/// # Panics
/// It names a character that our templates do not name.
pub fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let named = after.split_once(';').and_then(|(name, after)| Some((character(name)?, after)));
        // A bare `&` stands for itself.
        let (character, after) = named.unwrap_or(('&', after));
        decoded.push(character);
        rest = after;
    }
    decoded + rest
}

fn character(name: &str) -> Option<char> {
    let number = name.strip_prefix('#');
    let hexadecimal = number.and_then(|number| number.strip_prefix(['x', 'X']));
    match (hexadecimal, number, name) {
        (Some(digits), ..) => u32::from_str_radix(digits, 16).ok().and_then(char::from_u32),
        (None, Some(digits), _) => digits.parse().ok().and_then(char::from_u32),
        (.., "amp") => Some('&'),
        (.., "lt") => Some('<'),
        (.., "gt") => Some('>'),
        (.., "quot") => Some('"'),
        (.., "apos") => Some('\''),
        (.., "nbsp") => Some('\u{a0}'),
        _ => None,
    }
}

/// The beginnings of all elements.
pub fn elements(html: &str) -> Vec<Element> {
    let starts = pieces(html).into_iter().filter_map(|piece| match piece {
        Piece::Start(element) => Some(element),
        Piece::End(_) | Piece::Text(_) => None,
    });
    starts.collect()
}

/// What can be read, with single spaces: no titles, no scripts.
pub fn text(html: &str) -> String {
    let mut hidden = None;
    let mut words = Vec::new();
    for piece in pieces(html) {
        match (piece, &hidden) {
            (Piece::Start(element), None) if matches!(element.name.as_str(), "head" | "script" | "style") => {
                hidden = Some(element.name);
            }
            (Piece::End(name), Some(hiding)) if name == *hiding => hidden = None,
            (Piece::Text(text), None) => words.extend(text.split_whitespace().map(str::to_owned)),
            _ => {}
        }
    }
    words.join(" ")
}

/// What the elements of this name hold, each as it is read.
pub fn texts_of(html: &str, name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    for piece in pieces(html) {
        match piece {
            Piece::Start(element) if element.name == name => {
                if depth == 0 {
                    found.push(String::new());
                }
                depth += 1;
            }
            Piece::End(ended) if ended == name => depth = depth.saturating_sub(1),
            Piece::Text(text) if depth > 0 => found.last_mut().expect("an element").push_str(&text),
            _ => {}
        }
    }
    found
}

/// Where links lead.
pub fn links(html: &str) -> Vec<String> {
    elements(html)
        .iter()
        .filter(|element| element.name == "a")
        .filter_map(|link| link.get("href").map(str::to_owned))
        .collect()
}

/// The forms.
pub fn forms(html: &str) -> Vec<Form> {
    let mut found: Vec<Form> = Vec::new();
    let mut is_inside = false;
    let mut select: Option<Select> = None;
    let mut area: Option<(String, String)> = None;
    for piece in pieces(html) {
        match piece {
            Piece::Start(form) if form.name == "form" => {
                let method = form.get("method").unwrap_or("get").to_lowercase();
                found.push(Form { action: form.value("action"), method, ..Form::default() });
                is_inside = true;
            }
            Piece::End(name) if name == "form" => is_inside = false,
            _ if !is_inside => {}
            Piece::Start(element) => {
                let form = found.last_mut().expect("a form");
                match element.name.as_str() {
                    "input" if element.get("name").is_some() => {
                        let fields = if is_sent(&element) { &mut form.fields } else { &mut form.boxes };
                        fields.push((element.value("name"), value_of(&element)));
                    }
                    "button" if element.get("name").is_some() => {
                        form.buttons.push((element.value("name"), element.value("value")));
                    }
                    "select" => select = Some(Select { name: element.value("name"), first: None, chosen: None }),
                    "option" => {
                        if let Some(select) = &mut select {
                            select.add(&element);
                        }
                    }
                    "textarea" => area = Some((element.value("name"), String::new())),
                    _ => {}
                }
            }
            Piece::Text(text) => {
                if let Some((_, held)) = &mut area {
                    // A line end right after the tag is not part of it.
                    held.push_str(text.strip_prefix('\n').unwrap_or(&text));
                }
            }
            Piece::End(name) => {
                let form = found.last_mut().expect("a form");
                let ended = match name.as_str() {
                    "select" => {
                        select.take().map(|select| (select.name, select.chosen.or(select.first).unwrap_or_default()))
                    }
                    "textarea" => area.take(),
                    _ => None,
                };
                form.fields.extend(ended);
            }
        }
    }
    found
}

struct Select {
    name: String,
    first: Option<String>,
    chosen: Option<String>,
}

impl Select {
    fn add(&mut self, option: &Element) {
        let value = option.value("value");
        if option.get("selected").is_some() {
            self.chosen = Some(value.clone());
        }
        self.first.get_or_insert(value);
    }
}

fn is_box(input: &Element) -> bool {
    matches!(input.get("type"), Some("checkbox" | "radio"))
}

/// Whether a field is part of what is sent.
fn is_sent(input: &Element) -> bool {
    !is_box(input) || input.get("checked").is_some()
}

fn value_of(input: &Element) -> String {
    let without = if is_box(input) { "on" } else { "" };
    input.get("value").unwrap_or(without).to_owned()
}

/// What a page has in itself that its policy forbids, or that would run as a script: a sentence for each.
pub fn inline_code(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = None;
    for piece in pieces(html) {
        match piece {
            Piece::Start(element) => {
                found.extend(inline_attributes(&element));
                if element.name == "style" || (element.name == "script" && element.get("src").is_none()) {
                    found.push(format!("<{}> in the page", element.name));
                }
                open = Some(element.name);
            }
            Piece::Text(text) if open.as_deref() == Some("script") && !text.trim().is_empty() => {
                found.push(format!("a script in the page: {text:.60}"));
            }
            Piece::Text(_) | Piece::End(_) => open = None,
        }
    }
    found
}

fn inline_attributes(element: &Element) -> impl Iterator<Item = String> {
    element.attributes.iter().filter_map(move |(name, value)| {
        let is_code = name == "style" || name == "srcdoc" || name.starts_with("on") || name.starts_with("hx-on");
        // Such values of htmx are scripts, too.
        let is_script = ["javascript:", "js:", "vbscript:"]
            .iter()
            .any(|scheme| value.trim_start().to_lowercase().starts_with(scheme));
        (is_code || is_script).then(|| format!("<{} {name}=\"{value:.60}\">", element.name))
    })
}

#[cfg(test)]
mod tests;
