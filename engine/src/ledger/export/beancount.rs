//! The journal as beancount reads it. Whole amounts have no tolerance there; a balance is taken at the beginning of its
//! day, so the closing ones carry the day after.

use super::{
    Frame, Span,
    journal::{About, COMMODITY, Dialect, heading, id_text, place},
    names,
    out::Out,
    value::{date_of, push_integer, time_text},
};
use crate::ledger::{AccountKind, hex::hex};

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Beancount;

impl Dialect for Beancount {
    fn name(&self, kind: AccountKind, code: &str) -> String {
        names::beancount(kind, code)
    }

    fn begin(&self, frame: &Frame<'_>, accounts: &mut dyn Iterator<Item = &String>, out: &mut Out<'_>) {
        for line in heading(frame) {
            out.text(&format!("; {line}\n"));
        }
        let date = date_of(frame.span.first_day);
        out.text(&format!("\noption \"title\" \"Tollgate\"\noption \"operating_currency\" \"{COMMODITY}\"\n"));
        out.text(&format!("\n{date} commodity {COMMODITY}\n\n"));
        for account in accounts {
            out.text(&format!("{date} open {account} {COMMODITY}\n"));
            out.pass();
        }
    }

    fn transaction(&self, day: i64, about: &About<'_>, amounts: &[(&str, i128)], out: &mut Out<'_>) {
        let date = date_of(day);
        let head = match about {
            About::Opening => format!("{date} * \"opening balances\"\n"),
            About::Sums { kind, count, first, last, batches, root } => format!(
                "{date} * \"{}\"\n  count: \"{count}\"\n  first: \"{}\"\n  last: \"{}\"\n  batches: \"{batches}\"\n  \
                 root: \"{}\"\n",
                kind.as_str(),
                place(*first),
                place(*last),
                hex(root)
            ),
            About::One { entry, position, batch_no, root } => {
                let optional = |name: &str, id: Option<crate::id::EntryId>| {
                    id.map_or(String::new(), |id| format!("  {name}: \"{}\"\n", id_text(id)))
                };
                format!(
                    "{date} * \"{}\"\n  txn: \"{}\"\n  at: \"{}\"\n  batch: \"{batch_no}\"\n  effective: \"{}\"\n{}{}  \
                     root: \"{}\"\n",
                    entry.kind.as_str(),
                    id_text(entry.id),
                    place(*position),
                    time_text(entry.effective_us),
                    optional("hold", entry.hold),
                    optional("reverses", entry.reverses),
                    hex(root)
                )
            }
        };
        out.text("\n");
        out.row(|bytes| {
            bytes.extend_from_slice(head.as_bytes());
            for (account, amount) in amounts {
                bytes.extend_from_slice(b"  ");
                bytes.extend_from_slice(account.as_bytes());
                bytes.extend_from_slice(b"  ");
                push_integer(bytes, *amount);
                bytes.push(b' ');
                bytes.extend_from_slice(COMMODITY.as_bytes());
                bytes.push(b'\n');
            }
        });
    }

    fn closing(&self, span: Span, balances: &mut dyn Iterator<Item = (&str, i128)>, out: &mut Out<'_>) {
        let date = date_of(span.last_day.saturating_add(1));
        out.text("\n");
        for (account, balance) in balances {
            out.text(&format!("{date} balance {account}  {balance} {COMMODITY}\n"));
            out.pass();
        }
    }
}
