// What is rarely used, in JavaScript. Evaluated when a module first needs some of it, or a route is written in the
// script dialect. `native` holds what the gateway lends it.
(function (native) {
  "use strict";

  // The codes that names of exceptions had once.
  const codes = {
    IndexSizeError: 1, HierarchyRequestError: 3, WrongDocumentError: 4, InvalidCharacterError: 5,
    NoModificationAllowedError: 7, NotFoundError: 8, NotSupportedError: 9, InUseAttributeError: 10,
    InvalidStateError: 11, SyntaxError: 12, InvalidModificationError: 13, NamespaceError: 14,
    InvalidAccessError: 15, TypeMismatchError: 17, SecurityError: 18, NetworkError: 19, AbortError: 20,
    URLMismatchError: 21, QuotaExceededError: 22, TimeoutError: 23, InvalidNodeTypeError: 24, DataCloneError: 25,
  };

  class DOMException extends Error {
    #code;

    constructor(message = "", name = "Error") {
      super(message);
      Object.defineProperty(this, "name", { value: String(name) });
      this.#code = Object.hasOwn(codes, this.name) ? codes[this.name] : 0;
    }

    get code() { return this.#code; }
    get [Symbol.toStringTag]() { return "DOMException"; }
  }

  // === Abort ===

  // Signals are made, and aborted, here only.
  let mayMake = false;
  const makeSignal = () => {
    mayMake = true;
    return new AbortSignal();
  };
  let abortSignal;

  class AbortSignal {
    #aborted = false;
    #reason = undefined;
    #onabort = null;
    #listeners = [];
    // Signals that are aborted together with this one, as long as somebody has them.
    #dependents = [];

    constructor() {
      if (!mayMake) throw new TypeError("`AbortSignal` is not made with `new`");
      mayMake = false;
    }

    static {
      abortSignal = (signal, reason) => signal.#abort(reason);
    }

    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    get onabort() { return this.#onabort; }
    set onabort(listener) { this.#onabort = typeof listener === "function" ? listener : null; }

    addEventListener(type, listener, options) {
      const within = typeof options === "object" && options !== null ? options.signal : undefined;
      if (String(type) !== "abort" || listener === null || listener === undefined) return;
      if (typeof listener !== "function" && typeof listener !== "object") {
        throw new TypeError("`addEventListener` needs a function, or an object with `handleEvent`");
      }
      if (within !== undefined && !(within instanceof AbortSignal)) throw new TypeError("`signal` must be an `AbortSignal`");
      if (within !== undefined && within.#aborted) return;
      if (this.#listeners.some((known) => known.listener === listener)) return;
      const once = typeof options === "object" && options !== null && !!options.once;
      this.#listeners.push({ listener, once });
      if (within !== undefined) within.addEventListener("abort", () => this.removeEventListener(type, listener), { once: true });
    }

    removeEventListener(type, listener) {
      if (String(type) === "abort") this.#listeners = this.#listeners.filter((known) => known.listener !== listener);
    }

    throwIfAborted() {
      if (this.#aborted) throw this.#reason;
    }

    // All signals are aborted before anybody is told.
    #abort(reason) {
      if (this.#aborted) return;
      const told = [];
      const mark = (signal, reason) => {
        if (signal.#aborted) return;
        signal.#aborted = true;
        signal.#reason = reason;
        told.push(signal);
        for (const dependent of signal.#dependents.splice(0).map((known) => known.deref())) {
          if (dependent !== undefined) mark(dependent, reason);
        }
      };
      mark(this, reason === undefined ? new DOMException("The operation was aborted.", "AbortError") : reason);
      for (const signal of told) signal.#tell();
    }

    #depend(dependent) {
      this.#dependents = this.#dependents.filter((known) => known.deref() !== undefined);
      this.#dependents.push(new WeakRef(dependent));
    }

    // A listener that throws does not keep others from being told.
    #tell() {
      const event = Object.freeze({ type: "abort", target: this, currentTarget: this, isTrusted: true });
      const listeners = this.#listeners;
      this.#listeners = listeners.filter((known) => !known.once);
      const call = (work) => {
        try {
          work();
        } catch (error) {
          native.setTimeout(() => { throw error; }, 0);
        }
      };
      if (this.#onabort !== null) call(() => this.#onabort.call(this, event));
      for (const { listener } of listeners) {
        if (typeof listener === "function") call(() => listener.call(this, event));
        else call(() => listener.handleEvent(event));
      }
    }

    static abort(reason) {
      const signal = makeSignal();
      signal.#abort(reason);
      return signal;
    }

    static timeout(milliseconds) {
      const time = Number(milliseconds);
      if (!(time >= 0 && time <= Number.MAX_SAFE_INTEGER)) throw new TypeError("`AbortSignal.timeout` needs a number of milliseconds");
      const signal = makeSignal();
      native.setTimeout(() => signal.#abort(new DOMException("The operation timed out.", "TimeoutError")), time);
      return signal;
    }

    static any(signals) {
      const all = [...signals];
      if (!all.every((signal) => signal instanceof AbortSignal)) throw new TypeError("`AbortSignal.any` needs signals");
      const any = makeSignal();
      const first = all.find((signal) => signal.#aborted);
      if (first !== undefined) any.#abort(first.#reason);
      else for (const signal of new Set(all)) signal.#depend(any);
      return any;
    }

    get [Symbol.toStringTag]() { return "AbortSignal"; }
  }

  class AbortController {
    #signal = makeSignal();

    get signal() { return this.#signal; }

    abort(reason) {
      abortSignal(this.#signal, reason);
    }

    get [Symbol.toStringTag]() { return "AbortController"; }
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

  // Options may be left out, or be `null`.
  const optionsOf = (init, what) => {
    if (init === undefined || init === null) return {};
    if (typeof init !== "object" && typeof init !== "function") throw new TypeError(`options of a ${what} are an object`);
    return init;
  };

  const isGiven = (value) => value !== undefined && value !== null;

  // Text as whoever gets it reads it.
  const asSent = (text) => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text).toWellFormed();

  class Request {
    #body;
    #used = false;
    #method;
    #url;
    #headers;
    #signal;
    #redirect;

    constructor(input, init) {
      if (arguments.length === 0) throw new TypeError("a `Request` needs a URL");
      init = optionsOf(init, "request");
      const from = input instanceof Request ? input : null;
      if (isGiven(init.signal) && !(init.signal instanceof AbortSignal)) throw new TypeError("`signal` must be an `AbortSignal`");
      const redirect = init.redirect !== undefined ? String(init.redirect) : from !== null ? from.redirect : "follow";
      if (!["follow", "manual", "error"].includes(redirect)) throw new TypeError(`\`redirect\` is follow, manual or error, not ${redirect}`);
      const { body, type } =
        isGiven(init.body) ? bodyOf(init.body)
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
      const headers = isGiven(init.headers) ? init.headers : from !== null ? from.headers : undefined;
      this.#headers = new Headers(headers);
      if (type !== null && !this.#headers.has("content-type")) this.#headers.set("content-type", type);
      const signal = init.signal !== undefined ? init.signal : from !== null ? from.signal : null;
      this.#signal = signal === null ? makeSignal() : signal;
      this.#redirect = redirect;
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
      if (typeof body === "string") return asSent(body);
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

    get [Symbol.toStringTag]() { return "Request"; }
  }

  // === fetch ===

  // For a `Request`, or with a signal; the rest is native. `send(method, url, headers, body, redirect, timeout)` gives
  // `[operation, promise of the Response]`.
  const makeFetch = (send) => async function fetch(input, init) {
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    const body = request._take();
    const timeout = isGiven(init) && init.timeout !== undefined ? native.milliseconds(init.timeout) : undefined;
    const [operation, answer] = send(
      request.method, request.url, request.headers,
      typeof body === "function" ? await body() : body, request.redirect, timeout,
    );
    let forget;
    const aborted = new Promise((_, reject) => {
      forget = () => {
        native.forget(operation);
        reject(signal.reason);
      };
      signal.addEventListener("abort", forget, { once: true });
    });
    return Promise.race([answer, aborted]).finally(() => signal.removeEventListener("abort", forget));
  };

  // The same, answered by a test; `check` asks whether the URL is permitted.
  const makeMockedFetch = (check, mock) => async function fetch(input, init) {
    const request = new Request(input, init);
    check(request.url);
    request.signal.throwIfAborted();
    return mock(request);
  };

  // === structuredClone ===

  // What a value is, whatever its prototype says.
  const tagOf = (value) => native.tagOf(value);
  const errors = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const views = { Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array };
  const viewName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;

  function structuredClone(value, options) {
    if (arguments.length === 0) throw new TypeError("`structuredClone` needs a value");
    const seen = new Map();
    const refuse = (what) => { throw new DOMException(`${what} cannot be cloned.`, "DataCloneError"); };
    const put = (made, key, value) => Object.defineProperty(made, key, { value, writable: true, enumerable: true, configurable: true });
    const copy = (value) => {
      if (typeof value === "symbol") refuse("A symbol");
      if (typeof value === "function") refuse("A function");
      if (typeof value !== "object" || value === null) return value;
      if (seen.has(value)) return seen.get(value);
      const keep = (made) => { seen.set(value, made); return made; };
      if (value instanceof DOMException) return keep(new DOMException(value.message, value.name));
      switch (tagOf(value)) {
        case "Boolean": return keep(Object(Boolean.prototype.valueOf.call(value)));
        case "Number": return keep(Object(Number.prototype.valueOf.call(value)));
        case "String": return keep(Object(String.prototype.valueOf.call(value)));
        case "Date": return keep(new Date(Date.prototype.getTime.call(value)));
        case "RegExp": return keep(new RegExp(value.source, value.flags));
        case "ArrayBuffer": return keep(value.slice(0));
        case "TypedArray": return keep(new views[viewName.call(value)](copy(value.buffer), value.byteOffset, value.length));
        case "DataView": return keep(new DataView(copy(value.buffer), value.byteOffset, value.byteLength));
        case "Map": {
          const made = keep(new Map());
          for (const [key, entry] of [...Map.prototype.entries.call(value)]) made.set(copy(key), copy(entry));
          return made;
        }
        case "Set": {
          const made = keep(new Set());
          for (const entry of [...Set.prototype.values.call(value)]) made.add(copy(entry));
          return made;
        }
        case "Error": {
          const type = Object.hasOwn(errors, value.name) ? errors[value.name] : Error;
          const made = keep(new type());
          const hidden = (key, value) => Object.defineProperty(made, key, { value, writable: true, enumerable: false, configurable: true });
          if ("message" in value) hidden("message", String(value.message));
          if (Object.hasOwn(value, "cause")) hidden("cause", copy(value.cause));
          return made;
        }
        case "Array": {
          const made = keep(new Array(value.length));
          for (const key of Object.keys(value)) put(made, key, copy(value[key]));
          return made;
        }
        case "Object": {
          const made = keep({});
          for (const key of Object.keys(value)) if (Object.hasOwn(value, key)) put(made, key, copy(value[key]));
          return made;
        }
        default: return refuse(`A ${tagOf(value)}`);
      }
    };
    // What is handed over is gone where it came from.
    const handed = isGiven(options) && isGiven(options.transfer) ? [...options.transfer] : [];
    for (const [at, buffer] of handed.entries()) {
      const is = typeof buffer === "object" && buffer !== null && tagOf(buffer) === "ArrayBuffer";
      if (!is || native.isDetached(buffer) || handed.indexOf(buffer) !== at) refuse("What is to be handed over");
    }
    const made = copy(value);
    for (const buffer of handed) native.detach(buffer);
    return made;
  }

  // === Buffer ===

  class Buffer extends Uint8Array {
    static from(value, encoding = "utf8", self = undefined) {
      if (typeof value === "string") return Buffer.#of(native.bytesOf(value, String(encoding)));
      if (typeof value !== "object" || value === null) throw new TypeError("`Buffer.from` needs text, a buffer or numbers");
      if (typeof encoding === "function") return Buffer.#of(Uint8Array.from(value, encoding, self).buffer);
      if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return Buffer.#of(native.copy(value));
      return Buffer.#of(Uint8Array.from(value).buffer);
    }

    static alloc(size, fill = 0) {
      return new Buffer(size).fill(fill);
    }

    static concat(list) {
      if (!Array.isArray(list) || !list.every((part) => part instanceof Uint8Array)) {
        throw new TypeError("`Buffer.concat` needs a list of buffers");
      }
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
