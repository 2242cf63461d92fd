//! What a file and its folder allow.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use rustix::fs::{Access, access, statvfs};

/// The folder of a file, or the nearest one above that is there: the rest would be made.
pub(super) fn existing_folder(path: &Path) -> &Path {
    let above = path.ancestors().skip(1).find(|folder| folder.is_dir());
    above.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether this process may make files in a folder.
pub(super) fn check_folder(folder: &Path) -> io::Result<()> {
    Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Whether this process may read and write a file.
pub(super) fn check_file(path: &Path) -> io::Result<()> {
    Ok(access(path, Access::READ_OK | Access::WRITE_OK)?)
}

/// How many bytes an ordinary user may still write in a folder.
pub(super) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let found = statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

pub(super) fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The bits of permission.
pub(super) fn mode(found: &Metadata) -> u32 {
    found.permissions().mode() & 0o7777
}
