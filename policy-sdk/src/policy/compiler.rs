//! What is at hand while a document is compiled, and what of it decisions need: names, roles, who carries what.

use std::collections::BTreeSet;

use crate::condition::Conditions;
use crate::document::{self, JsonPointer, Problem};
use crate::limits::MAX_INHERITED_ROLES;
use crate::path_tree::{PathTemplate, TemplateError};
use crate::permission::PermissionPattern;

use super::action::Words;
use super::carrier::Carriers;
use super::grant::Grants;
use super::role::Roles;
use super::source::Source;
use super::symbol::{Kind, Symbol, Symbols};
use super::symbol_set::SymbolSet;

/// Names, roles and grants of a document.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) symbols: Symbols,
    pub(super) anyone: Symbol,
    pub(super) words: Words,
    pub(super) roles: Roles,
    /// The sets of roles that carry what routes ask for.
    pub(super) carriers: Vec<SymbolSet>,
    pub(super) grants: Grants,
}

/// What is at hand while a document is compiled.
pub(super) struct Compiler<'a> {
    pub(super) symbols: Symbols,
    pub(super) anyone: Symbol,
    pub(super) roles: Roles,
    pub(super) carriers: Carriers,
    pub(super) problems: &'a mut Vec<Problem>,
    /// Where the authorization stands.
    pub(super) place: JsonPointer,
    attributes: BTreeSet<String>,
    pub(super) needs_more: bool,
    /// Whether the document says how much of a body is read.
    has_body: bool,
    /// Whether a condition looks at the body.
    pub(super) reads_body: bool,
    /// Whether a condition looks at the peer's address.
    pub(super) reads_source: bool,
}

impl<'a> Compiler<'a> {
    /// Begins with roles and grants, which everything else refers to.
    pub(super) fn new(source: &Source<'_>, problems: &'a mut Vec<Problem>) -> (Compiler<'a>, Grants) {
        let Source { document, authorization, .. } = source;
        let mut symbols = Symbols::default();
        let anyone = symbols.intern(Kind::Anyone, "");
        let roles = Roles::compile(&authorization.roles, &mut symbols);
        let mut compiler = Compiler {
            symbols,
            anyone,
            roles,
            carriers: Carriers::default(),
            problems,
            place: source.place.clone(),
            attributes: BTreeSet::new(),
            needs_more: false,
            has_body: document.request.body.is_some(),
            reads_body: false,
            reads_source: false,
        };
        let place = compiler.place.member("roles");
        for (name, role) in authorization.roles.iter() {
            let symbol = compiler.symbols.intern(Kind::Role, name);
            let inherited = compiler.roles.closure(symbol).map_or(0, SymbolSet::len).saturating_sub(1);
            if inherited > MAX_INHERITED_ROLES {
                let place = place.member(name).member("inherits");
                let problem = Problem::new(place, format!("{inherited} roles, with what those inherit"));
                compiler.problems.push(problem.expected(format!("at most {MAX_INHERITED_ROLES}")));
            }
            compiler.carry(&role.permissions, symbol, || place.member(name));
        }
        let place = JsonPointer::root().member("tenancy").member("tenants");
        for (tenant, own) in document.tenancy.tenants.iter() {
            let symbol = compiler.symbols.intern(Kind::Tenant, tenant);
            for (name, role) in own.roles.iter() {
                let symbol = compiler.symbols.intern(Kind::RoleOf(symbol), name);
                compiler
                    .carry(&role.permissions, symbol, || place.member(tenant).member("roles").member(name));
            }
        }
        let grants = Grants::compile(&authorization.grants, &mut compiler);
        (compiler, grants)
    }

    /// Compiles the `conditions` of what stands at `place`.
    pub(super) fn conditions(&mut self, list: &[document::Condition], place: &JsonPointer) -> Conditions {
        let conditions = Conditions::compile(list, &place.member("conditions"), self.problems);
        self.needs_more |= list.iter().any(names_more);
        self.reads_source |= conditions.read_source();
        if conditions.read_body() {
            self.reads_body = true;
            if !self.has_body {
                let problem = Problem::new(place.member("conditions"), "`context.body`, and no body is read");
                let bound =
                    "`request: {body: {max_bytes: 65536}}`, with the most bytes of a body that is held";
                self.problems.push(problem.expected(bound));
            }
        }
        self.attributes.extend(conditions.subject_attributes().into_iter().map(str::to_owned));
        conditions
    }

    /// Reads a path template.
    pub(super) fn template(&mut self, text: &str, place: &JsonPointer) -> Option<PathTemplate> {
        text.parse().map_err(|error| self.not_a_template(&error, place)).ok()
    }

    /// Reports a text that is no path template.
    pub(super) fn not_a_template(&mut self, error: &TemplateError, place: &JsonPointer) {
        let problem = Problem::new(place.clone(), "not a path template");
        self.problems.push(problem.expected(error.to_string()));
    }

    /// Reads permissions.
    pub(super) fn patterns(&mut self, permissions: &[String], place: &JsonPointer) -> Vec<PermissionPattern> {
        let mut patterns = Vec::new();
        for (index, text) in permissions.iter().enumerate() {
            match text.parse() {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => {
                    let error: crate::permission::InvalidPermission = error;
                    let problem = Problem::new(place.element(index), "not a permission");
                    self.problems.push(problem.expected(error.to_string()));
                }
            }
        }
        patterns
    }

    /// Whether anything depends on groups, kinds of subjects and credentials, methods, or attributes of one's own.
    pub(super) fn needs_more(&self) -> bool {
        self.needs_more || !self.attributes.is_empty() || self.symbols.has(Kind::Group)
    }

    /// What decisions need, and the names of the subject's attributes that conditions look at.
    pub(super) fn finish(self, grants: Grants) -> (Directory, BTreeSet<String>) {
        let Compiler { mut symbols, anyone, roles, carriers, attributes, .. } = self;
        symbols.shrink();
        let words = Words::of(&symbols);
        (Directory { symbols, anyone, words, roles, carriers: carriers.into_sets(), grants }, attributes)
    }

    fn carry(&mut self, permissions: &[String], role: Symbol, place: impl Fn() -> JsonPointer) {
        for pattern in self.patterns(permissions, &place().member("permissions")) {
            self.carriers.add(pattern, role);
        }
    }
}

/// Whether a condition names what a subject has besides its id, tenant, roles, scopes and permissions.
fn names_more(condition: &document::Condition) -> bool {
    let is_more = |name: &String| {
        let name = name.strip_prefix("subject.").unwrap_or(name);
        ["groups", "key_type", "method", "type"].contains(&name)
    };
    match condition {
        document::Condition::Test(test) => {
            std::iter::once(&test.attribute).chain(&test.value_from).any(is_more)
        }
        document::Condition::AnyOf(group) => group.any_of.iter().any(names_more),
        document::Condition::AllOf(group) => group.all_of.iter().any(names_more),
        document::Condition::NoneOf(group) => group.none_of.iter().any(names_more),
    }
}

/// What is said of templates that one path could match in too many ways.
pub(super) const TOO_MANY_CHOICES: &str =
    "templates that differ in which segments are wildcards: one path could match too many of them";
