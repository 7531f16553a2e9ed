//! One transaction that writes.
//!
//! Each statement that crosses to SQLite's thread and back costs two switches of threads, more than the statement itself.
//! So what brings no answer waits for company: an accepted message, from BEGIN to COMMIT, crosses once. PostgreSQL takes one
//! statement at a time.

use std::cmp::Reverse;

use sqlx::{AnyConnection, Executor};

use crate::engine::{self, Engine};
use crate::sql::{self, Statement};

/// So few statements cross together, whatever they are. More of them would make too many texts to keep prepared: those cross
/// by their numbers of rows.
const FEW: usize = 16;

/// A transaction; without [`Transaction::commit`] it must be rolled back.
pub(crate) struct Transaction<'c> {
    connection: &'c mut AnyConnection,
    engine: Engine,
    waiting: Vec<Statement>,
    is_begun: bool,
}

impl<'c> Transaction<'c> {
    /// A new one, not yet begun.
    pub(crate) const fn new(connection: &'c mut AnyConnection, engine: Engine) -> Self {
        Self { connection, engine, waiting: Vec::new(), is_begun: false }
    }

    /// One that has begun, and that another ends: [`Transaction::send`] what waits.
    pub(crate) const fn within(connection: &'c mut AnyConnection, engine: Engine) -> Self {
        Self { connection, engine, waiting: Vec::new(), is_begun: true }
    }

    /// Whether there is something to roll back.
    pub(crate) const fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// Writes, soon. Statements of one row keep their order; those of more rows may overtake them.
    pub(crate) fn execute(&mut self, statement: Statement) {
        self.waiting.push(statement);
    }

    /// As [`Transaction::execute`], for several.
    pub(crate) fn execute_all(&mut self, statements: impl IntoIterator<Item = Statement>) {
        self.waiting.extend(statements);
    }

    /// For reading. On SQLite, where nobody else writes, what is only read needs no transaction.
    pub(crate) async fn reader(&mut self) -> Result<&mut AnyConnection, sqlx::Error> {
        self.send().await?;
        if self.engine == Engine::Postgres {
            self.begin().await?;
        }
        Ok(self.connection)
    }

    /// For what writes and brings an answer.
    pub(crate) async fn writer(&mut self) -> Result<&mut AnyConnection, sqlx::Error> {
        self.send().await?;
        self.begin().await?;
        Ok(self.connection)
    }

    /// Writes what waits.
    pub(crate) async fn send(&mut self) -> Result<(), sqlx::Error> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.begin().await?;
        let mut statements = std::mem::take(&mut self.waiting);
        if self.engine == Engine::Postgres {
            for statement in &statements {
                self.run(std::slice::from_ref(statement)).await?;
            }
            return Ok(());
        }
        if statements.len() <= FEW {
            return self.run(&statements).await;
        }
        statements.sort_by_key(|statement| Reverse(statement.rows));
        for alike in statements.chunk_by(|one, other| one.rows == other.rows && one.is_prepared && other.is_prepared) {
            for piece in sql::chunks(alike) {
                self.run(piece).await?;
            }
        }
        Ok(())
    }

    /// What to ask for where the answer to [`Transaction::commit`] is lost: PostgreSQL's number of it. SQLite's is never lost.
    pub(crate) async fn number(&mut self) -> Result<Option<String>, sqlx::Error> {
        if self.engine == Engine::Sqlite {
            return Ok(None);
        }
        self.send().await?;
        if self.is_begun { engine::transaction_number(self.connection).await } else { Ok(None) }
    }

    /// Makes all of it durable.
    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        if !self.is_begun && self.waiting.is_empty() {
            return Ok(());
        }
        if self.engine == Engine::Sqlite && self.waiting.len() + 2 <= FEW {
            let mut statements = Vec::with_capacity(self.waiting.len() + 2);
            if !self.is_begun {
                statements.push(Statement::new(self.engine.begin()));
            }
            statements.append(&mut self.waiting);
            statements.push(Statement::new("COMMIT"));
            self.is_begun = true;
            return self.run(&statements).await;
        }
        self.send().await?;
        self.connection.execute("COMMIT").await.map(|_| ())
    }

    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        if !self.is_begun {
            self.is_begun = true;
            self.connection.execute(self.engine.begin()).await?;
        }
        Ok(())
    }

    async fn run(&mut self, statements: &[Statement]) -> Result<(), sqlx::Error> {
        sql::query(self.engine, statements)?.execute(&mut *self.connection).await.map(|_| ())
    }
}
