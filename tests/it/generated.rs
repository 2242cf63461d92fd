//! Files that are generated and committed: each is compared with what generates it.

use std::process::{Command, Stdio};

use tests::workspace_root;

#[test]
fn the_lock_file_is_current() {
    let output = Command::new(env!("CARGO"))
        .current_dir(workspace_root())
        .args(["metadata", "--locked", "--no-deps", "--quiet", "--format-version", "1"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_openapi_document_is_current() {
    let folder = tests::program::folder();
    let output = tests::program::tollgate(folder.path(), &["openapi"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    tests::assert_file_is_current("docs/openapi.json", &String::from_utf8(output.stdout).unwrap());
}
