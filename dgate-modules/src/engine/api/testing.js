// What tests of modules import as `dgate/test`. `native` holds what the gateway lends it; `state` is `dgate/state` with all
// permissions.
(function (native, state) {
  "use strict";

  const tests = [];
  const define = (flags) => (name, work) => {
    if (typeof work !== "function") throw new TypeError(`test "${name}" has no function`);
    tests.push({ name: String(name), work, ...flags });
  };
  const test = Object.assign(define({}), { skip: define({ skip: true }), only: define({ only: true }) });

  // === expect ===

  class AssertionError extends Error {
    constructor(message) {
      super(message);
      Object.defineProperty(this, "name", { value: "AssertionError" });
    }
  }

  const show = (value) => {
    if (typeof value === "string") return JSON.stringify(value);
    if (typeof value === "function") return `function ${value.name}`;
    if (value instanceof Error) return String(value);
    if (value instanceof RegExp || typeof value === "bigint" || typeof value === "symbol") return String(value);
    if (value instanceof Map || value instanceof Set) return `${value.constructor.name} ${show([...value])}`;
    const json = JSON.stringify(value);
    return json === undefined ? String(value) : json;
  };

  const equal = (a, b) => {
    if (Object.is(a, b)) return true;
    if (typeof b === "object" && b !== null && b._matches) return b._matches(a);
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    if (a instanceof Date) return a.getTime() === b.getTime();
    if (a instanceof ArrayBuffer) return equal(new Uint8Array(a), new Uint8Array(b));
    if (a instanceof Map || a instanceof Set) return equal([...a], [...b]);
    if (a instanceof Headers) return equal([...a], [...b]);
    if (a instanceof Error) return a.name === b.name && a.message === b.message;
    const keys = Object.keys(a).filter((key) => a[key] !== undefined);
    const others = Object.keys(b).filter((key) => b[key] !== undefined);
    return keys.length === others.length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
  };

  const includes = (whole, part) => {
    if (typeof whole === "string") return whole.includes(part);
    if (whole instanceof Map || whole instanceof Set) return whole.has(part);
    return Array.from(whole).some((entry) => equal(entry, part));
  };

  const matchesObject = (value, part) =>
    typeof value === "object" && value !== null && Object.keys(part).every((key) =>
      typeof part[key] === "object" && part[key] !== null && !Array.isArray(part[key]) && !part[key]._matches
        ? matchesObject(value[key], part[key]) : equal(value[key], part[key]));

  const threw = (error, expected) => {
    if (expected === undefined) return true;
    if (typeof expected === "string") return String(error && error.message).includes(expected);
    if (expected instanceof RegExp) return expected.test(String(error && error.message));
    if (typeof expected === "function") return error instanceof expected;
    return equal(error, expected);
  };

  // Each says whether it holds, and how it is told.
  const matchers = {
    toBe: (value, expected) => [Object.is(value, expected), `to be ${show(expected)}`],
    toEqual: (value, expected) => [equal(value, expected), `to equal ${show(expected)}`],
    toMatchObject: (value, part) => [matchesObject(value, part), `to match ${show(part)}`],
    toContain: (value, part) => [includes(value, part), `to contain ${show(part)}`],
    toMatch: (value, pattern) => [
      typeof pattern === "string" ? String(value).includes(pattern) : pattern.test(String(value)),
      `to match ${show(pattern)}`,
    ],
    toHaveLength: (value, length) => [value.length === length, `to have length ${length}, not ${value.length}`],
    toHaveProperty: (value, key) => [value !== null && value !== undefined && key in Object(value), `to have ${show(key)}`],
    toBeDefined: (value) => [value !== undefined, "to be defined"],
    toBeUndefined: (value) => [value === undefined, "to be undefined"],
    toBeNull: (value) => [value === null, "to be null"],
    toBeTruthy: (value) => [!!value, "to be truthy"],
    toBeFalsy: (value) => [!value, "to be falsy"],
    toBeNaN: (value) => [Number.isNaN(value), "to be NaN"],
    toBeInstanceOf: (value, type) => [value instanceof type, `to be a ${type.name}`],
    toBeGreaterThan: (value, least) => [value > least, `to be greater than ${show(least)}`],
    toBeGreaterThanOrEqual: (value, least) => [value >= least, `to be at least ${show(least)}`],
    toBeLessThan: (value, most) => [value < most, `to be less than ${show(most)}`],
    toBeLessThanOrEqual: (value, most) => [value <= most, `to be at most ${show(most)}`],
    toBeCloseTo: (value, near, digits = 2) => [Math.abs(value - near) < 10 ** -digits / 2, `to be close to ${near}`],
    toThrow: (work, expected) => {
      const how = expected === undefined ? "to throw" : `to throw ${show(expected)}`;
      try {
        work();
      } catch (error) {
        return [threw(error, expected), `${how}, not ${show(error)}`];
      }
      return [false, how];
    },
  };

  const say = (value, not, [holds, how]) => {
    if (holds === not) throw new AssertionError(`expected ${show(value)} ${not ? "not " : ""}${how}`);
  };

  const assertions = (value, not) => {
    const all = {};
    for (const [name, matcher] of Object.entries(matchers)) {
      all[name] = (...expected) => say(value, not, matcher(value, ...expected));
    }
    return all;
  };

  // What a promise comes to: a value, or a reason.
  const later = (promise, wanted, not) => {
    const settled = async () => {
      try {
        const value = await promise;
        if (wanted === "value") return value;
      } catch (reason) {
        if (wanted === "reason") return reason;
        throw new AssertionError(`expected a promise that resolves; it rejected with ${show(reason)}`);
      }
      throw new AssertionError("expected a promise that rejects; it resolved");
    };
    const all = {};
    for (const [name, matcher] of Object.entries(matchers)) {
      all[name] = async (...expected) => {
        const value = await settled();
        const thrown = name === "toThrow" ? () => { throw value; } : value;
        say(value, not, matcher(thrown, ...expected));
      };
    }
    return all;
  };

  const expect = (value) => {
    const all = assertions(value, false);
    all.not = assertions(value, true);
    Object.defineProperty(all, "resolves", { get: () => ({ ...later(value, "value", false), not: later(value, "value", true) }) });
    Object.defineProperty(all, "rejects", { get: () => ({ ...later(value, "reason", false), not: later(value, "reason", true) }) });
    return all;
  };
  expect.any = (type) => ({
    _matches: (value) => value instanceof type || Object(value) instanceof type,
    toJSON: () => `any ${type.name}`,
  });
  expect.fail = (message = "the test failed") => {
    throw new AssertionError(String(message));
  };

  // === Instead of the network ===

  const answerOf = async (answer, request) => {
    const given = typeof answer === "function" ? await answer(request) : answer;
    if (given instanceof Response) return given.bodyUsed ? given : given.clone();
    if (typeof given === "string") return new Response(given);
    return Response.json(given === undefined ? null : given);
  };

  // A function that answers every request, or answers by URL.
  const mockFetch = (answers) => {
    const calls = [];
    native.setMock(async (request) => {
      calls.push(request);
      if (typeof answers === "function") return answerOf(answers, request);
      if (Object.hasOwn(answers, request.url)) return answerOf(answers[request.url], request);
      throw new TypeError(`fetch failed: nothing answers ${request.method} ${request.url} in this test`);
    });
    return { calls };
  };

  // === Instead of time ===

  const fakeTime = (start = 0) => {
    native.stopTime(start instanceof Date ? start.getTime() : Number(start));
    return {
      advance: (time) => native.passTime(native.milliseconds(time)),
      restore: () => native.stopTime(undefined),
    };
  };

  // === A `ctx` to call hooks with ===

  const targetOf = (options) => {
    const target = options.url !== undefined ? String(options.url) : options.path !== undefined ? String(options.path) : "/";
    const url = new URL(target, "http://test.example");
    for (const [name, value] of new URLSearchParams(options.query)) url.searchParams.append(name, value);
    return url;
  };

  const bodyOf = (value, headers) => {
    if (value === undefined || value === null) return "";
    if (typeof value === "string" || value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value;
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return JSON.stringify(value);
  };

  const ctx = (options = {}) => {
    const url = targetOf(options);
    const headers = new Headers(options.headers);
    if (!headers.has("host")) headers.set("host", url.host);
    const body = bodyOf(options.body, headers);
    const made = native.makeContext(String(options.method || "GET"), url.pathname + url.search, headers, body);
    if (options.upstream !== undefined) {
      const received = new Headers(options.upstream.headers);
      const content = bodyOf(options.upstream.body, received);
      native.setUpstream(made, Number(options.upstream.status || 200), received, content);
    }
    const own = (name, value) => Object.defineProperty(made, name, { value });
    const map = (one, all, values) => {
      own(one, (name) => values[name]);
      own(all, () => ({ ...values }));
    };
    if (options.params !== undefined) map("pathParam", "pathParams", options.params);
    if (options.domainParams !== undefined) map("domainParam", "domainParams", options.domainParams);
    if (options.env !== undefined) own("env", options.env);
    for (const name of ["route", "service", "namespace", "tags", "node"]) {
      if (options[name] !== undefined) own(name, () => options[name]);
    }
    Object.defineProperty(made, "result", { get: () => native.result(made) });
    own("script", () => native.script(made));
    return made;
  };

  // === For whoever runs the tests ===

  const list = () => tests.map(({ name, skip, only }) => ({ name, skip: !!skip, only: !!only }));

  const run = async (number) => {
    native.setMock(async (request) => {
      throw new TypeError(`fetch failed: tests have no network; use mockFetch for ${request.url}`);
    }, true);
    native.stopTime(undefined);
    await tests[number].work();
  };

  return { test, expect, mockFetch, fakeTime, ctx, documents: state, list, run };
})
