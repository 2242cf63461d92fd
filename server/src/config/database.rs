//! The section `database`: where the books are.

use std::path::{Path, PathBuf};

use url::Url;

use super::{reader::Fields, values::ConnectionUrl};

const DEFAULT_URL: &str = "sqlite://data/tollgate.db";

/// The section `database`.
#[derive(Debug, Clone)]
pub struct Database {
    /// The URL as configured.
    pub url: ConnectionUrl,
    /// Which database it names.
    pub kind: DatabaseKind,
}

/// The databases that can hold the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseKind {
    /// One file, made at the first start.
    Sqlite {
        /// The file, relative to the working directory.
        path: PathBuf,
    },
    /// A PostgreSQL server (or one that speaks its protocol).
    Postgres,
}

impl Database {
    pub(super) fn of_file(path: &Path) -> Self {
        let url = ConnectionUrl::new(&format!("sqlite://{}", path.display()));
        Self { url, kind: DatabaseKind::Sqlite { path: path.to_owned() } }
    }

    /// The file of an SQLite database.
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.kind {
            DatabaseKind::Sqlite { path } => Some(path),
            DatabaseKind::Postgres => None,
        }
    }

    /// The master key's file: beside the SQLite file, else `data/master.key`.
    pub fn master_key_path(&self) -> PathBuf {
        const FILE_NAME: &str = "master.key";
        match &self.kind {
            DatabaseKind::Sqlite { path } => path.with_file_name(FILE_NAME),
            DatabaseKind::Postgres => Path::new("data").join(FILE_NAME),
        }
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let url = fields.take("url");
        let configured = url.as_ref().and_then(|value| {
            let text = value.text()?;
            // the URL may hold a password, so the message does not repeat it
            parse_kind(text).map_err(|error| value.wrong(error)).ok().map(|kind| (text, kind))
        });
        match configured {
            Some((url, kind)) => Self { url: ConnectionUrl::new(url), kind },
            None => Self::default(),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        let path = PathBuf::from(DEFAULT_URL.trim_start_matches("sqlite://"));
        Self { url: ConnectionUrl::new(DEFAULT_URL), kind: DatabaseKind::Sqlite { path } }
    }
}

fn parse_kind(url: &str) -> Result<DatabaseKind, String> {
    if let Some(rest) = url.strip_prefix("sqlite:") {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() || path.contains(":memory:") {
            return Err("must name a file: books in memory would be lost".to_owned());
        }
        if path.ends_with('/') || path.contains(['?', '#', '%', '\0']) {
            return Err("must be `sqlite://` and the path of a file, without parameters".to_owned());
        }
        return Ok(DatabaseKind::Sqlite { path: PathBuf::from(path) });
    }
    match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "postgres" | "postgresql") => Ok(DatabaseKind::Postgres),
        _ => Err("must be a `sqlite://` or `postgres://` URL".to_owned()),
    }
}
