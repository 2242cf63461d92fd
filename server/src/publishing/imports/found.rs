//! What a server has said of its tools, or a document, while it is looked through. That takes time, so it is done on threads that no
//! request waits for, once, and as part of the errand that it came with.

use std::{collections::HashMap, sync::Arc};

use actix_web::web;
use engine::{catalog::Visibility, code::Code, service::publishing::NewOwnTool};
use serde_json::{Value, json};

use super::tool_fault;
use crate::{errands::Errand, http::problem::Problem, publishing::sources, upstream::FoundTool};

/// The tools of an MCP server.
pub(super) struct Found {
    tools: Arc<Vec<FoundTool>>,
    errand: Arc<Errand>,
}

/// A tool as it is known here: its name on the server, and its schema.
pub(super) type Known = (String, String);

impl Found {
    pub(super) fn new(tools: Vec<FoundTool>, errand: Arc<Errand>) -> Self {
        Self { tools: Arc::new(tools), errand }
    }

    /// In their order there.
    pub(super) fn tools(&self) -> &[FoundTool] {
        &self.tools
    }

    /// Those of these names alone.
    pub(super) fn named(&self, names: &[String]) -> Self {
        let tools = self.tools.iter().filter(|tool| names.contains(&tool.name)).cloned().collect();
        Self::new(tools, Arc::clone(&self.errand))
    }

    /// As an answer shows them.
    pub(super) async fn shown(&self) -> Result<Vec<Value>, Problem> {
        let tools = Arc::clone(&self.tools);
        aside(&self.errand, move || tools.iter().map(view).collect()).await
    }

    /// As new tools of a namespace, with schemas that arguments may be checked against.
    pub(super) async fn checked(&self, visibility: Visibility) -> Result<Vec<NewOwnTool>, Problem> {
        let tools = Arc::clone(&self.tools);
        aside(&self.errand, move || sources::of_mcp(&tools, visibility)).await?.map_err(tool_fault)
    }

    /// The names of those that are known here with another schema.
    pub(super) async fn changed(&self, known: Vec<Known>) -> Result<Vec<String>, Problem> {
        let tools = Arc::clone(&self.tools);
        let work = move || {
            let known: HashMap<String, String> = known.into_iter().collect();
            let differs = |tool: &&FoundTool| {
                known.get(&tool.name).is_some_and(|schema| parsed(schema) != parsed(&tool.input_schema))
            };
            tools.iter().filter(differs).map(|tool| tool.name.clone()).collect()
        };
        aside(&self.errand, work).await
    }
}

/// Works something out where no request waits for the thread. The errand is under way until that is done, whether somebody still
/// waits for it or not.
pub(super) async fn aside<T: Send + 'static>(
    errand: &Arc<Errand>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let errand = Arc::clone(errand);
    let done = web::block(move || {
        let done = work();
        drop(errand);
        done
    });
    done.await.map_err(|_cancelled| Problem::new(Code::Internal, "what was asked for could not be read"))
}

fn view(tool: &FoundTool) -> Value {
    json!({
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "input_schema": parsed(&tool.input_schema),
        "annotations": tool.annotations,
    })
}

fn parsed(schema: &str) -> Value {
    serde_json::from_str(schema).unwrap_or_default()
}

#[cfg(test)]
mod tests;
