// What TypeScript must accept, and what it must refuse. Compiled, never run.

import { load, PolicyError, type EvaluationResponse, type EvaluationsResponse, type PolicyDocument } from "portcullis-policy";

const policy = load({ version: 1, authentication: {}, authorization: { rules: [] } });
const subject = { type: "user", id: "alice", properties: { roles: ["editor"], department: "finance" } };
const resource = { type: "record", id: "7" };

const answer: EvaluationResponse = policy.evaluate({ subject, action: { name: "GET" }, resource });
if (answer.decision) {
  const basis: "public_route" | "rules" | "authentication_disabled" = answer.context.basis;
  // @ts-expect-error a permit has no code
  console.log(basis, answer.context.code);
} else {
  const code: string = answer.context.code;
  // @ts-expect-error a refusal rests on nothing
  console.log(code, answer.context.basis);
}

// @ts-expect-error a question has a resource
policy.evaluate({ subject, action: { name: "GET" } });
// @ts-expect-error a subject has a type
policy.evaluate({ subject: { id: "alice" }, action: { name: "GET" }, resource });
// @ts-expect-error roles are a list
policy.evaluate({ subject: { type: "user", id: "a", properties: { roles: "editor" } }, action: { name: "GET" }, resource });
// @ts-expect-error one of three semantics
policy.evaluations({ subject, evaluations: [], options: { evaluations_semantic: "all" } });
// @ts-expect-error a document has a version
load({ authentication: {} });
// @ts-expect-error and it is 1
load({ version: 2, authentication: {} });
// @ts-expect-error a section that is misspelt
load({ version: 1, authentication: {}, authorisation: {} });
// @ts-expect-error an effect is one of two
load({ version: 1, authentication: {}, rules: [{ effect: "permit", action: "read", resource: "/a", role: "editor" }] });
// @ts-expect-error an operator is one of the closed set
load({ version: 1, authentication: {}, authorization: { conditions: [{ attribute: "a", operator: "like", value: "b" }] } });
// @ts-expect-error conditions are no part of a rule's own fields
load({ version: 1, authentication: {}, rules: [{ effect: "allow", action: "read", resource: "/a", role: "b", attribute: "c" }] });

const document: PolicyDocument = {
  version: 1,
  authentication: {
    methods: [{ name: "people", jwt: { issuer: "https://a", audience: ["b"], algorithms: ["ES256"], jwks_uri: "https://a/k", cluster: "idp" } }],
  },
  tenancy: { required: true, bind: [{ path: "/orgs/{tenant}/**" }, { query: "tenant" }] },
  authorization: {
    roles: { editor: { permissions: ["docs:*"] } },
    routes: [{ methods: ["GET"], path: "/docs/{id}", permission: "docs:read" }],
    conditions: [{ any_of: [{ attribute: "region", operator: "in", value: ["eu"] }, { attribute: "region", operator: "absent" }] }],
    policies: [{ name: "office", attach: { path: "/docs/**" }, restrictions: { key_types: ["user"] } }],
  },
};
load(document);

const answers = policy.evaluations({ subject, action: { name: "GET" }, evaluations: [{ resource }] });
if ("evaluations" in answers) {
  const all: EvaluationsResponse = answers;
  for (const each of all.evaluations) {
    if ("error" in each.context) console.log(each.context.error.problems[0]?.pointer);
  }
}

const allowed: boolean = policy.ask({ role: "editor", action: "update" }).allowed;
const pointer = (error: PolicyError): string | undefined => error.problems[0]?.pointer;
console.log(allowed, pointer);
