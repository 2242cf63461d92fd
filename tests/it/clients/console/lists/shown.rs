//! What a page shows of its lists.

use tests::html::{self, Piece};

/// What stands in the elements that say that there is nothing: what can be read, and how many commands and links.
pub(super) fn empties(body: &str) -> Vec<(String, usize)> {
    let mut found: Vec<(String, usize)> = Vec::new();
    let mut depth = 0_usize;
    for piece in html::pieces(body) {
        match (piece, found.last_mut()) {
            (Piece::Start(element), _) if depth == 0 && element.get("class") == Some("empty") => {
                found.push((String::new(), 0));
                depth = 1;
            }
            (Piece::Start(_), _) if depth == 0 => {}
            (Piece::Start(element), Some((_, ways))) => {
                depth += usize::from(element.name == "div");
                *ways += usize::from(matches!(element.name.as_str(), "code" | "a"));
            }
            (Piece::End(name), _) if depth > 0 && name == "div" => depth -= 1,
            (Piece::Text(words), Some((text, _))) if depth > 0 => text.push_str(&words),
            _ => {}
        }
    }
    found
}

/// The tables of a page: the caption of each, and its rows, each with where it leads or, if nowhere, what it says. The numbers
/// of a picture are none.
pub(super) fn tables(body: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut row: Option<(Option<String>, String)> = None;
    let (mut is_body, mut is_caption, mut figures) = (false, false, 0_usize);
    for piece in html::pieces(body) {
        match (piece, &mut row) {
            (Piece::Start(element), None) if element.name == "figure" => figures += 1,
            (Piece::End(name), None) if name == "figure" => figures -= 1,
            (_, None) if figures > 0 => {}
            (Piece::Start(element), None) if element.name == "table" => found.push((String::new(), Vec::new())),
            (Piece::Start(element), None) if element.name == "caption" => is_caption = true,
            (Piece::End(name), None) if name == "caption" => is_caption = false,
            (Piece::Start(element), None) if element.name == "tbody" => is_body = true,
            (Piece::End(name), None) if name == "tbody" => is_body = false,
            (Piece::Start(element), None) if element.name == "tr" && is_body => {
                row = Some((element.get("data-href").map(str::to_owned), String::new()));
            }
            (Piece::Text(words), None) if is_caption => {
                if let Some((caption, _)) = found.last_mut() {
                    caption.push_str(words.trim());
                }
            }
            (Piece::End(name), Some((href, text))) if name == "tr" => {
                if let Some((_, rows)) = found.last_mut() {
                    rows.push(href.clone().unwrap_or_else(|| text.clone()));
                }
                row = None;
            }
            (Piece::Text(words), Some((_, text))) => text.push_str(words.trim()),
            _ => {}
        }
    }
    found
}

/// The rows of all tables of a page.
pub(super) fn rows(body: &str) -> Vec<String> {
    tables(body).into_iter().flat_map(|(_, rows)| rows).collect()
}

/// Where the next page is.
pub(super) fn next_of(body: &str) -> Option<String> {
    let elements = html::elements(body);
    let next = elements.iter().find(|element| element.name == "a" && element.get("rel") == Some("next"));
    next.and_then(|next| next.get("href")).map(str::to_owned)
}

/// Where the list is taken away as a file.
pub(super) fn files_of(body: &str) -> Vec<String> {
    let elements = html::elements(body);
    let links = elements.iter().filter(|element| element.name == "a" && element.get("class") == Some("export"));
    links.filter_map(|link| link.get("href").map(str::to_owned)).collect()
}
