//! Tenants: which one a request belongs to, and that it is the caller's own.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::bytes::is_same;
use crate::condition::Truth;
use crate::decision::{Refusal, Response, RuleId};
use crate::document::{self, Binding, JsonPointer, Problem};
use crate::host::canonical_host;
use crate::limits::MAX_SEARCH_STEPS;
use crate::path_tree::{PathTemplate, PathTree, Spellings};
use crate::query;
use crate::request::{AccessRequest, Subject};
use crate::unknown::Fact;

use super::caller::Caller;
use super::symbol::Kind;
use super::symbol_set::SymbolSet;
use super::{Compiler, TOO_MANY_CHOICES};

/// What a document says of tenants.
#[derive(Debug, Default)]
pub(super) struct Tenants {
    required: bool,
    default: Option<String>,
    paths: PathTree<BoundPath>,
    headers: Vec<(RuleId, String)>,
    hosts: Vec<(RuleId, HostTemplate)>,
    queries: Vec<(RuleId, String)>,
    cross_tenant_roles: SymbolSet,
}

/// A tenant, by the place that names it. Whoever sends a request chooses these bytes.
type Named<'a> = (&'a RuleId, Cow<'a, [u8]>);

/// A path of which one segment names the tenant.
#[derive(Debug)]
struct BoundPath {
    id: RuleId,
    /// Which segment; none where the template names no tenant, and so binds nothing.
    place: Option<usize>,
}

/// A host with one label that names the tenant.
#[derive(Debug)]
struct HostTemplate {
    before: String,
    after: String,
}

/// What the tenancy of a request comes to.
#[derive(Debug, Default)]
pub(super) struct TenancyDecision<'a> {
    pub(super) refusal: Option<(Refusal, Option<RuleId>)>,
    pub(super) tenant: Option<Cow<'a, str>>,
    pub(super) cross_tenant: bool,
    /// It depends on facts that are not known, and the rest means nothing.
    pub(super) is_open: bool,
}

impl<'a> TenancyDecision<'a> {
    /// The answer, with the tenant that it was found in.
    pub(super) fn of(self, response: Response) -> Response {
        Response { tenant: self.tenant.map(Cow::into_owned), cross_tenant: self.cross_tenant, ..response }
    }

    fn refused(refusal: Refusal, reason: Option<RuleId>) -> TenancyDecision<'a> {
        TenancyDecision { refusal: Some((refusal, reason)), ..TenancyDecision::default() }
    }
}

impl Tenants {
    pub(super) fn compile(tenancy: &document::Tenancy, compiler: &mut Compiler<'_>) -> Tenants {
        let roles = &tenancy.cross_tenant.roles;
        let cross_tenant_roles = roles.iter().map(|role| compiler.symbols.intern(Kind::Role, role));
        let mut compiled = Tenants {
            required: tenancy.required,
            default: tenancy.default.clone(),
            cross_tenant_roles: cross_tenant_roles.collect(),
            ..Tenants::default()
        };
        for (index, binding) in tenancy.bind.iter().enumerate() {
            let id = RuleId::new(None, &format!("tenancy/{index}"));
            let pointer = JsonPointer::root().member("tenancy").member("bind").element(index);
            match binding {
                Binding::Path(text) => match text.parse::<PathTemplate>() {
                    Ok(template) => {
                        let place = template.place_of("tenant");
                        if compiled.paths.insert(template, BoundPath { id, place }).is_err() {
                            let problem = Problem::new(pointer.member("path"), "this path is bound already");
                            compiler.problems.push(problem.expected("each path once"));
                        }
                    }
                    Err(error) => {
                        let problem = Problem::new(pointer.member("path"), "not a path template");
                        compiler.problems.push(problem.expected(error.to_string()));
                    }
                },
                Binding::Query(name) => compiled.queries.push((id, name.clone())),
                Binding::Header(name) => compiled.headers.push((id, name.to_ascii_lowercase())),
                Binding::Host(text) => {
                    match HostTemplate::of(text) {
                        Some(template) => compiled.hosts.push((id, template)),
                        None => {
                            let problem = Problem::new(pointer.member("host"), "not a host template");
                            compiler.problems.push(problem.expected(
                                "a host with `{tenant}` as one label, such as `{tenant}.example.com`",
                            ));
                        }
                    }
                }
            }
        }
        if compiled.paths.worst_case_steps() > MAX_SEARCH_STEPS {
            let place = JsonPointer::root().member("tenancy").member("bind");
            compiler.problems.push(Problem::new(place, TOO_MANY_CHOICES));
        }
        compiled
    }

    /// Compares every place that names a tenant with the caller's own.
    ///
    /// The caller is not told whether the other tenant exists: nothing here knows.
    pub(super) fn decide<'a>(
        &'a self,
        request: &'a AccessRequest<'_>,
        caller: &Caller<'_>,
        paths: &'a Spellings<'_>,
    ) -> TenancyDecision<'a> {
        let own = self.own(request.subject);
        if self.required && request.subject.is_some() && own.is_none() {
            return TenancyDecision::refused(Refusal::TenantRequired, None);
        }
        let unknown = request.context.unknown;
        let open = TenancyDecision { is_open: true, ..TenancyDecision::default() };
        let by_header = self.headers.iter().any(|(_, name)| unknown.hides(Fact::Header, name));
        if by_header || !self.queries.is_empty() && unknown.hides(Fact::Query, "") {
            return open;
        }
        let addressed = match self.addressed(request, paths) {
            Ok(addressed) => addressed,
            Err(id) => return TenancyDecision::refused(Refusal::TenantMismatch, Some(id.clone())),
        };
        let own_is = |tenant: &[u8]| own.is_some_and(|own| is_same(own.as_bytes(), tenant));
        match addressed {
            None => TenancyDecision { tenant: own.map(Cow::Borrowed), ..TenancyDecision::default() },
            Some((_id, tenant)) if own_is(&tenant) => {
                TenancyDecision { tenant: own.map(Cow::Borrowed), ..TenancyDecision::default() }
            }
            Some((id, tenant)) => {
                let allowed = match caller.has_one_of(&self.cross_tenant_roles) {
                    Truth::True => true,
                    Truth::False => false,
                    Truth::Unknown(_not_known) => return open,
                };
                match String::from_utf8(tenant.into_owned()) {
                    Ok(tenant) if allowed && !tenant.is_empty() => TenancyDecision {
                        tenant: Some(Cow::Owned(tenant)),
                        cross_tenant: true,
                        ..TenancyDecision::default()
                    },
                    Ok(_) | Err(_) => TenancyDecision::refused(Refusal::TenantMismatch, Some(id.clone())),
                }
            }
        }
    }

    /// Whether anything here depends on the tenant of a caller.
    pub(super) fn matter(&self) -> bool {
        self.required
            || self.default.is_some()
            || !(self.headers.is_empty() && self.hosts.is_empty() && self.queries.is_empty())
            || !self.paths.is_empty()
    }

    /// The tenant of a caller: the credential's, or the default.
    pub(super) fn own<'a>(&'a self, subject: Option<&'a Subject>) -> Option<&'a str> {
        subject.and_then(|subject| subject.tenant.as_deref().or(self.default.as_deref()))
    }

    /// The tenant that the request names, with the first place that names it.
    ///
    /// # Errors
    ///
    /// A place that names another one than those before: no upstream can be trusted to read the one we would compare.
    fn addressed<'a>(
        &'a self,
        request: &'a AccessRequest<'_>,
        paths: &'a Spellings<'a>,
    ) -> Result<Option<Named<'a>>, &'a RuleId> {
        let mut first: Option<Named<'a>> = None;
        let mut name = |id: &'a RuleId, tenant: Cow<'a, [u8]>| match &first {
            Some((_first, other)) if *other != tenant => Err(id),
            Some(_same) => Ok(()),
            None => {
                first = Some((id, tenant));
                Ok(())
            }
        };
        // What the path as it came names is looked at before what its other spelling does.
        let mut by_twin: SmallVec<[(&RuleId, &[u8]); 2]> = SmallVec::new();
        for bound in self.paths.all(paths) {
            let BoundPath { id, place } = bound.value;
            let Some(tenant) = place.and_then(|place| paths.segment(place)) else { continue };
            if bound.is_own() {
                name(id, Cow::Borrowed(tenant))?;
            } else {
                by_twin.push((id, tenant));
            }
        }
        for (id, tenant) in by_twin {
            name(id, Cow::Borrowed(tenant))?;
        }
        for (id, header) in &self.headers {
            for value in request.context.header_values(header) {
                name(id, Cow::Borrowed(value.trim_ascii()))?;
            }
        }
        for (id, template) in &self.hosts {
            if let Some(tenant) = template.tenant(request.resource.host) {
                name(id, Cow::Borrowed(tenant.as_bytes()))?;
            }
        }
        for (id, parameter) in &self.queries {
            match query::values(request.context.query.unwrap_or_default(), parameter) {
                Ok(values) => {
                    for value in values {
                        name(id, Cow::Owned(value.into_owned().into_bytes()))?;
                    }
                }
                // Whatever somebody makes of it, it is nobody's tenant: no byte of this is text.
                Err(_ambiguous) => name(id, Cow::Borrowed(&[0xFF]))?,
            }
        }
        Ok(first)
    }
}

impl HostTemplate {
    fn of(text: &str) -> Option<HostTemplate> {
        let (before, after) = text.split_once("{tenant}")?;
        let label_alone = (before.is_empty() || before.ends_with('.')) && after.starts_with('.');
        // With a label in the tenant's place the whole must be a host.
        let whole = canonical_host(format!("{before}tenant{after}").as_bytes())?;
        let parts_as_written =
            whole.len() == before.len().checked_add(after.len())?.checked_add("tenant".len())?;
        (label_alone && parts_as_written)
            .then(|| HostTemplate { before: before.to_ascii_lowercase(), after: after.to_ascii_lowercase() })
    }

    fn tenant<'a>(&self, host: &'a str) -> Option<&'a str> {
        let label = host.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str())?;
        (!label.is_empty() && !label.contains('.')).then_some(label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_template_names_one_label() {
        let template = HostTemplate::of("{tenant}.Example.com").unwrap();
        assert_eq!(template.tenant("acme.example.com"), Some("acme"));
        assert_eq!(template.tenant("example.com"), None);
        assert_eq!(template.tenant("a.b.example.com"), None);
        let inner = HostTemplate::of("api.{tenant}.example.com").unwrap();
        assert_eq!(inner.tenant("api.acme.example.com"), Some("acme"));
        for wrong in
            ["example.com", "x{tenant}.example.com", "{tenant}", "{tenant}.example.com:80", "{tenant}x.com"]
        {
            assert!(HostTemplate::of(wrong).is_none(), "{wrong}");
        }
    }
}
