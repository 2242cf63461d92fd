use super::*;

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], kind, data, &[0; 4]].concat()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    [PNG.to_vec(), chunk(b"IHDR", &head), chunk(b"IDAT", b"x"), chunk(b"IEND", b"")].concat()
}

fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let [w, h] = [width.to_be_bytes(), height.to_be_bytes()];
    let app = [0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];
    let frame = [0xff, 0xc0, 0, 11, 8, h[0], h[1], w[0], w[1], 1, 1, 0x11, 0];
    [&[0xff, 0xd8][..], &app, &frame, &[0xff, 0xd9]].concat()
}

/// Lossless: fourteen bits of the width less one, then of the height less one.
fn webp(width: u32, height: u32) -> Vec<u8> {
    let size = (width - 1) | ((height - 1) << 14);
    let data = [&[0x2f][..], &size.to_le_bytes(), &[0; 5]].concat();
    let length = u32::try_from(data.len()).unwrap();
    let body = [b"WEBPVP8L".to_vec(), length.to_le_bytes().to_vec(), data].concat();
    [b"RIFF".to_vec(), u32::try_from(body.len()).unwrap().to_le_bytes().to_vec(), body].concat()
}

fn svg(inner: &str) -> Vec<u8> {
    format!(r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="24" height="24">{inner}</svg>"#)
        .into_bytes()
}

#[test]
fn images_are_known_by_their_content() {
    for (bytes, kind) in [
        (png(1, 4_096), ImageKind::Png),
        (jpeg(4_096, 1), ImageKind::Jpeg),
        (webp(64, 64), ImageKind::Webp),
        (svg(r#"<path d="M0 0h24v24H0z" fill='url(#g)'/>"#), ImageKind::Svg),
        (svg(r##"<defs><linearGradient id="g"/></defs><use xlink:href="#g"/>"##), ImageKind::Svg),
        (svg(r##"<style>.a{fill:url( "#g" )}</style><image href="data:image/png;base64,AAAA"/>"##), ImageKind::Svg),
        ([b"\xef\xbb\xbf<?xml version=\"1.0\"?>".to_vec(), svg("")].concat(), ImageKind::Svg),
    ] {
        assert_eq!(check(&bytes), Ok(kind), "{}", String::from_utf8_lossy(&bytes));
    }
    assert_eq!(ImageKind::Svg.media_type(), "image/svg+xml");
}

#[test]
fn what_is_no_image_is_refused() {
    let cut = |bytes: Vec<u8>| bytes.get(..bytes.len() - 3).unwrap().to_vec();
    let more = |bytes: Vec<u8>| [bytes, b"<script>".to_vec()].concat();
    for bytes in [
        Vec::new(),
        b"GIF89a".to_vec(),
        b"%PDF-1.7".to_vec(),
        b"hello".to_vec(),
        b"<html><body></body></html>".to_vec(),
        b"<!DOCTYPE html><html/>".to_vec(),
        PNG.to_vec(),
        JPEG.to_vec(),
        b"RIFF\xff\xff\xff\xffWEBP".to_vec(),
        cut(png(1, 1)),
        cut(jpeg(1, 1)),
        cut(webp(1, 1)),
        more(png(1, 1)),
        more(jpeg(1, 1)),
        more(webp(1, 1)),
        vec![b' '; limits::IMAGE_BYTES_MAX + 1],
        [PNG.to_vec(), vec![0xff; 100]].concat(),
    ] {
        assert!(check(&bytes).is_err(), "{}", String::from_utf8_lossy(bytes.get(..20).unwrap_or(&bytes)));
    }
}

#[test]
fn the_size_is_bounded() {
    for bytes in [png(4_097, 1), png(0, 1), jpeg(1, 4_097), webp(4_097, 1)] {
        assert_eq!(check(&bytes), Err(ImageError::Size));
    }
    let large = String::from_utf8(svg("")).unwrap().replace("width=\"24\"", "width=\"4097px\"");
    assert_eq!(check(large.as_bytes()), Err(ImageError::Size));
}

#[test]
fn an_svg_that_is_more_than_a_picture_is_refused() {
    for inner in [
        "<script>alert(1)</script>",
        "<g onload=\"alert(1)\"/>",
        "<g OnClick=\"alert(1)\"/>",
        "<foreignObject/>",
        "<a href=\"#x\"/>",
        "<animate attributeName=\"href\" to=\"javascript:alert(1)\"/>",
        "<set attributeName=\"x\"/>",
        "<image href=\"https://example.com/a.png\"/>",
        "<image href=\"//example.com/a.png\"/>",
        "<image href=\"data:image/svg+xml;base64,AAAA\"/>",
        "<image href=\"data:text/html,x\"/>",
        "<use xlink:href=\"other.svg#a\"/>",
        "<use href=\" java&#10;script:alert(1)\"/>",
        "<g xml:base=\"https://example.com/\"/>",
        "<rect fill=\"url(https://example.com/a)\"/>",
        "<rect style=\"fill:url('https://example.com/a')\"/>",
        "<rect style=\"fill:u\\72l(https://example.com/a)\"/>",
        "<style>@import 'https://example.com/a.css';</style>",
        "<style>a{b:url(/*x*/https://example.com)}</style>",
        "<html xmlns=\"http://www.w3.org/1999/xhtml\"/>",
        "<body xmlns=\"\"/>",
        "<?xml-stylesheet href=\"https://example.com/a.css\"?>",
        "&unknown;",
        "<g>",
    ] {
        assert!(check(&svg(inner)).is_err(), "{inner}");
    }
    let entity = "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg xmlns=\"http://www.w3.org/2000/svg\">&a;</svg>";
    let error = check(entity.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("document type"), "{error}");
}

#[test]
fn a_hostile_svg_takes_no_time() {
    let started = std::time::Instant::now();
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=\"\"")).collect();
    assert!(check(&svg(&format!("<g{attributes}/>"))).is_err());
    let namespaces: String = (0..30_000).map(|n| format!("<g xmlns:n{n}=\"u{n}\">")).collect();
    assert!(check(&svg(&format!("{namespaces}{}", "</g>".repeat(30_000)))).is_err());
    let deep = format!("{}{}", "<g>".repeat(200_000), "</g>".repeat(200_000));
    assert!(check(&svg(&deep)).is_err());
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
}
