//! What a program does to files and sockets, as `strace` writes it down.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Command,
};

use tests::{program::at_home, tollgate_binary, tools::tool};

/// Everything that changes a file, makes a change durable, or lets somebody know.
const CALLS: &str = "trace=pwrite64,ftruncate,unlink,fsync,fdatasync,write,writev,sendto,sendmsg";

/// No page and no answer of these tests is longer: nothing is cut off.
const BYTES_MAX: &str = "65536";

/// One thing that the program did. The bytes of a write or an answer count from the moment at which the system was
/// asked, a sync from the moment at which the system said that it is done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    Written { path: PathBuf, at: usize, bytes: Vec<u8> },
    Truncated { path: PathBuf, length: usize },
    Removed { path: PathBuf },
    Synced { path: PathBuf },
    Sent { bytes: Vec<u8> },
}

/// `tollgate serve` in `folder` under `strace`, which writes to `trace`. The process that is started is the program's
/// own: it can be killed like any other.
pub(super) fn traced_server(folder: &Path, trace: &Path) -> Command {
    let mut command = Command::new(tool("strace"));
    command.args([
        "-D",
        "-f",
        "--seccomp-bpf",
        "-q",
        "-y",
        "-xx",
        "-s",
        BYTES_MAX,
        "-e",
        CALLS,
        "-e",
        "signal=kill",
        "-o",
    ]);
    command.arg(trace).arg(tollgate_binary()).arg("serve");
    at_home(command, folder)
}

/// Reads what `strace -f -y -xx` wrote.
pub(super) fn parse(text: &str) -> Vec<Event> {
    let mut syncs: HashMap<&str, PathBuf> = HashMap::new();
    let mut events = Vec::new();
    for line in text.lines() {
        let (thread, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        if let Some(resumed) = rest.strip_prefix("<... ") {
            if resumed.starts_with("fsync") || resumed.starts_with("fdatasync") {
                let path = syncs.remove(thread).unwrap_or_else(|| panic!("a sync that never began: {line}"));
                // The process ended before it could be told.
                if !resumed.ends_with("= ?") {
                    assert!(resumed.ends_with("= 0"), "{line}");
                    events.push(Event::Synced { path });
                }
            }
            continue;
        }
        let (call, arguments) = rest.split_once('(').unwrap_or_else(|| panic!("not a call: {line}"));
        if call == "fsync" || call == "fdatasync" {
            let path = path_of(arguments);
            if arguments.ends_with("<unfinished ...>") {
                syncs.insert(thread, path);
            } else if !arguments.ends_with("= ?") {
                assert!(arguments.ends_with("= 0"), "{line}");
                events.push(Event::Synced { path });
            }
        } else {
            events.push(change(call, arguments));
        }
    }
    events
}

fn change(call: &str, arguments: &str) -> Event {
    match call {
        "pwrite64" => {
            let bytes = strings(arguments);
            let (_, numbers) = arguments.rsplit_once('"').unwrap();
            Event::Written { path: path_of(arguments), at: last_number(numbers), bytes }
        }
        "ftruncate" => Event::Truncated { path: path_of(arguments), length: last_number(arguments) },
        "unlink" => Event::Removed { path: PathBuf::from(String::from_utf8(strings(arguments)).unwrap()) },
        _ => Event::Sent { bytes: strings(arguments) },
    }
}

/// `9<\x2f…>, …`: the path behind the number of an open file.
fn path_of(arguments: &str) -> PathBuf {
    let (_, rest) = arguments.split_once('<').unwrap();
    let (path, _) = rest.split_once('>').unwrap();
    PathBuf::from(String::from_utf8(unescape(path)).unwrap())
}

/// `…, 24, 32) = 24` or `…, 24, 32 <unfinished ...>`: the last argument.
fn last_number(arguments: &str) -> usize {
    let end = arguments.find(')').or_else(|| arguments.find(" <unfinished")).unwrap();
    arguments[..end].rsplit(", ").next().unwrap().parse().unwrap()
}

/// All strings of a call, one behind the other.
fn strings(arguments: &str) -> Vec<u8> {
    assert!(!arguments.contains("\"..."), "strace cut a string off");
    arguments.split('"').skip(1).step_by(2).flat_map(unescape).collect()
}

fn unescape(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[test]
fn lines_of_strace_are_read_in_the_order_in_which_they_became_true() {
    let text = "\
7 pwrite64(9<\\x2f\\x61>, \"\\x01\\x02\", 2, 32) = 2
7 fdatasync(9<\\x2f\\x61> <unfinished ...>
8 writev(4<\\x73>, [{iov_base=\"\\x61\", iov_len=1}, {iov_base=\"\\x62\", iov_len=1}], 2) = 2
7 <... fdatasync resumed>)              = 0
7 ftruncate(9<\\x2f\\x61>, 5) = 0
9 sendto(5<\\x73>, \"\\x63\", 1, MSG_NOSIGNAL, NULL, 0 <unfinished ...>
9 <... sendto resumed>) = 1
7 +++ killed by SIGKILL +++
";
    let path = || PathBuf::from("/a");
    let expected = [
        Event::Written { path: path(), at: 32, bytes: vec![1, 2] },
        Event::Sent { bytes: b"ab".to_vec() },
        Event::Synced { path: path() },
        Event::Truncated { path: path(), length: 5 },
        Event::Sent { bytes: b"c".to_vec() },
    ];
    assert_eq!(parse(text), expected);
}
