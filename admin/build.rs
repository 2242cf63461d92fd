//! Packs the console's static files and names them after what is in them, so that browsers may keep them for ever.

use std::{
    env, fs,
    io::{self, Write as _},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};

/// The files, with the names that pages use and what they are.
const FILES: [(&str, &str, &str); 3] = [
    ("app.css", "css", "text/css; charset=utf-8"),
    ("app.js", "js", "text/javascript; charset=utf-8"),
    ("htmx-4.0.1.min.js", "js", "text/javascript; charset=utf-8"),
];

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let mut table = String::from("/// Every static file.\nstatic ASSETS: &[Asset] = &[\n");
    for (file, extension, media_type) in FILES {
        println!("cargo::rerun-if-changed=static/{file}");
        let bytes = fs::read(Path::new("static").join(file))?;
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&bytes)?;
        fs::write(Path::new(&out).join(format!("{file}.gz")), packer.finish()?)?;
        let stem = file.split('.').next().unwrap_or(file);
        let served_as = format!("{stem}-{:016x}.{extension}", fingerprint(&bytes));
        let plain = format!("include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/static/{file}\"))");
        let packed = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{file}.gz\"))");
        let entry = format!(
            "    Asset {{ file: {file:?}, served_as: {served_as:?}, media_type: {media_type:?}, plain: {plain}, \
             packed: {packed} }},\n"
        );
        table.push_str(&entry);
    }
    table.push_str("];\n");
    fs::write(Path::new(&out).join("assets.rs"), table)
}

/// FNV-1a, 64 bits: tells versions of one file apart, nothing more.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
