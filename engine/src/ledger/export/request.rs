//! What can be exported.

/// A report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Report {
    /// Every entry: transactions, holds, settlements, refusals. Its accounting formats have the transactions.
    Journal,
    /// Every posting.
    Postings,
    /// The postings of one account with a running balance.
    AccountStatement,
    /// What a publisher earned and was paid, by day.
    PublisherStatement,
    /// What a partner earned and spent, by day.
    PartnerStatement,
    /// What every account received and spent.
    TrialBalance,
    /// Who got what of the charges, by month, publisher and tool.
    Revenue,
    /// Holds that have not ended.
    OpenHolds,
    /// Everything that takes an earlier transaction back.
    Refunds,
    /// Who changed what, signed in, or exported.
    AuditTrail,
}

impl Report {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Journal, "journal"),
        (Self::Postings, "postings"),
        (Self::AccountStatement, "account-statement"),
        (Self::PublisherStatement, "publisher-statement"),
        (Self::PartnerStatement, "partner-statement"),
        (Self::TrialBalance, "trial-balance"),
        (Self::Revenue, "revenue"),
        (Self::OpenHolds, "open-holds"),
        (Self::Refunds, "refunds"),
        (Self::AuditTrail, "audit-trail"),
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.iter().map(|(report, _)| *report)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(report, _)| *report == self).map_or("", |(_, word)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(report, _)| *report)
    }
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Comma-separated values with a line of names.
    Csv,
    /// An object on each line.
    Jsonl,
    /// A journal for hledger.
    Hledger,
    /// A journal for beancount.
    Beancount,
}

impl Format {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Csv, "csv", "text/csv; charset=utf-8"),
        (Self::Jsonl, "jsonl", "application/jsonl; charset=utf-8"),
        (Self::Hledger, "hledger", "text/plain; charset=utf-8"),
        (Self::Beancount, "beancount", "text/plain; charset=utf-8"),
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.iter().map(|(format, ..)| *format)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(format, ..)| *format == self).map_or("", |(_, word, _)| *word)
    }

    /// Reads what [`Self::as_str`] gives.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(format, ..)| *format)
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        Self::ALL.iter().find(|(format, ..)| *format == self).map_or("", |(.., media)| *media)
    }

    /// The manifest as the last line of a stream, in a form that does not change what the other lines mean.
    pub fn last_line(self, manifest: &str) -> String {
        match self {
            Self::Csv => format!("# {manifest}\n"),
            Self::Jsonl => format!("{{\"manifest\":{manifest}}}\n"),
            Self::Hledger | Self::Beancount => format!("; {manifest}\n"),
        }
    }
}

/// Whose part of the books, in the words of whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Only {
    /// All.
    #[default]
    Everything,
    /// An account: its name in the chart, its number, its owner's identifier, or its owner's address.
    Account(String),
    /// A publisher: its slug or its identifier.
    Publisher(String),
    /// A partner: its name or its identifier.
    Partner(String),
}

impl Only {
    /// What it names, and by which word.
    pub const fn named(&self) -> Option<(&'static str, &String)> {
        match self {
            Self::Everything => None,
            Self::Account(text) => Some(("account", text)),
            Self::Publisher(text) => Some(("publisher", text)),
            Self::Partner(text) => Some(("partner", text)),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which report.
    pub report: Report,
    /// Written how.
    pub format: Format,
    /// From which moment of recording on, in microseconds since the Unix epoch; `None`: from the beginning.
    pub from_us: Option<i64>,
    /// Up to which moment of recording, itself excluded, in microseconds since the Unix epoch; `None`: to the end.
    pub to_us: Option<i64>,
    /// Whose part.
    pub only: Only,
    /// In the accounting formats: every transaction, not sums by day.
    pub is_full: bool,
}

/// Why something cannot be exported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// An accounting format of something else than the journal.
    #[error("the format `{}` has the journal only, not the report `{}`", format.as_str(), report.as_str())]
    NotAJournal {
        /// Which report.
        report: Report,
        /// Which format.
        format: Format,
    },
    /// Sums by day exist in the accounting formats only.
    #[error("`full` goes with the formats `hledger` and `beancount`: `{}` has everything", format.as_str())]
    AlwaysFull {
        /// Which format.
        format: Format,
    },
    /// A statement is of somebody.
    #[error("the report `{}` is about one {what}: name it with `{what}`", report.as_str())]
    Missing {
        /// Which report.
        report: Report,
        /// What is missing.
        what: &'static str,
    },
    /// Part of something that only makes sense as a whole, or of a thing of another kind.
    #[error("the report `{}` as `{}` cannot be limited by `{what}`", report.as_str(), format.as_str())]
    NotLimited {
        /// Which report.
        report: Report,
        /// Which format.
        format: Format,
        /// What was named.
        what: &'static str,
    },
    /// It ends before it begins.
    #[error("the range ends before it begins: from {from_us} to {to_us} microseconds")]
    EndsBeforeItBegins {
        /// In microseconds since the Unix epoch.
        from_us: i64,
        /// In microseconds since the Unix epoch.
        to_us: i64,
    },
}

impl Request {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// It does not; see [`RequestError`].
    pub fn check(&self) -> Result<(), RequestError> {
        let (report, format) = (self.report, self.format);
        let is_accounting = matches!(format, Format::Hledger | Format::Beancount);
        if is_accounting && report != Report::Journal {
            return Err(RequestError::NotAJournal { report, format });
        }
        if self.is_full && !is_accounting {
            return Err(RequestError::AlwaysFull { format });
        }
        let named = self.only.named().map(|(what, _)| what);
        let needed = match report {
            Report::AccountStatement => Some("account"),
            Report::PublisherStatement => Some("publisher"),
            Report::PartnerStatement => Some("partner"),
            _ => None,
        };
        if let (Some(what), None) = (needed, named) {
            return Err(RequestError::Missing { report, what });
        }
        let is_whole = is_accounting || matches!(report, Report::TrialBalance | Report::AuditTrail);
        if let Some(what) = named.filter(|what| is_whole || needed.is_some_and(|needed| needed != *what)) {
            return Err(RequestError::NotLimited { report, format, what });
        }
        match (self.from_us, self.to_us) {
            (Some(from_us), Some(to_us)) if to_us <= from_us => {
                Err(RequestError::EndsBeforeItBegins { from_us, to_us })
            }
            _ => Ok(()),
        }
    }
}
