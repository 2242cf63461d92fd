use super::*;

fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

#[test]
fn a_command_that_ends_gives_its_exit_and_all_that_it_printed() {
    // More than a pipe holds, on both at once.
    let line = "head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2; cat; exit 7";
    let output = shell(line).ended().unwrap();
    assert_eq!((output.status.code(), output.stdout.len(), output.stderr.len()), (Some(7), 300_000, 200_000));
    assert_eq!(shell("cat").ended_with("a password\n").unwrap().stdout, b"a password\n");
    assert!(Command::new("no-such-program-anywhere").ended().is_err());
}

#[test]
#[should_panic(expected = "does not end")]
fn a_command_that_hangs_is_killed_and_named() {
    drop(ended_within(&mut shell("exec sleep 600"), "", Duration::from_millis(200)));
}
