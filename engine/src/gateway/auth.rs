//! Who may call, decided from what a request shows.

use std::{fmt, net::IpAddr};

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::{
    address::{TrustedProxies, is_loopback},
    headers::Headers,
};
use crate::{
    dialect::{AuthRules, FailureKind, LimiterRules, ScopeRules},
    ledger::leaf::{Digest, sha256},
};

/// The gateway's shared secret, by its digest alone: what is compared has always the same length.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SharedSecret(Digest);

impl SharedSecret {
    /// Of the token or password itself.
    pub fn new(secret: &str) -> Self {
        Self(sha256(secret.as_bytes()))
    }

    /// Whether `guess` is it, in a time that says nothing about either.
    fn is(&self, guess: &str) -> bool {
        verify_slices_are_equal(&self.0, &sha256(guess.as_bytes())).is_ok()
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret")
    }
}

/// What a proxy asserts (`gateway.auth.trustedProxy`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyAssertion {
    /// The header that names the user, in lower case.
    pub user_header: String,
    /// Headers that must be there and not blank, in lower case.
    pub required_headers: Vec<String>,
    /// The users that may call; empty means every user that the proxy names.
    pub allow_users: Vec<String>,
    /// A proxy on this machine counts, where the dialect asks.
    pub allows_loopback: bool,
}

/// How callers show who they are, as configured.
#[derive(Debug, Clone)]
pub enum Door {
    /// The shared token or password as bearer.
    Secret(SharedSecret),
    /// Nothing, from a direct loopback peer; from nobody where identity headers of another kind are expected
    /// (`allowTailscale`).
    Open {
        /// `gateway.auth.allowTailscale`.
        allows_tailscale: bool,
    },
    /// Headers of a trusted proxy.
    Proxy(ProxyAssertion),
}

/// Everything that the decision looks at beside the request.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    /// How callers show who they are.
    pub door: Door,
    /// Whose forwarding headers are believed.
    pub proxies: TrustedProxies,
    /// The dialect's rules.
    pub rules: AuthRules,
    /// The dialect's rules about wrong credentials.
    pub limiter: LimiterRules,
}

/// What a request shows of its caller.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The other end of the connection; `None` where the system does not say.
    pub peer: Option<IpAddr>,
    /// The headers.
    pub headers: &'a Headers<'a>,
}

/// A caller that was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// May use the tools that are for owners alone.
    pub is_owner: bool,
}

/// What the request shows of its caller, before its address may lock it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The right credential. What is wrong with its scopes is told only after the limiter.
    Right(Result<Admitted, MissingScope>),
    /// A wrong credential, or none.
    Wrong {
        /// Whether it counts as a failure of this client.
        counts: bool,
    },
}

/// The caller has given itself too few scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingScope(
    /// The scope that is missing.
    pub String,
);

impl AuthSettings {
    /// The client's address, as far as headers can be believed.
    pub fn client(&self, shown: &Shown<'_>) -> Option<IpAddr> {
        shown.peer.map(|peer| self.proxies.find_client(peer, shown.headers))
    }

    /// Whether forwarding headers make the request one that nobody can be held to, where the dialect minds: before method
    /// and credentials.
    ///
    /// # Errors
    /// [`FailureKind::Unattributed`].
    pub fn check_attribution(&self, shown: &Shown<'_>) -> Result<(), FailureKind> {
        if !self.rules.needs_attribution {
            return Ok(());
        }
        let is_proxy = shown.peer.is_some_and(|peer| self.proxies.contains(peer));
        let peer = shown.peer.map(|peer| peer.to_canonical());
        let names_client = self.client(shown).is_some_and(|client| !is_loopback(client) && Some(client) != peer);
        let is_fine = match self.door {
            Door::Proxy(_) if is_proxy => names_client,
            Door::Proxy(_) | Door::Secret(_) | Door::Open { .. } => is_proxy || !shown.headers.are_forwarded(),
        };
        if is_fine { Ok(()) } else { Err(FailureKind::Unattributed) }
    }

    /// Whether the request shows a right credential.
    pub fn judge(&self, shown: &Shown<'_>) -> Verdict {
        match &self.door {
            Door::Secret(secret) => match bearer(shown.headers) {
                Some(guess) if secret.is(guess) => Verdict::Right(Ok(Admitted { is_owner: true })),
                Some(_) => Verdict::Wrong { counts: true },
                None => Verdict::Wrong { counts: self.limiter.counts_missing },
            },
            Door::Open { allows_tailscale } if !allows_tailscale && self.is_direct(shown) => {
                Verdict::Right(self.scopes(shown.headers))
            }
            Door::Open { .. } => Verdict::Wrong { counts: self.limiter.counts_refused_none },
            Door::Proxy(assertion) if self.asserts(assertion, shown) => Verdict::Right(self.scopes(shown.headers)),
            Door::Proxy(_) => Verdict::Wrong { counts: false },
        }
    }

    /// On this machine, and no proxy.
    fn is_direct(&self, shown: &Shown<'_>) -> bool {
        let is_near = shown.peer.is_some_and(|peer| is_loopback(peer) && !self.proxies.contains(peer));
        is_near && !shown.headers.are_forwarded()
    }

    fn asserts(&self, assertion: &ProxyAssertion, shown: &Shown<'_>) -> bool {
        let counts_as_proxy = |peer| {
            let is_allowed = assertion.allows_loopback || !self.rules.loopback_proxy_needs_flag || !is_loopback(peer);
            self.proxies.contains(peer) && is_allowed
        };
        let user = shown.headers.only_text(&assertion.user_header);
        shown.peer.is_some_and(counts_as_proxy)
            && assertion.required_headers.iter().all(|name| shown.headers.only_text(name).is_some())
            && user.is_some_and(|user| {
                assertion.allow_users.is_empty() || assertion.allow_users.iter().any(|allowed| allowed == user)
            })
    }

    /// The scopes that a caller without a shared secret has given itself; without the header all of them.
    fn scopes(&self, headers: &Headers<'_>) -> Result<Admitted, MissingScope> {
        let Some(ScopeRules { header, needed, owner }) = &self.rules.scopes else {
            return Ok(Admitted { is_owner: true });
        };
        let Some(listed) = headers.find(header) else { return Ok(Admitted { is_owner: true }) };
        let has = |scope: &str| listed.split([',', ' ']).any(|listed| listed.trim() == scope);
        if has(owner) || has(needed) {
            Ok(Admitted { is_owner: has(owner) })
        } else {
            Err(MissingScope(needed.clone()))
        }
    }
}

/// The credential of a request: only `Authorization`, the scheme in any case, a space, the rest trimmed.
fn bearer<'a>(headers: &'a Headers<'_>) -> Option<&'a str> {
    let (scheme, credential) = headers.find("authorization")?.trim().split_once(' ')?;
    let credential = credential.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !credential.is_empty()).then_some(credential)
}

#[cfg(test)]
mod tests;
