// What goes in and comes out, as OpenID AuthZEN 1.0 names it. No code.

import type { PortcullisPolicyDocument } from "./document.js";

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

/** A policy document, as `docs/document.md` describes it. Its parts are made of `docs/portcullis.schema.json` when this is built. */
export type PolicyDocument = PortcullisPolicyDocument & { readonly version: 1 };

/** Who asks, taken at their word: verify a credential before. The type `anonymous` is a caller without one. */
export interface Subject {
  readonly type: string;
  readonly id: string;
  readonly properties?: SubjectProperties;
}

/** What is known of a subject; names that are not listed are attributes for conditions. */
export interface SubjectProperties {
  readonly tenant?: string;
  readonly roles?: readonly string[];
  readonly groups?: readonly string[];
  readonly scopes?: readonly string[];
  readonly permissions?: readonly string[];
  /** Name of the authentication method that verified the credential. */
  readonly method?: string;
  /** The kind of credential. */
  readonly key_type?: string;
  readonly [attribute: string]: Json | undefined;
}

/** What is to be done: a request method in capitals, such as `GET`, or the name of an action. */
export interface Action {
  readonly name: string;
  readonly properties?: { readonly [property: string]: Json | undefined };
}

/** What it is to be done to. Its path is `/{type}/{id}` unless the properties say another; the type `route` has its path as id. */
export interface Resource {
  readonly type: string;
  readonly id: string;
  readonly properties?: ResourceProperties;
}

/** What is known of a resource; names that are not listed are attributes for conditions. */
export interface ResourceProperties {
  readonly path?: string;
  readonly host?: string;
  readonly [attribute: string]: Json | undefined;
}

/** What else is known; names that are not listed are attributes for conditions. */
export interface Context {
  readonly headers?: { readonly [name: string]: string | readonly string[] };
  readonly query?: { readonly [name: string]: string | readonly string[] };
  /** The address of the peer. */
  readonly source?: string;
  /** When: RFC 3339. Nothing here reads a clock. */
  readonly time?: string;
  readonly [attribute: string]: Json | undefined;
}

/** One question: AuthZEN 1.0 section 6.1. */
export interface EvaluationRequest {
  readonly subject: Subject;
  readonly action: Action;
  readonly resource: Resource;
  readonly context?: Context;
}

/** Many questions, each with the parts it does not inherit: AuthZEN 1.0 section 7.1. */
export interface EvaluationsRequest extends Partial<EvaluationRequest> {
  readonly evaluations: readonly Partial<EvaluationRequest>[];
  readonly options?: {
    readonly evaluations_semantic?: "execute_all" | "deny_on_first_deny" | "permit_on_first_permit";
  };
}

/** One question in its short form. */
export interface ShortRequest {
  readonly role?: string;
  readonly action: string;
  /** A path; `/` when absent. */
  readonly resource?: string;
  readonly subject?: SubjectProperties & { readonly id?: string; readonly type?: string; readonly role?: string };
}

/** The stable codes of refusals. */
export type Code =
  | "missing_token"
  | "tenant_required"
  | "tenant_mismatch"
  | "insufficient_role"
  | "insufficient_scope"
  | "insufficient_permissions"
  | "insufficient_group"
  | "access_denied";

/** Why a request is permitted. */
export interface Permit {
  readonly decision: "permit";
  readonly basis: "public_route" | "rules" | "authentication_disabled";
  readonly rules: readonly string[];
  readonly tenant?: string;
  readonly cross_tenant: boolean;
}

/** Why a request is refused. */
export interface Refusal {
  readonly decision: "deny" | "not_applicable" | "indeterminate";
  readonly code: Code;
  readonly rules: readonly string[];
  readonly tenant?: string;
  readonly cross_tenant: boolean;
}

/** One answer: AuthZEN 1.0 section 6.2. */
export type EvaluationResponse =
  | { readonly decision: true; readonly context: Permit }
  | { readonly decision: false; readonly context: Refusal };

/** The answer to a question of a batch that cannot be read. */
export interface Unanswered {
  readonly decision: false;
  readonly context: {
    readonly error: { readonly status: 400; readonly message: string; readonly problems: readonly Problem[] };
  };
}

/** The answers in the order of the questions; fewer where the semantic says so. */
export interface EvaluationsResponse {
  readonly evaluations: readonly (EvaluationResponse | Unanswered)[];
}

/** The answer to a question in its short form. */
export type ShortResponse =
  | { readonly allowed: true; readonly denied_reasons: readonly []; readonly details: Permit }
  | { readonly allowed: false; readonly denied_reasons: readonly [Code]; readonly details: Refusal };

/** One thing that was looked at. */
export interface ExplanationNode {
  readonly label: string;
  readonly verdict:
    | "permit"
    | "deny"
    | "not_applicable"
    | "indeterminate"
    | "met"
    | "unmet"
    | "unknown"
    | "noted";
  readonly detail?: string;
  readonly children?: readonly ExplanationNode[];
}

/** An answer with everything that was looked at, in order. */
export interface Explanation {
  readonly decision: "permit" | "deny" | "not_applicable" | "indeterminate";
  /** None for a permit. */
  readonly code: Code | null;
  readonly reasons: readonly string[];
  readonly cross_tenant: boolean;
  readonly tree: readonly ExplanationNode[];
}

/** One thing that is wrong with a document or a question. */
export interface Problem {
  /** JSON Pointer (RFC 6901) of the place. */
  readonly pointer: string;
  readonly message: string;
  readonly expected?: string;
  /** The known name that was probably meant. */
  readonly nearest?: string;
}

/** Something that loads and is probably not meant. */
export interface Finding {
  /** JSON Pointer (RFC 6901) of the place. */
  readonly pointer: string;
  /** Name of the lint that found it, which stays the same: `docs/lints.md` lists them. */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}
