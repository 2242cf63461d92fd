//! The journal as hledger reads it. Accounts and the commodity are declared, so that `hledger check -s` accepts it and
//! nothing else; the commodity has no decimals, so that nothing is rounded.

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
pub struct Hledger;

impl Dialect for Hledger {
    fn name(&self, kind: AccountKind, code: &str) -> String {
        names::hledger(kind, code)
    }

    fn begin(&self, frame: &Frame<'_>, accounts: &mut dyn Iterator<Item = &String>, out: &mut Out<'_>) {
        for line in heading(frame) {
            out.text(&format!("; {line}\n"));
        }
        out.text(&format!("\ncommodity 1. {COMMODITY}\n\n"));
        for account in accounts {
            let kind = match account.split(':').next() {
                Some("assets") => "A",
                Some("liabilities") => "L",
                Some("equity") => "E",
                Some("revenue") => "R",
                _ => "X",
            };
            out.text(&format!("account {account}  ; type:{kind}\n"));
            out.pass();
        }
    }

    fn transaction(&self, day: i64, about: &About<'_>, amounts: &[(&str, i128)], out: &mut Out<'_>) {
        let date = date_of(day);
        let head = match about {
            About::Opening => format!("{date} opening balances\n"),
            About::Sums { kind, count, first, last, batches, root } => format!(
                "{date} {}\n    ; count:{count}, first:{}, last:{}, batches:{batches}, root:{}\n",
                kind.as_str(),
                place(*first),
                place(*last),
                hex(root)
            ),
            About::One { entry, position, batch_no, root } => {
                let optional = |name: &str, id: Option<crate::id::EntryId>| {
                    id.map_or(String::new(), |id| format!(", {name}:{}", id_text(id)))
                };
                format!(
                    "{date} ({}) {}\n    ; at:{}, batch:{batch_no}, effective:{}{}{}, root:{}\n",
                    id_text(entry.id),
                    entry.kind.as_str(),
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
                bytes.extend_from_slice(b"    ");
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
        out.text(&format!("\n{} closing balances\n", date_of(span.last_day)));
        for (account, balance) in balances {
            out.text(&format!("    {account}  0 {COMMODITY} = {balance} {COMMODITY}\n"));
            out.pass();
        }
    }
}
