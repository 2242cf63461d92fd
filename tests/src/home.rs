//! Where the program is at home: a folder, and a database of one kind or the other. What holds for the program holds on
//! both, so tests take the kind as an argument and [`on_both_databases`](crate::on_both_databases) runs them twice.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::postgres::{Cluster, TestDatabase};

/// In the folder of the program: the URL of the database, where that is not a file in the folder.
const URL_FILE: &str = "database.url";

/// The databases that can hold the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file in the program's folder.
    Sqlite,
    /// A database of the cluster that the tests share.
    Postgres,
}

/// A folder, and its database. Both are removed when dropped.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    database: Option<TestDatabase<'static>>,
}

impl Home {
    /// An empty one. On PostgreSQL every run of the program in the folder uses the same database of its own.
    ///
    /// # Panics
    /// It can't be made.
    pub fn on(kind: Kind) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let database = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(Cluster::shared().database()),
        };
        if let Some(database) = &database {
            std::fs::write(folder.path().join(URL_FILE), database.url()).expect("a file");
        }
        Self { folder, database }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The database of a server.
    pub fn database(&self) -> Option<&TestDatabase<'static>> {
        self.database.as_ref()
    }

    /// The file of an SQLite database that the configuration does not name.
    pub fn file(&self) -> PathBuf {
        self.path().join("data/tollgate.db")
    }
}

/// The URL of the database that the program in `folder` is to use instead of the configured one.
pub(crate) fn database_url(folder: &Path) -> Option<String> {
    std::fs::read_to_string(folder.join(URL_FILE)).ok()
}

/// Runs each of these `fn(Kind)` as a test on SQLite and as a test on PostgreSQL.
#[macro_export]
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[test]
                fn $name() {
                    super::$name($crate::home::Kind::Sqlite);
                }
            )*
        }

        mod postgres {
            $(
                #[test]
                fn $name() {
                    super::$name($crate::home::Kind::Postgres);
                }
            )*
        }
    };
}
