// Types around the engine. It reads text, so that a question is read here as it is everywhere else.

import { Engine, lint as findings } from "./engine/portcullis.js";
import type {
  EvaluationRequest,
  EvaluationResponse,
  EvaluationsRequest,
  EvaluationsResponse,
  Explanation,
  Finding,
  PolicyDocument,
  Problem,
  ShortRequest,
  ShortResponse,
} from "./types.js";

export type * from "./types.js";

/** A document or a question that cannot be read, with everything that is wrong with it. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  /** At most 100, in the order of their pointers. */
  readonly problems: readonly Problem[];
  /** How many there are beyond those. */
  readonly unlisted: number;

  constructor(problems: readonly Problem[], unlisted: number) {
    super(problems.map((problem) => `${problem.pointer || "document"}: ${problem.message}`).join("\n"));
    this.problems = problems;
    this.unlisted = unlisted;
  }
}

/** A loaded policy. */
export class Policy {
  readonly #engine: Engine;

  /** @throws PolicyError with everything that is wrong with the document */
  constructor(document: PolicyDocument | string) {
    this.#engine = reading(() => new Engine(text(document)));
  }

  /** @throws PolicyError when the question cannot be read */
  evaluate(request: EvaluationRequest | string): EvaluationResponse {
    return JSON.parse(reading(() => this.#engine.evaluation(text(request)))) as EvaluationResponse;
  }

  /**
   * The same answer with everything that was looked at, as names and truths.
   *
   * @throws PolicyError when the question cannot be read
   */
  explain(request: EvaluationRequest | string): Explanation {
    return JSON.parse(reading(() => this.#engine.explain(text(request)))) as Explanation;
  }

  /**
   * Without any `evaluations` the answer is that of `evaluate`.
   *
   * @throws PolicyError when the whole cannot be read; one question that cannot be read is answered with `false`
   */
  evaluations(request: EvaluationsRequest | string): EvaluationsResponse | EvaluationResponse {
    return JSON.parse(reading(() => this.#engine.evaluations(text(request)))) as EvaluationsResponse;
  }

  /** @throws PolicyError when the question cannot be read */
  ask(request: ShortRequest | string): ShortResponse {
    return JSON.parse(reading(() => this.#engine.short(text(request)))) as ShortResponse;
  }

  /** Gives the memory back at once; otherwise it goes when the policy is collected. */
  free(): void {
    this.#engine.free();
  }
}

/**
 * Loads a document: an object, or JSON text, in which a member that occurs twice is seen.
 *
 * @throws PolicyError with everything that is wrong with the document
 */
export function load(document: PolicyDocument | string): Policy {
  return new Policy(document);
}

/**
 * What loads but is probably not meant.
 *
 * @throws PolicyError with everything that is wrong with the document
 */
export function lint(document: PolicyDocument | string): readonly Finding[] {
  return JSON.parse(reading(() => findings(text(document)))) as readonly Finding[];
}

/** JSON text; what has none, such as `undefined`, becomes empty text, which the engine refuses. */
function text(value: PolicyDocument | EvaluationRequest | EvaluationsRequest | ShortRequest | string): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** The engine throws text where something cannot be read. Whatever else it throws is a fault and stays one. */
function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (typeof thrown !== "string") throw thrown;
    const { problems, unlisted } = JSON.parse(thrown) as { problems: Problem[]; unlisted: number };
    throw new PolicyError(problems, unlisted);
  }
}
