// What the package promises, in Node. That it answers as Rust does is tested in tests/tests/sdk.rs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PolicyError, lint, load } from "portcullis-policy";

const document = {
  version: 1,
  authentication: {},
  authorization: {
    rules: [
      { name: "edit", effect: "allow", action: "update", resource: "/record/*", role: "editor" },
      { name: "frozen", effect: "deny", action: "*", resource: "/record/frozen", role: "*" },
    ],
  },
};

const question = {
  subject: { type: "user", id: "alice", properties: { roles: ["editor"] } },
  action: { name: "update" },
  resource: { type: "record", id: "7" },
};

/** The problems that `act` throws. */
function problems(act) {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof PolicyError, `${error}`);
    assert.ok(error instanceof Error);
    return error.problems;
  }
  assert.fail("nothing was thrown");
}

test("an answer names its reasons", () => {
  assert.deepEqual(load(document).evaluate(question), {
    decision: true,
    context: { decision: "permit", basis: "rules", rules: ["edit"], cross_tenant: false },
  });
  const refused = load(document).evaluate({ ...question, resource: { type: "record", id: "frozen" } });
  assert.deepEqual(refused, {
    decision: false,
    context: { decision: "deny", code: "access_denied", rules: ["frozen"], cross_tenant: false },
  });
});

test("an explanation says what was looked at", () => {
  const { tree, ...answer } = load(document).explain(question);
  assert.deepEqual(answer, { decision: "permit", code: null, reasons: ["edit"], cross_tenant: false });
  const rules = tree.find((node) => node.label === "rules and acl");
  assert.deepEqual(rules, {
    label: "rules and acl",
    verdict: "permit",
    children: [{ label: "edit", verdict: "permit", detail: "allows" }],
  });
  assert.ok(problems(() => load(document).explain({})).length > 0);
});

test("an object, its text and their questions are read alike", () => {
  const answer = load(JSON.stringify(document)).evaluate(JSON.stringify(question));
  assert.deepEqual(answer, load(document).evaluate(question));
});

test("every problem of a document is told", () => {
  const wrong = structuredClone(document);
  wrong.authorization.rules[0].efect = "allow";
  wrong.authorization.rules[1].effect = "dney";
  wrong.authorisation = {};
  assert.deepEqual(
    problems(() => load(wrong)).map(({ pointer, message, nearest }) => [pointer, message, nearest]),
    [
      ["/authorisation", "unknown field", "authorization"],
      ["/authorization/rules/0/efect", "unknown field", "effect"],
      ["/authorization/rules/1/effect", "unknown value", "deny"],
    ],
  );
});

test("a member that occurs twice is seen in text", () => {
  assert.match(problems(() => load('{"version": 1, "version": 1}'))[0].message, /occurs twice/);
});

test("what cannot be read is never answered", () => {
  const policy = load(document);
  const { subject, action } = question;
  assert.deepEqual(problems(() => policy.evaluate({ subject, action })), [{ pointer: "", message: "`resource` is missing" }]);
  for (const wrong of [undefined, null, 7, "", "{", [], { ...question, subject: "alice" }, Symbol("x")]) {
    assert.ok(problems(() => policy.evaluate(wrong)).length > 0);
    assert.ok(problems(() => policy.evaluations(wrong)).length > 0);
    assert.ok(problems(() => load(wrong)).length > 0);
  }
  const deep = "[".repeat(100_000);
  assert.ok(problems(() => policy.evaluate(deep)).length > 0);
  assert.equal(policy.evaluate(question).decision, true, "and the engine lives");
});

test("a batch answers each question, and ends where it says", () => {
  const policy = load(document);
  const evaluations = [{}, { resource: { type: "record", id: "frozen" } }, {}, { resource: { type: "record", id: "a/b" } }];
  const decisions = (request) => policy.evaluations(request).evaluations.map((answer) => answer.decision);
  assert.deepEqual(decisions({ ...question, evaluations }), [true, false, true, false]);
  const options = { evaluations_semantic: "deny_on_first_deny" };
  assert.deepEqual(decisions({ ...question, evaluations, options }), [true, false]);
  const [, , , unread] = policy.evaluations({ ...question, evaluations }).evaluations;
  assert.equal(unread.context.error.problems[0].pointer, "/evaluations/3/resource/id");
  assert.equal(policy.evaluations({ ...question, evaluations: [] }).decision, true);
});

test("the short form asks for a role", () => {
  const policy = load(document);
  assert.equal(policy.ask({ role: "editor", action: "update", resource: "/record/7" }).allowed, true);
  assert.deepEqual(policy.ask({ role: "viewer", action: "update", resource: "/record/7" }).denied_reasons, ["insufficient_role"]);
  assert.equal(problems(() => policy.ask({ token: "x", action: "update" }))[0].pointer, "/token");
});

test("lint finds what loads and is not meant", () => {
  const [finding] = lint(document);
  assert.equal(finding.pointer, "/authentication/methods", "nobody can show a credential");
  assert.equal(typeof finding.message, "string");
  assert.ok(problems(() => lint({})).length > 0);
});

test("many policies live side by side", () => {
  const open = load({ version: 1, authentication: {}, authorization: { public: [{ methods: ["*"], path: "/**" }] } });
  const closed = load({ version: 1, authentication: {} });
  assert.equal(open.evaluate({ ...question, action: { name: "GET" } }).decision, true);
  assert.equal(closed.evaluate({ ...question, action: { name: "GET" } }).decision, false);
  open.free();
  assert.equal(closed.evaluate(question).decision, false);
  assert.throws(() => open.evaluate(question), "a policy that is gone answers nothing");
});
