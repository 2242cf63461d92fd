//! Packs the console's static files and names them after what is in them, so that browsers may keep them for ever.

use std::{env, fmt::Write as _, fs, io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};

/// The files, with the names that pages use and what they are.
const FILES: [(&str, &str, &str); 3] = [
    ("app.css", "css", "text/css; charset=utf-8"),
    ("app.js", "js", "text/javascript; charset=utf-8"),
    ("htmx-4.0.1.min.js", "js", "text/javascript; charset=utf-8"),
];

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let mut table = String::from("/// Every static file.\nstatic ASSETS: &[Asset] = &[\n");
    for (file, extension, media_type) in FILES {
        println!("cargo::rerun-if-changed=static/{file}");
        let bytes = fs::read(Path::new("static").join(file)).expect("the file is in the folder `static`");
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&bytes).expect("memory can be written");
        let packed_path = Path::new(&out).join(format!("{file}.gz"));
        fs::write(&packed_path, packer.finish().expect("memory can be written")).expect("OUT_DIR can be written");
        let plain_path = fs::canonicalize(Path::new("static").join(file)).expect("the file is there");
        let stem = file.split('.').next().expect("a name has a first part");
        writeln!(
            table,
            "    Asset {{ file: {file:?}, served_as: \"{stem}-{:016x}.{extension}\", media_type: {media_type:?}, \
             plain: include_bytes!({plain_path:?}), packed: include_bytes!({packed_path:?}) }},",
            fingerprint(&bytes)
        )
        .expect("a text can be written");
    }
    table.push_str("];\n");
    fs::write(Path::new(&out).join("assets.rs"), table).expect("OUT_DIR can be written");
}

/// FNV-1a, 64 bits: tells versions of one file apart, nothing more.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
