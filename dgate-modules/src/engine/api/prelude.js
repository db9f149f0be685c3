// What is rarely used, in JavaScript. Evaluated when a module first needs some of it, or a route is written in the
// script dialect. `native` holds what the gateway lends it.
(function (native) {
  "use strict";

  class DOMException extends Error {
    constructor(message = "", name = "Error") {
      super(message);
      Object.defineProperty(this, "name", { value: String(name) });
    }
  }

  // === Abort ===

  // Signals are made here only.
  let mayMake = false;
  const makeSignal = () => {
    mayMake = true;
    return new AbortSignal();
  };

  class AbortSignal {
    constructor() {
      if (!mayMake) throw new TypeError("`AbortSignal` is not made with `new`");
      mayMake = false;
    }

    aborted = false;
    reason = undefined;
    onabort = null;
    #listeners = [];

    addEventListener(type, listener, options) {
      if (type === "abort") this.#listeners.push({ listener, once: !!(options && options.once) });
    }

    removeEventListener(type, listener) {
      this.#listeners = this.#listeners.filter((entry) => entry.listener !== listener);
    }

    throwIfAborted() {
      if (this.aborted) throw this.reason;
    }

    _abort(reason) {
      if (this.aborted) return;
      this.aborted = true;
      this.reason = reason === undefined ? new DOMException("The operation was aborted.", "AbortError") : reason;
      const event = { type: "abort", target: this };
      if (typeof this.onabort === "function") this.onabort(event);
      const listeners = this.#listeners;
      this.#listeners = listeners.filter((entry) => !entry.once);
      for (const { listener } of listeners) {
        if (typeof listener === "function") listener.call(this, event);
        else listener.handleEvent(event);
      }
    }

    static abort(reason) {
      const signal = makeSignal();
      signal._abort(reason);
      return signal;
    }

    static timeout(milliseconds) {
      const signal = makeSignal();
      native.setTimeout(() => signal._abort(new DOMException("The operation timed out.", "TimeoutError")), milliseconds);
      return signal;
    }

    static any(signals) {
      const any = makeSignal();
      for (const signal of signals) {
        if (signal.aborted) {
          any._abort(signal.reason);
          break;
        }
        signal.addEventListener("abort", () => any._abort(signal.reason), { once: true });
      }
      return any;
    }
  }

  class AbortController {
    signal = makeSignal();

    abort(reason) {
      this.signal._abort(reason);
    }
  }

  // === Request ===

  // A body is nothing, text, bytes, or a function that reads the request's.
  const bodyOf = (value) => {
    if (value === undefined || value === null) return { body: null, type: null };
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return { body: native.copy(value), type: null };
    if (value instanceof URLSearchParams) {
      return { body: value.toString(), type: "application/x-www-form-urlencoded;charset=UTF-8" };
    }
    return { body: String(value), type: "text/plain;charset=UTF-8" };
  };

  class Request {
    #body;
    #used = false;
    #method;
    #url;
    #headers;
    #signal;
    #redirect;

    constructor(input, init = {}) {
      const from = input instanceof Request ? input : null;
      const { body, type } =
        init.body !== undefined ? bodyOf(init.body)
        : from !== null ? { body: from._take(), type: null }
        : { body: init._body === undefined ? null : init._body, type: null };
      this.#body = body;
      const url = from !== null ? null : new URL(String(input));
      if (url !== null && (url.username !== "" || url.password !== "")) throw new TypeError("a URL of a request holds no credentials");
      this.#url = from !== null ? from.url : url.href;
      const method = String(init.method !== undefined ? init.method : from !== null ? from.method : "GET");
      const upper = method.toUpperCase();
      if (!/^[!#$%&'*+\-.^_`|~0-9A-Z]+$/.test(upper) || ["CONNECT", "TRACE", "TRACK"].includes(upper)) {
        throw new TypeError(`${method} is no method of a request`);
      }
      this.#method = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"].includes(upper) ? upper : method;
      if (body !== null && typeof body !== "function" && (this.#method === "GET" || this.#method === "HEAD")) {
        throw new TypeError(`a ${this.#method} request has no body`);
      }
      const headers = init.headers !== undefined ? init.headers : from !== null ? from.headers : undefined;
      this.#headers = new Headers(headers);
      if (type !== null && !this.#headers.has("content-type")) this.#headers.set("content-type", type);
      this.#signal = init.signal !== undefined && init.signal !== null ? init.signal
        : from !== null ? from.signal : makeSignal();
      this.#redirect = init.redirect !== undefined ? String(init.redirect) : from !== null ? from.redirect : "follow";
    }

    get method() { return this.#method; }
    get url() { return this.#url; }
    get headers() { return this.#headers; }
    get signal() { return this.#signal; }
    get redirect() { return this.#redirect; }
    get bodyUsed() { return this.#used; }

    _take() {
      if (this.#used) throw new TypeError("the body was read already");
      if (this.#body !== null) this.#used = true;
      return this.#body;
    }

    async arrayBuffer() {
      const body = this._take();
      if (body === null) return new ArrayBuffer(0);
      if (typeof body === "function") return body();
      return typeof body === "string" ? native.encode(body) : body;
    }

    async bytes() {
      return new Uint8Array(await this.arrayBuffer());
    }

    async text() {
      const body = this._take();
      if (body === null) return "";
      if (typeof body === "string") return body;
      return native.decode(typeof body === "function" ? await body() : body);
    }

    async json() {
      return JSON.parse(await this.text());
    }

    clone() {
      if (this.#used) throw new TypeError("the body was read already");
      if (typeof this.#body === "function") {
        throw new TypeError("a body that is still on its way cannot be cloned; read it first");
      }
      return new Request(this.#url, {
        method: this.#method, headers: this.#headers, signal: this.#signal, redirect: this.#redirect,
        _body: this.#body,
      });
    }
  }

  // === fetch ===

  // For a `Request`, or with a signal; the rest is native. `send(method, url, headers, body, redirect, timeout)` gives
  // `[operation, promise of the Response]`.
  const makeFetch = (send) => async function fetch(input, init = {}) {
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    const body = request._take();
    const timeout = init.timeout === undefined ? undefined : native.milliseconds(init.timeout);
    const [operation, answer] = send(
      request.method, request.url, request.headers,
      typeof body === "function" ? await body() : body, request.redirect, timeout,
    );
    const aborted = new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        native.forget(operation);
        reject(signal.reason);
      }, { once: true });
    });
    return Promise.race([answer, aborted]);
  };

  // The same, answered by a test; `check` asks whether the URL is permitted.
  const makeMockedFetch = (check, mock) => async function fetch(input, init = {}) {
    const request = new Request(input, init);
    check(request.url);
    request.signal.throwIfAborted();
    return mock(request);
  };

  // === structuredClone ===

  function structuredClone(value, options) {
    const seen = new Map();
    const refuse = (what) => { throw new DOMException(`${what} cannot be cloned.`, "DataCloneError"); };
    const copy = (value) => {
      if (typeof value === "symbol") refuse("A symbol");
      if (typeof value === "function") refuse("A function");
      if (typeof value !== "object" || value === null) return value;
      if (seen.has(value)) return seen.get(value);
      const keep = (made) => { seen.set(value, made); return made; };
      if (value instanceof Boolean || value instanceof Number || value instanceof String) {
        return keep(Object(value.valueOf()));
      }
      if (value instanceof Date) return keep(new Date(value.getTime()));
      if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
      if (value instanceof ArrayBuffer) return keep(value.slice(0));
      if (ArrayBuffer.isView(value)) {
        const buffer = copy(value.buffer);
        const length = value instanceof DataView ? value.byteLength : value.length;
        return keep(new value.constructor(buffer, value.byteOffset, length));
      }
      if (value instanceof Map) {
        const made = keep(new Map());
        for (const [key, entry] of [...value]) made.set(copy(key), copy(entry));
        return made;
      }
      if (value instanceof Set) {
        const made = keep(new Set());
        for (const entry of [...value]) made.add(copy(entry));
        return made;
      }
      if (value instanceof Error) {
        const names = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
        const made = keep(new (names[value.name] || Error)(value.message));
        if ("cause" in value) made.cause = copy(value.cause);
        return made;
      }
      if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) refuse("This object");
      const made = keep(Array.isArray(value) ? new Array(value.length) : {});
      for (const key of Object.keys(value)) made[key] = copy(value[key]);
      return made;
    };
    return copy(value);
  }

  // === Buffer ===

  class Buffer extends Uint8Array {
    static from(value, encoding = "utf8") {
      if (typeof value === "string") return Buffer.#of(native.bytesOf(value, String(encoding)));
      if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return Buffer.#of(native.copy(value));
      return Buffer.#of(Uint8Array.from(value).buffer);
    }

    static alloc(size, fill = 0) {
      return new Buffer(size).fill(fill);
    }

    static concat(list) {
      const all = new Buffer(list.reduce((length, part) => length + part.length, 0));
      let at = 0;
      for (const part of list) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    }

    static isBuffer(value) {
      return value instanceof Buffer;
    }

    static byteLength(value, encoding = "utf8") {
      return typeof value === "string" ? native.bytesOf(value, String(encoding)).byteLength : value.byteLength;
    }

    static #of(buffer) {
      return new Buffer(buffer);
    }

    toString(encoding = "utf8") {
      // Node's has no padding; that of `dgate/crypto` has.
      return native.textOf(this, encoding === "base64url" ? "base64rawurl" : String(encoding));
    }

    toJSON() {
      return { type: "Buffer", data: Array.from(this) };
    }

    equals(other) {
      return this.length === other.length && this.every((byte, index) => byte === other[index]);
    }
  }

  // === Hooks ===

  // `export default { fetch(request, env, ctx) }`.
  const callFetch = (self, fetch, ctx) => {
    const from = ctx.request();
    const empty = from.contentLength === 0;
    const request = new Request(from.url, {
      method: from.method, headers: from.headers, _body: empty ? null : () => from.arrayBuffer(),
    });
    return fetch.call(self, request, ctx.env, ctx);
  };

  // === The script dialect ===

  const encoded = (text) => {
    let hash = 0;
    for (let index = 0; index < text.length; index++) hash = (hash * 31 + text.charCodeAt(index)) | 0;
    return (hash >>> 0).toString(36).padStart(8, "0");
  };

  // A `ctx` with plain properties. What a hook changes in them is written back when it is done.
  const scriptContext = (ctx) => {
    const from = ctx.request();
    const out = ctx.response();
    const state = native.state(ctx);
    const query = {};
    for (const [name, value] of from.query) query[name] = value;
    const object = {
      request: { method: from.method, path: from.path, query, headers: { ...from.headers.toJSON() }, body: null },
      params: ctx.pathParams(),
      route: ctx.route().name,
      namespace: ctx.namespace().name,
      service: ctx.service() === null ? null : ctx.service().name,
      setHeader: (name, value) => { out.headers.set(name, String(value)); return object; },
      setStatus: (code) => { out.status(code); return object; },
      status: (code) => { out.status(code); return object; },
      write: (text) => { out.write(typeof text === "string" ? text : JSON.stringify(text)); return object; },
      json: (value) => { out.json(value); },
      redirect: (url, code = 302) => { out.redirect(url, code); },
      pathParam: (name) => { const value = object.params[name]; return value === undefined || value === "" ? null : value; },
      queryParam: (name) => { const value = query[name]; return value === undefined || value === "" ? null : value; },
      getDocument: (collection, id) => state.getDocument(id, collection),
      setDocument: (collection, id, data) => state.addDocument({ id, collection, data }),
      deleteDocument: (collection, id) => state.deleteDocument({ id, collection }),
      hashString: (text) => encoded(String(text)),
      btoa, atob,
    };
    Object.defineProperty(object, "_before", {
      value: { method: from.method, path: from.path, query: { ...query }, headers: { ...object.request.headers } },
    });
    Object.defineProperty(object, "_ctx", { value: ctx });
    return object;
  };

  const writeHeaders = (target, before, after) => {
    for (const name of Object.keys(before)) if (!(name in after)) target.delete(name);
    for (const name of Object.keys(after)) {
      if (before[name] !== after[name]) target.set(name, String(after[name]));
    }
  };

  const scriptResponse = (ctx, body) => {
    const upstream = ctx.upstream();
    const headers = upstream.headers.toJSON();
    const response = { statusCode: upstream.statusCode, headers: { ...headers }, body };
    return { response, headers, status: upstream.statusCode, body, upstream };
  };

  const writeResponse = ({ response, headers, status, body, upstream }) => {
    if (response.statusCode !== status) upstream.status(response.statusCode);
    writeHeaders(upstream.headers, headers, response.headers);
    if (response.body !== body && response.body !== null) upstream.writeBody(response.body);
  };

  const writeRequest = (object, body) => {
    const { _before: before, _ctx: ctx, request } = object;
    const to = ctx.request();
    if (request.method !== before.method) to.method = request.method;
    if (request.path !== before.path) to.path = request.path;
    const names = new Set([...Object.keys(before.query), ...Object.keys(request.query)]);
    for (const name of names) {
      const value = request.query[name];
      if (value === before.query[name]) continue;
      if (value === undefined || value === null) to.query.delete(name);
      else to.query.set(name, String(value));
    }
    writeHeaders(to.headers, before.headers, request.headers);
    if (request.body !== body && request.body !== null) to.writeBody(request.body);
  };

  // A body that is too large for the module is `null`, and goes on as it is.
  const readText = async (message) => {
    try {
      return await message.text();
    } catch (error) {
      if (error.name === "BodyTooLarge" || error.name === "RangeError") return null;
      throw error;
    }
  };

  const runScript = async (hook, call, ctx, error) => {
    const object = scriptContext(ctx);
    if (hook === "responseModifier") {
      const changes = scriptResponse(ctx, await readText(ctx.upstream()));
      await call(object, changes.response);
      writeResponse(changes);
      return undefined;
    }
    const empty = hook === "errorHandler" || ctx.request().contentLength === 0;
    const body = empty ? null : await readText(ctx.request());
    object.request.body = body;
    const result = error === undefined ? await call(object) : await call(object, error);
    if (hook === "requestModifier") writeRequest(object, body);
    return result;
  };

  return {
    AbortController, AbortSignal, Buffer, DOMException, Request, structuredClone, callFetch, makeFetch, makeMockedFetch, runScript, scriptContext,
  };
})
