//! What is wrong with a policy, and with which of its parts.

use std::sync::Arc;

use super::PolicyVersionError;
use crate::{
    document::DocumentPath,
    policy::{Policies, PolicyComparison, PolicyLoadError, WrittenPolicy, WrittenPolicyError},
    service::Services,
};

/// How many kinds of sessions are compared while somebody waits.
pub const SESSIONS_COMPARED_MAX: usize = 5_000;

/// How many kinds of sessions are compared for a page: that takes some seconds.
const SESSIONS_LOOKED_AT_MAX: usize = 50_000;

/// A policy that was looked at.
#[derive(Debug)]
pub enum PolicyCheck {
    /// It is right, and ready to decide.
    Right(Box<Policies>),
    /// It cannot be used. At least one fault.
    Wrong(Vec<PolicyFault>),
}

/// Something wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFault {
    /// The value of the document that it is about; `None` if it is about the Cedar policies beside it, or nothing in
    /// particular.
    pub path: Option<DocumentPath>,
    /// In which line of the Cedar policies, from 1, if it is about those.
    pub line: Option<usize>,
    /// What, as one line.
    pub message: String,
}

impl Services {
    /// Checks a policy against the gateway's rules and the catalog; returns it ready to decide.
    ///
    /// # Errors
    /// Every problem of it.
    pub async fn compile_policy(&self, policy: &WrittenPolicy) -> Result<Policies, PolicyVersionError> {
        let errors = match self.try_policy(policy).await? {
            Ok(policies) => return Ok(policies),
            Err(errors) => errors,
        };
        Err(PolicyVersionError::Broken(errors.iter().flat_map(lines_of).collect()))
    }

    /// The same, with the places of what is wrong.
    ///
    /// # Errors
    /// This process does not know the gateway's rules, or cannot offer its tools.
    pub async fn check_policy(&self, policy: &WrittenPolicy) -> Result<PolicyCheck, PolicyVersionError> {
        Ok(match self.try_policy(policy).await? {
            Ok(policies) => PolicyCheck::Right(Box::new(policies)),
            Err(errors) => PolicyCheck::Wrong(errors.iter().flat_map(faults_of).collect()),
        })
    }

    /// What changes for whom when `new` takes the place of `old`. Both are right.
    ///
    /// # Errors
    /// This process does not know the gateway's rules, one of them is wrong after all, or there is too much to compare.
    pub async fn compare_policies(
        &self,
        old: &WrittenPolicy,
        new: &WrittenPolicy,
    ) -> Result<PolicyComparison, PolicyVersionError> {
        let (before, after) = (self.compile_policy(old).await?, self.compile_policy(new).await?);
        let size = before.chain().zip(after.chain()).map_or(0, |(old, new)| old.diff_size(new));
        if size > SESSIONS_LOOKED_AT_MAX {
            let said = format!("there are {size} kinds of sessions: `policy diff` compares them");
            return Err(PolicyVersionError::Broken(vec![said]));
        }
        let compared = tokio::task::spawn_blocking({
            let (old, new) = (old.operator.clone(), new.operator.clone());
            move || before.compare(&after, &old, &new)
        });
        let broken = |problem: String| PolicyVersionError::Broken(vec![problem]);
        let compared = compared.await.map_err(|error| broken(error.to_string()))?;
        compared.map_err(|error| broken(error.to_string()))
    }

    /// What changes for whom when a policy that was just checked takes the place of the one in force; nothing where there are
    /// more than [`SESSIONS_COMPARED_MAX`] sessions to compare, which takes longer than somebody waits who types.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn compare_with_published(
        &self,
        new: Box<Policies>,
        operator: &str,
    ) -> Result<(Box<Policies>, Option<PolicyComparison>), PolicyVersionError> {
        let published = self.find_published_policy().await?;
        let own_text = published.map(|(_, written)| written.operator).unwrap_or_default();
        let (in_force, operator) = (Arc::clone(self.snapshot().policies()), operator.to_owned());
        let compared = tokio::task::spawn_blocking(move || {
            let old = in_force.policies();
            let size = old.chain().zip(new.chain()).map_or(0, |(old, new)| old.diff_size(new));
            let is_small = size <= SESSIONS_COMPARED_MAX;
            let compared = is_small.then(|| old.compare(&new, &own_text, &operator)).transpose();
            compared.map(|compared| (new, compared)).map_err(|error| error.to_string())
        });
        let broken = |problem: String| PolicyVersionError::Broken(vec![problem]);
        compared.await.map_err(|error| broken(error.to_string()))?.map_err(broken)
    }

    /// A wrong document keeps nobody from hearing of the Cedar policies beside it.
    async fn try_policy(
        &self,
        policy: &WrittenPolicy,
    ) -> Result<Result<Policies, Vec<WrittenPolicyError>>, PolicyVersionError> {
        let setup = self.gateway.load_full().ok_or(PolicyVersionError::Unprepared)?;
        let broken = |problem: String| PolicyVersionError::Broken(vec![problem]);
        let offers = setup.offers(&self.snapshot()).map_err(broken)?;
        let policy = policy.clone();
        let compiled = tokio::task::spawn_blocking(move || {
            setup.compile(&policy, &offers).map_err(|error| {
                let is_document = matches!(error, WrittenPolicyError::Document(_));
                let mut errors = vec![error];
                if is_document && let Err(error) = Policies::load_with(setup.sources(), &policy.operator, None) {
                    errors.push(error.into());
                }
                errors
            })
        });
        compiled.await.map_err(|error| broken(error.to_string()))
    }
}

fn lines_of(error: &WrittenPolicyError) -> Vec<String> {
    match error {
        WrittenPolicyError::Document(problems) => problems.iter().map(ToString::to_string).collect(),
        WrittenPolicyError::Chain(_) | WrittenPolicyError::Cedar(_) => vec![error.to_string()],
    }
}

fn faults_of(error: &WrittenPolicyError) -> Vec<PolicyFault> {
    match error {
        WrittenPolicyError::Document(problems) => {
            let fault = |problem: &crate::document::DocumentProblem| PolicyFault {
                path: Some(problem.path.clone()),
                line: None,
                message: problem.to_string(),
            };
            problems.iter().map(fault).collect()
        }
        WrittenPolicyError::Chain(error) => vec![PolicyFault { path: None, line: None, message: error.to_string() }],
        WrittenPolicyError::Cedar(error) => {
            let problems = match error {
                PolicyLoadError::Schema(problems)
                | PolicyLoadError::SchemaMisfit(problems)
                | PolicyLoadError::Syntax(problems)
                | PolicyLoadError::Rule(problems)
                | PolicyLoadError::Validation(problems) => problems,
            };
            let fault = |problem: &crate::policy::PolicyProblem| PolicyFault {
                path: None,
                line: problem.line,
                message: problem.to_string(),
            };
            problems.as_slice().iter().map(fault).collect()
        }
    }
}
