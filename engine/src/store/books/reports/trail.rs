//! Reads the audit trail in pages, up to where it stood at the beginning.

use std::sync::mpsc::SyncSender;

use super::{Books, News, ReportError, Start, anchor::find_checkpoint, page::each, plan::nonsense, span_of};
use crate::{
    audit::AuditHead,
    ledger::{
        export::{chart::Chart, manifest::Position, request::Request},
        verify::Line,
    },
    store::books::{
        rows,
        source::{Select, Source as _, Statement as _},
    },
};

/// How many rows a page has at most.
const PAGE_ROWS: i64 = 1_024;

const HEADS: Select =
    Select { table: "audit_head", sql: "SELECT slot, seq, last_us, hash FROM audit_head WHERE seq > 0 ORDER BY slot" };
const ROWS: Select = Select {
    table: "audit",
    sql: "SELECT slot, seq, recorded_us, actor_kind, actor_id, method, credential, action, object_kind, object_id,
                 before_json, after_json, reason, request_id, prev_hash, hash
          FROM audit WHERE slot = $1 AND seq BETWEEN $2 AND $3 ORDER BY slot, seq",
};

/// Sends the rows of the range.
pub(super) fn read(books: &impl Books, request: &Request, news: &SyncSender<News>) -> Result<(), ReportError> {
    let heads = read_heads(books)?;
    let total = heads.iter().fold(0_i64, |total, head| total.saturating_add(head.seq));
    let position: Vec<_> =
        heads.iter().map(|head| Position { slot: head.slot, batch_no: None, seq: head.seq, hash: head.hash }).collect();
    let total = u64::try_from(total).unwrap_or(0);
    let (span, checkpoint) = (span_of(request, None, false), find_checkpoint(books, &position)?);
    let start = Start { chart: Chart::new(), only: None, span, position, checkpoint, total };
    let mut is_heard = news.send(News::Start(Box::new(start))).is_ok();
    for head in heads {
        let mut first = 1_i64;
        while is_heard && first <= head.seq {
            let last = first.saturating_add(PAGE_ROWS).saturating_sub(1).min(head.seq);
            is_heard = news.send(read_page(books, request, [head.slot, first, last])?).is_ok();
            first = last.saturating_add(1);
        }
    }
    Ok(())
}

fn read_heads(books: &impl Books) -> Result<Vec<AuditHead>, ReportError> {
    let mut heads = Vec::new();
    each(&mut books.page(&[]).prepare(HEADS)?.open()?, |row| match rows::audit_head(row) {
        Ok(Line::AuditHead(head)) => {
            heads.push(head);
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(column) => Err(nonsense("audit_head", column)),
    })?;
    Ok(heads)
}

fn read_page(books: &impl Books, request: &Request, numbers: [i64; 3]) -> Result<News, ReportError> {
    let [slot, mut next, last] = numbers;
    let mut rows = Vec::new();
    each(&mut books.page(&numbers).prepare(ROWS)?.open()?, |row| match rows::audit(row) {
        Ok(Line::Audit(audit, hash)) => {
            if audit.seq != next {
                return Err(nonsense("audit", &format!("row {slot}/{next} is missing")));
            }
            next = next.saturating_add(1);
            let is_after = request.from_us.is_none_or(|from_us| audit.recorded_us >= from_us);
            let is_wanted = is_after && request.to_us.is_none_or(|to_us| audit.recorded_us < to_us);
            rows.extend(is_wanted.then_some((*audit, hash)));
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(column) => Err(nonsense("audit", column)),
    })?;
    if next <= last {
        return Err(nonsense("audit", &format!("row {slot}/{next} is missing")));
    }
    Ok(News::Audit(rows))
}
