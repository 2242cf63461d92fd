use std::os::unix::fs::symlink;

use engine::ledger::{
    checkpoint::{Checkpoint, NO_CHECKPOINT, SignedCheckpoint},
    jsonl::checkpoint_view_with_key,
    signing::SigningKey,
};

use super::*;

/// A checkpoint as it stands in the file, without the end of its line.
fn line(number: i64) -> String {
    let key = SigningKey::from_seed(&[7; 32], 1).unwrap();
    let (heads, others) = (Vec::new(), Vec::new());
    let made_us = 1_800_000_000_000_000;
    let checkpoint = Checkpoint { number, made_us, key: 1, prev_hash: NO_CHECKPOINT, heads, others, successor: None };
    let signature = key.sign(&checkpoint.bytes()).unwrap();
    checkpoint_view_with_key(&SignedCheckpoint { checkpoint, signature }, &key.public()).to_string()
}

fn last_number(path: &Path) -> Option<i64> {
    read_last(path).unwrap().map(|kept| kept.signed.checkpoint.number)
}

#[tokio::test]
async fn after_a_failed_append_the_file_is_looked_at_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let mut copy = KeptCopy { path: path.clone(), written: 0, complaint: None };
    copy.write(format!("{}\n", line(1)), 1).await.unwrap();
    assert_eq!(copy.written, 1);

    // A disk without room.
    fs::remove_file(&path).unwrap();
    symlink("/dev/full", &path).unwrap();
    let failed = copy.write(format!("{}\n", line(2)), 2).await.unwrap_err();
    assert!(failed.to_string().contains("No space left"), "{failed}");
    assert_eq!(copy.written, 0, "where the file ends is not known");

    // What it took before it was full.
    fs::remove_file(&path).unwrap();
    let (first, second) = (line(1), line(2));
    fs::write(&path, format!("{first}\n{}", second.get(..second.len() / 2).unwrap())).unwrap();
    assert_eq!(last_number(&path), Some(1));
    copy.write(format!("{second}\n"), 2).await.unwrap();
    assert_eq!((copy.written, last_number(&path)), (2, Some(2)));
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{first}\n{second}\n"));
}

#[test]
fn the_end_of_a_file_is_its_last_whole_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    assert_eq!(last_number(&path), None, "there is no file");
    let (first, second) = (line(1), line(2));
    for (text, expected, left) in [
        (String::new(), None, String::new()),
        (first.get(..9).unwrap().to_owned(), None, String::new()),
        (format!("{first}\n"), Some(1), format!("{first}\n")),
        (format!("{first}\n{second}\n"), Some(2), format!("{first}\n{second}\n")),
        // Whole but for its end, so nobody knows that it is.
        (format!("{first}\n{second}"), Some(1), format!("{first}\n")),
    ] {
        fs::write(&path, &text).unwrap();
        assert_eq!(last_number(&path), expected, "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), left, "{text}");
    }
    fs::write(&path, "nonsense\n").unwrap();
    assert!(matches!(read_last(&path), Err(CopyError::NoCheckpoint(_))));
}

#[test]
fn a_kept_file_is_read_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let longest = usize::try_from(LINE_BYTES_MAX).unwrap();
    let spaces = " ".repeat(longest.checked_sub(1).unwrap());
    let (first, second) = (line(1), line(2));
    for (text, expected) in [
        (format!("{first}\n\n{second}"), Ok(vec![1, 2])),
        (format!("{first}\r\n{second}\n"), Ok(vec![1, 2])),
        // The longest line that there may be, end included.
        (format!("{spaces}\n{first}\n"), Ok(vec![1])),
        (format!("{first}\n{spaces} \n"), Err("line 2 is too long")),
        (format!("{first}\n{}", second.get(..9).unwrap()), Err("line 2 is no checkpoint with its key")),
        (" \n\n".to_owned(), Err("there is no checkpoint in it")),
    ] {
        fs::write(&path, &text).unwrap();
        let read = read_file(&path);
        let numbers = |kept: Vec<Kept>| kept.iter().map(|kept| kept.signed.checkpoint.number).collect::<Vec<_>>();
        match expected {
            Ok(expected) => assert_eq!(read.map(numbers), Ok(expected)),
            Err(why) => assert!(read.as_ref().is_err_and(|said| said.contains(why)), "{why}: {read:?}"),
        }
    }
    assert!(read_file(&folder.path().join("nothing")).unwrap_err().contains("No such file"));
}
