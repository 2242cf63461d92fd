//! How the database carries out what is read: told in the log before each statement, for whoever asks for that with
//! `RUST_LOG=engine::store::readers::plans=trace`. Otherwise nothing is asked.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement};

/// Tells the plan of `statement`, with the values that it is carried out with.
pub(super) async fn tell(pool: &DatabaseConnection, statement: &Statement) {
    if !tracing::enabled!(tracing::Level::TRACE) {
        return;
    }
    let sql = one_line(&statement.sql);
    match ask(pool, statement).await {
        Ok(steps) => tracing::trace!("{sql} => {}", steps.join(" | ")),
        Err(error) => tracing::trace!(%error, "{sql} has no plan"),
    }
}

async fn ask(pool: &DatabaseConnection, statement: &Statement) -> Result<Vec<String>, DbErr> {
    let (explain, column) = match pool.get_database_backend() {
        DbBackend::Postgres => ("EXPLAIN (COSTS OFF)", 0),
        // Behind the numbers of a step, of the one that it belongs to, and of nothing.
        _ => ("EXPLAIN QUERY PLAN", 3),
    };
    let asked = Statement { sql: format!("{explain} {}", statement.sql), ..statement.clone() };
    let rows = pool.query_all_raw(asked).await?;
    let step = |row: &QueryResult| row.try_get_by_index::<String>(column).map(|step| without_texts(step.trim()));
    rows.iter().map(step).collect()
}

fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// PostgreSQL writes values into its plans: addresses and secrets' digests are nobody's business.
fn without_texts(step: &str) -> String {
    let part = |(number, part): (usize, &str)| if number % 2 == 0 { part.to_owned() } else { "'?'".to_owned() };
    step.split('\'').enumerate().map(part).collect()
}

#[cfg(test)]
mod tests;
