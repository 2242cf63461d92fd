use super::*;

#[test]
fn enough_rows_move_the_log_into_the_file_and_fewer_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.db");
    drop(Connection::open(&path).unwrap());
    // Stays open: the last connection to close would move the log, too.
    let writer = super::super::books::open(&path).unwrap();
    writer.execute_batch("CREATE TABLE filled (page BLOB)").unwrap();
    writer.execute("INSERT INTO filled VALUES (zeroblob(100000))", []).unwrap();
    let bytes_after = |rows: usize| {
        let mut checkpointer = Checkpointer::start(&path).unwrap();
        // In two steps: rows of several batches add up.
        checkpointer.wrote(1);
        checkpointer.wrote(rows - 1);
        drop(checkpointer);
        path.metadata().unwrap().len()
    };
    assert!(bytes_after(ROWS_BETWEEN - 1) < 100_000, "the log was moved too early");
    assert!(bytes_after(ROWS_BETWEEN) > 100_000, "the log was not moved");
}
