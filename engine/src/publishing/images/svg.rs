//! SVG that is a picture and nothing more.

use roxmltree::{Document, Node, ParsingOptions};

use super::ImageError;
use crate::limits;

const SVG: &str = "http://www.w3.org/2000/svg";

/// What draws. Others of its elements act, lead elsewhere, or hold what is no picture.
const ELEMENTS: [&str; 57] = [
    "circle",
    "clipPath",
    "defs",
    "desc",
    "ellipse",
    "feBlend",
    "feColorMatrix",
    "feComponentTransfer",
    "feComposite",
    "feConvolveMatrix",
    "feDiffuseLighting",
    "feDisplacementMap",
    "feDistantLight",
    "feDropShadow",
    "feFlood",
    "feFuncA",
    "feFuncB",
    "feFuncG",
    "feFuncR",
    "feGaussianBlur",
    "feMerge",
    "feMergeNode",
    "feMorphology",
    "feOffset",
    "fePointLight",
    "feSpecularLighting",
    "feSpotLight",
    "feTile",
    "feTurbulence",
    "filter",
    "g",
    "image",
    "line",
    "linearGradient",
    "marker",
    "mask",
    "metadata",
    "path",
    "pattern",
    "polygon",
    "polyline",
    "radialGradient",
    "rect",
    "solidcolor",
    "stop",
    "style",
    "svg",
    "switch",
    "symbol",
    "text",
    "textPath",
    "title",
    "tspan",
    "use",
    "view",
    "hatch",
    "hatchpath",
];

/// Namespaces whose elements a browser knows: nothing of them belongs into a picture.
const NAMESPACES_REFUSED: [&str; 2] = ["http://www.w3.org/1999/xhtml", "http://www.w3.org/1998/Math/MathML"];

/// How many attributes an element may have, at most.
const ATTRIBUTES_MAX: usize = 1_000;
/// How often namespaces may be declared.
const NAMESPACES_MAX: usize = 100;

pub(super) fn check(bytes: &[u8]) -> Result<(), ImageError> {
    let text = std::str::from_utf8(bytes).map_err(|_binary| ImageError::Unknown)?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if !text.starts_with('<') {
        return Err(ImageError::Unknown);
    }
    // reading takes time with the square of these
    let is_crowded = text.split('<').any(|tag| tag.matches('=').count() > ATTRIBUTES_MAX);
    if is_crowded || text.matches("xmlns").count() > NAMESPACES_MAX {
        return Err(refused("has an element with too many attributes, or too many namespaces"));
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: limits::SVG_NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => refused("has a document type, which may define entities"),
        roxmltree::Error::NodesLimitReached => refused(&format!("has more than {} parts", limits::SVG_NODES_MAX)),
        error => refused(&format!("cannot be read: {}", super::super::beginning(&error.to_string()))),
    })?;
    let root = document.root_element();
    if root.tag_name().name() != "svg" || root.tag_name().namespace() != Some(SVG) {
        return Err(ImageError::Unknown);
    }
    for node in document.descendants() {
        if node.is_pi() {
            return Err(refused("has a processing instruction"));
        }
        if node.is_element() {
            check_element(node)?;
        }
    }
    for side in ["width", "height"] {
        let value = root.attribute(side).unwrap_or_default().trim();
        let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
        let is_too_large = digits.parse::<usize>().map_or(digits.len() > 9, |pixels| pixels > limits::IMAGE_PIXELS_MAX);
        if is_too_large && !value.ends_with('%') {
            return Err(ImageError::Size);
        }
    }
    Ok(())
}

fn refused(what: &str) -> ImageError {
    ImageError::Svg { what: what.to_owned() }
}

fn check_element(node: Node<'_, '_>) -> Result<(), ImageError> {
    let name = node.tag_name().name();
    let shown = || super::super::beginning(name);
    // `xmlns=""` takes the namespace away
    match node.tag_name().namespace().filter(|namespace| !namespace.is_empty()) {
        Some(SVG) if ELEMENTS.contains(&name) => {}
        Some(SVG) => return Err(refused(&format!("has the element `{}`", shown()))),
        Some(namespace) if NAMESPACES_REFUSED.contains(&namespace) => {
            return Err(refused(&format!("has the element `{}` of another language", shown())));
        }
        // what drawing programs leave behind for themselves
        Some(_) => {}
        None => return Err(refused(&format!("has the element `{}` without a namespace", shown()))),
    }
    for attribute in node.attributes() {
        check_attribute(attribute.name(), attribute.value()).map_err(|what| {
            refused(&format!("has the attribute `{}`, which {what}", super::super::beginning(attribute.name())))
        })?;
    }
    if name == "style" {
        let style: String = node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect();
        check_style(&style).map_err(|what| refused(&format!("has a style that {what}")))?;
    }
    Ok(())
}

fn check_attribute(name: &str, value: &str) -> Result<(), &'static str> {
    let name = name.to_ascii_lowercase();
    let plain: String = value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let plain = plain.to_ascii_lowercase();
    if name.starts_with("on") {
        return Err("handles events");
    }
    if plain.contains("javascript:") || plain.contains("vbscript:") {
        return Err("has a script in it");
    }
    match name.as_str() {
        "href" if plain.starts_with('#') || is_picture(&plain) => Ok(()),
        "href" | "src" | "base" | "srcset" | "srcdoc" | "action" | "formaction" => Err("leads elsewhere"),
        _ => check_style(value),
    }
}

/// Pixels within the document.
fn is_picture(address: &str) -> bool {
    ["data:image/png;base64,", "data:image/jpeg;base64,", "data:image/webp;base64,"]
        .iter()
        .any(|beginning| address.starts_with(beginning))
}

/// Values of style refer to parts of the document only.
fn check_style(text: &str) -> Result<(), &'static str> {
    let lower = text.to_ascii_lowercase();
    if lower.contains("url") || lower.contains('@') || lower.contains("image-set") {
        if lower.contains('\\') || lower.contains("/*") {
            return Err("hides what it refers to");
        }
        if lower.contains("@import") || lower.contains("@namespace") || lower.contains("image-set") {
            return Err("leads elsewhere");
        }
    }
    let parts = lower.split("url(").skip(1);
    let mut targets = parts.map(|part| part.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')));
    if !targets.all(|target| target.starts_with('#')) {
        return Err("leads elsewhere");
    }
    if lower.contains('\\') && (lower.contains('(') || lower.contains(':')) {
        return Err("hides what it refers to");
    }
    Ok(())
}
