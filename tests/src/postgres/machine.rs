//! What the machine that runs the tests has for a cluster: programs, a disk, a user, a port.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    net::TcpListener,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use super::VERSION_MIN;

/// Where Debian and Ubuntu keep the servers, a folder for each major version.
const SERVERS: &str = "/usr/lib/postgresql";

/// Below what the system gives to sockets that ask for any port: nobody takes the port of a cluster that is down.
pub(super) const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// The folders of the servers that are new enough, newest first.
pub(super) fn server_folders() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(SERVERS) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    newest_first(names).into_iter().map(|version| Path::new(SERVERS).join(version.to_string()).join("bin")).collect()
}

pub(super) fn newest_first(names: impl Iterator<Item = String>) -> Vec<u32> {
    let mut versions: Vec<u32> =
        names.filter_map(|name| name.parse().ok()).filter(|version| *version >= VERSION_MIN).collect();
    versions.sort_unstable_by(|left, right| right.cmp(left));
    versions
}

/// A folder for temporary files that lie on a disk and not in memory: a flush has to mean something.
pub(super) fn disk() -> &'static Path {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let folders = ["/var/tmp", "/tmp"].map(Path::new);
    let found = folders.into_iter().find(|folder| folder.is_dir() && !is_in_memory(&mounts, folder));
    found.expect("a folder for temporary files on a disk: neither /var/tmp nor /tmp is")
}

/// Whether the file system of `path` is one in memory, by the table of mounted ones.
pub(super) fn is_in_memory(mounts: &str, path: &Path) -> bool {
    let mounted = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, kind) = (Path::new(words.next()?), words.next()?);
        path.starts_with(place).then(|| (place.components().count(), kind))
    });
    // The last of several at one place covers the others.
    mounted.max_by_key(|(depth, _)| *depth).is_some_and(|(_, kind)| matches!(kind, "tmpfs" | "ramfs"))
}

/// The user and the group for a server that must not run as the owner of `folder`, which is us, because we are root.
pub(super) fn other_user(folder: &Path) -> Option<(u32, u32)> {
    if folder.metadata().expect("whose folder it is").uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("the list of users");
    let found = ["postgres", "nobody"].into_iter().find_map(|name| find_user(&users, name));
    assert!(found.is_some(), "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`");
    found
}

pub(super) fn find_user(users: &str, name: &str) -> Option<(u32, u32)> {
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    fields.into_iter().find_map(|fields| match fields.as_slice() {
        [known, _, uid, gid, ..] if *known == name => Some((uid.parse().ok()?, gid.parse().ok()?)),
        _ => None,
    })
}

/// Ports that nobody listens on, in an order that differs between processes.
pub(super) fn free_ports() -> impl Iterator<Item = u16> {
    // No port twice in this process: that of a server that is down for a while stays its own.
    static GIVEN: AtomicUsize = AtomicUsize::new(0);
    let count = usize::from(PORTS.end - PORTS.start);
    let first = usize::try_from(std::process::id()).unwrap_or_default().wrapping_mul(101);
    let ports = (0..count).filter_map(move |_| {
        let place = first.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % count;
        u16::try_from(place).ok().map(|place| PORTS.start + place)
    });
    ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
}

/// A superuser of PostgreSQL can run programs, and everybody on this machine reaches the port.
pub(super) fn secret() -> String {
    let draw = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", draw(), draw())
}
