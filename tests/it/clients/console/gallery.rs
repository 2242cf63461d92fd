//! Every page of the console, looked at in a real browser. `tests/run gallery` keeps the pictures, in `target/gallery`.
//! What is served as a file to keep is not looked at, but for its headers.

use std::path::PathBuf;

use tests::{
    browser::{Browser, Scheme},
    environment::{Extent, extent, is_gallery},
    home::{Home, Kind},
    program::Answer,
    workspace_root,
};

use super::{
    headers::faults,
    pages::{WIDTHS, faults_in},
    samples::{Found, World},
};

#[test]
fn every_page_is_fit_for_everybody_in_light_colours() {
    look_at_every_page(Scheme::Light);
}

#[test]
fn every_page_is_fit_for_everybody_in_dark_colours() {
    look_at_every_page(Scheme::Dark);
}

fn look_at_every_page(scheme: Scheme) {
    let home = Home::on(Kind::Sqlite);
    let world = World::start(&home);
    let (signed_in, nobody) = (world.owner.browser(), Browser::start());
    let samples = world.samples();
    let mut found = Vec::new();
    for (number, sample) in samples.iter().enumerate() {
        let visitor = if sample.is_for_anybody { &world.console.visitor() } else { &world.owner.visitor };
        let browser = if sample.is_for_anybody { &nobody } else { &signed_in };
        let url = world.console.url(&sample.path);
        let answer = visitor.get(&sample.path);
        if is_file(&answer) {
            found.extend(faults_of_file(&answer).into_iter().map(|fault| format!("{}: {fault}", sample.path)));
            continue;
        }
        let mut wrong = faults(&answer);
        wrong.extend(faults_in(browser, &url, scheme, widths(scheme), |width| {
            if is_gallery() {
                browser.screenshot(&picture(number, sample, width, scheme));
            }
        }));
        if scheme == Scheme::Dark {
            wrong.extend(faults_on_paper(browser));
        }
        if browser.url() != url {
            wrong.push(format!("it leads to {}", browser.url()));
        }
        found.extend(wrong.into_iter().map(|fault| format!("{} ({}): {fault}", sample.page, sample.path)));
    }
    if is_gallery() {
        hang_up(&samples, scheme);
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

/// What is printed, from a dark screen too, is dark on white, and without what can only be pressed: a line for each fault.
const ON_PAPER: &str = "(() => { \
    const seen = (element) => element.checkVisibility(); \
    const light = (element) => { \
        const [red, green, blue] = getComputedStyle(element).color.match(/[\\d.]+/g).map(Number); \
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 140; }; \
    const says = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()); \
    const pressed = [...document.querySelectorAll('.top, .menu, .tools, .pages, .filters, .buttons, .copy')].filter(seen); \
    const faint = [...document.querySelectorAll('main *')].filter((element) => seen(element) && says(element) && light(element)); \
    const paper = getComputedStyle(document.body).backgroundColor; \
    return [...pressed.map((element) => `printed: ${element.outerHTML.slice(0, 120)}`), \
        ...faint.map((element) => `light on paper: ${element.outerHTML.slice(0, 120)}`), \
        ...(paper === 'rgb(255, 255, 255)' ? [] : [`the paper is ${paper}`])].slice(0, 5).join('\\n'); })()";

fn faults_on_paper(browser: &Browser) -> Option<String> {
    browser.print(true);
    let found = browser.evaluate(ON_PAPER).as_str().map(str::to_owned);
    browser.print(false);
    found.filter(|faults| !faults.is_empty())
}

/// What is wrong with colours does not depend on the width, and the other way round: all of both only where pictures are
/// wanted, or a long run.
fn widths(scheme: Scheme) -> &'static [u32] {
    match scheme {
        _ if is_gallery() || extent() == Extent::Long => &WIDTHS[..],
        Scheme::Light => &WIDTHS[..1],
        Scheme::Dark => &WIDTHS[1..],
    }
}

/// Whether it is something to keep, and no page.
fn is_file(answer: &Answer) -> bool {
    answer.header("content-type").is_some_and(|kind| !kind.starts_with("text/html"))
}

fn faults_of_file(answer: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    if answer.status != 200 {
        found.push(format!("the status is {}", answer.status));
    }
    for (name, begin) in [
        ("content-disposition", "attachment; filename="),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        let value = answer.header(name);
        if !value.is_some_and(|value| value.starts_with(begin)) {
            found.push(format!("`{name}` is {value:?}"));
        }
    }
    found
}

fn folder() -> PathBuf {
    let folder = workspace_root().join("target/gallery");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The file of a picture: numbered as the samples are, so that those of a page lie side by side.
fn picture(number: usize, sample: &Found, width: u32, scheme: Scheme) -> PathBuf {
    let words = sample.page.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-");
    folder().join(format!("{number:03}-{name}-{width}-{}.png", scheme.name()))
}

/// A page with all pictures in these colours.
fn hang_up(samples: &[Found], scheme: Scheme) {
    let mut lines = vec!["<!doctype html><meta charset=\"utf-8\"><title>The console</title>".to_owned()];
    for (number, sample) in samples.iter().enumerate() {
        lines.push(format!("<h2>{}</h2>", sample.page));
        let pictures = WIDTHS.map(|width| (width, picture(number, sample, width, scheme)));
        lines.extend(pictures.iter().filter(|(_, path)| path.exists()).map(|(width, path)| {
            let file = path.file_name().unwrap().to_string_lossy();
            format!("<img src=\"{file}\" width=\"{}\" alt=\"\">", width / 2)
        }));
    }
    std::fs::write(folder().join(format!("{}.html", scheme.name())), lines.join("\n")).unwrap();
}
