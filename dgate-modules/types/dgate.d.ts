// Types of everything that DGate modules see. A test compares this file with what the gateway really provides.

// === Hooks ===

/** What a hook may return: a value, or a promise of one. */
type Awaitable<T> = T | Promise<T>;

/** Chooses where a request goes: a URL, or nothing to let the balancer choose. */
type FetchUpstream = (ctx: ServiceContext) => Awaitable<string | URL | null | undefined | void>;
/** Changes a request before it goes to the upstream or the handler. */
type RequestModifier = (ctx: Context) => Awaitable<unknown>;
/** Answers instead of an upstream. */
type RequestHandler = (ctx: Context) => Awaitable<Response | unknown>;
/** Changes an upstream's answer. */
type ResponseModifier = (ctx: ResponseContext) => Awaitable<unknown>;
/** Answers when the upstream failed, or a hook threw. */
type ErrorHandler = (ctx: Context, error: GatewayError) => Awaitable<Response | unknown>;

/** `export default` of a fetch-style module. */
interface FetchHandler {
  fetch(request: Request, env: Record<string, string>, ctx: Context): Awaitable<Response>;
}

/** What an error handler is told. */
interface GatewayError extends Error {
  /** Such as `upstream_timeout`. */
  readonly code: string;
  /** The status that the client gets if nobody answers. */
  readonly status: number;
}

// === ctx ===

interface Context {
  /** The request's identifier. */
  readonly id: string;
  /** The module's own `env`. */
  readonly env: Record<string, string>;
  namespace(): { name: string };
  route(): RouteInfo;
  /** Nothing on routes without a service. */
  service(): ServiceInfo | null;
  pathParam(name: string): string | undefined;
  pathParams(): Record<string, string>;
  domainParam(name: string): string | undefined;
  domainParams(): Record<string, string>;
  /** The same as `request().query`. */
  query(): URLSearchParams;
  /** Keeps a value for the later hooks of this request. */
  set(key: string, value: unknown): this;
  get(key: string): any;
  /** The server's tags that hold for this request. */
  tags(): string[];
  node(): NodeInfo;
  request(): GatewayRequest;
  response(): GatewayResponse;
  /** Nothing until the upstream has answered. */
  upstream(): UpstreamResponse | null;
  toJSON(): unknown;
}

/** `ctx` of `fetchUpstream`: the route has a service. */
interface ServiceContext extends Context {
  service(): ServiceInfo;
}

/** `ctx` of `responseModifier`: the upstream has answered. */
interface ResponseContext extends Context {
  upstream(): UpstreamResponse;
}

interface RouteInfo {
  name: string;
  namespace: string;
  paths: string[];
  methods: string[];
  service: string | null;
  modules: string[];
  tags: string[];
  stripPath: boolean;
  preserveHost: boolean;
}

interface ServiceInfo {
  name: string;
  namespace: string;
  urls: string[];
  retries: number;
  tags: string[];
}

interface NodeInfo {
  id: string;
  tags: string[];
  version: string;
}

/** The client's request, on its way to the upstream. */
interface GatewayRequest {
  method: string;
  path: string;
  readonly url: string;
  readonly host: string;
  readonly proto: string;
  readonly remoteAddress: string;
  /** -1 when it is not known. */
  readonly contentLength: number;
  readonly headers: Headers;
  readonly query: URLSearchParams;
  text(): Promise<string>;
  json(): Promise<any>;
  arrayBuffer(): Promise<ArrayBuffer>;
  readBody(): Promise<ArrayBuffer>;
  readJson(): Promise<any>;
  writeBody(body: BodyValue): this;
  writeJson(value: unknown): this;
  toJSON(): unknown;
}

/** The module's own answer. */
interface GatewayResponse {
  readonly headers: Headers;
  readonly headersSent: boolean;
  readonly locals: Record<string, any>;
  status(code: number): this;
  json(value: unknown): this;
  send(body?: BodyValue | object): this;
  end(body?: BodyValue | object): this;
  write(chunk: BodyValue | object): this;
  redirect(url: string | URL, code?: number): this;
  redirectPermanent(url: string | URL): this;
  location(url: string | URL): this;
  cookie(name: string, value: string, options?: CookieOptions): this;
  getCookie(name: string): string | undefined;
  getCookies(): Record<string, string>;
}

interface CookieOptions {
  domain?: string;
  expires?: Date | string;
  httpOnly?: boolean;
  /** Seconds. */
  maxAge?: number;
  path?: string;
  secure?: boolean;
  sameSite?: "Strict" | "Lax" | "None";
}

/** What the upstream answered. */
interface UpstreamResponse {
  statusCode: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly protocol: string;
  /** -1 when it is not known. */
  readonly contentLength: number;
  text(): Promise<string>;
  json(): Promise<any>;
  arrayBuffer(): Promise<ArrayBuffer>;
  readBody(): Promise<ArrayBuffer>;
  readJson(): Promise<any>;
  writeBody(body: BodyValue): this;
  writeJson(value: unknown): this;
  status(code: number): this;
  redirect(url: string | URL, code?: number): this;
  redirectPermanent(url: string | URL): this;
  cookie(name: string, value: string, options?: CookieOptions): this;
  toJSON(): unknown;
}

type BodyValue = string | ArrayBuffer | ArrayBufferView | null | undefined;

// === Globals ===

interface Console {
  debug(...values: unknown[]): void;
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  trace(...values: unknown[]): void;
}
declare const console: Console;

declare function setTimeout(callback: (...values: any[]) => void, milliseconds?: number, ...values: any[]): number;
declare function setInterval(callback: (...values: any[]) => void, milliseconds?: number, ...values: any[]): number;
declare function clearTimeout(id: number | undefined): void;
declare function clearInterval(id: number | undefined): void;
declare function queueMicrotask(callback: () => void): void;
declare function atob(text: string): string;
declare function btoa(text: string): string;
declare function structuredClone<T>(value: T, options?: { transfer?: ArrayBuffer[] }): T;
declare function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;

declare const process: {
  /** Needs `os:env:read=NAME`. */
  readonly env: Readonly<Record<string, string | undefined>>;
};

declare const performance: {
  /** Milliseconds. */
  now(): number;
};

declare const crypto: {
  randomUUID(): string;
  getRandomValues<T extends ArrayBufferView>(array: T): T;
  readonly subtle: {
    digest(algorithm: string | { name: string }, data: ArrayBuffer | ArrayBufferView): Promise<ArrayBuffer>;
  };
};

declare class URL {
  constructor(url: string | URL, base?: string | URL);
  static canParse(url: string | URL, base?: string | URL): boolean;
  static parse(url: string | URL, base?: string | URL): URL | null;
  href: string;
  readonly origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
  readonly searchParams: URLSearchParams;
  toString(): string;
  toJSON(): string;
}

declare class URLSearchParams {
  constructor(init?: string | Record<string, string> | Iterable<[string, string]> | URLSearchParams);
  readonly size: number;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  append(name: string, value: string): void;
  /** The same as `append`. */
  add(name: string, value: string): void;
  delete(name: string, value?: string): void;
  /** The same as `delete`. */
  del(name: string, value?: string): void;
  sort(): void;
  toString(): string;
  /** The same as `toString`. */
  encode(): string;
  forEach(callback: (value: string, name: string, all: URLSearchParams) => void, self?: unknown): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}

declare class Headers {
  constructor(init?: HeadersInit);
  get(name: string): string | null;
  has(name: string): boolean;
  set(name: string, value: string): void;
  append(name: string, value: string): void;
  /** The same as `append`. */
  add(name: string, value: string): void;
  delete(name: string): void;
  /** The same as `delete`. */
  del(name: string): void;
  /** All values; with a name its values, one by one. */
  values(): IterableIterator<string>;
  values(name: string): string[];
  getSetCookie(): string[];
  forEach(callback: (value: string, name: string, all: Headers) => void, self?: unknown): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  toJSON(): Record<string, string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}
type HeadersInit = Headers | Record<string, string> | Iterable<[string, string]>;

interface RequestInit {
  method?: string;
  headers?: HeadersInit | null;
  body?: BodyValue | URLSearchParams;
  redirect?: "follow" | "manual" | "error";
  /** Milliseconds, or text such as `"2s"`; 30 s when it is not given. */
  timeout?: number | string;
  signal?: AbortSignal | null;
}

declare class Request {
  constructor(input: string | URL | Request, init?: RequestInit);
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
  readonly redirect: string;
  readonly bodyUsed: boolean;
  clone(): Request;
  text(): Promise<string>;
  json(): Promise<any>;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array>;
}

declare class Response {
  constructor(body?: BodyValue | URLSearchParams, init?: { status?: number; statusText?: string; headers?: HeadersInit });
  static json(value: unknown, init?: { status?: number; statusText?: string; headers?: HeadersInit }): Response;
  static redirect(url: string | URL, status?: number): Response;
  /** A response that stands for a failed request. */
  static error(): Response;
  readonly status: number;
  readonly ok: boolean;
  readonly statusText: string;
  readonly headers: Headers;
  readonly url: string;
  readonly redirected: boolean;
  readonly type: string;
  readonly bodyUsed: boolean;
  clone(): Response;
  text(): Promise<string>;
  json(): Promise<any>;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array>;
}

declare class AbortController {
  constructor();
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

interface AbortEvent {
  readonly type: "abort";
  readonly target: AbortSignal;
  readonly currentTarget: AbortSignal;
  readonly isTrusted: true;
}
type AbortListener = ((event: AbortEvent) => void) | { handleEvent(event: AbortEvent): void };

declare class AbortSignal {
  readonly aborted: boolean;
  readonly reason: any;
  onabort: ((event: AbortEvent) => void) | null;
  addEventListener(type: "abort", listener: AbortListener, options?: { once?: boolean; signal?: AbortSignal } | boolean): void;
  removeEventListener(type: "abort", listener: AbortListener): void;
  throwIfAborted(): void;
  static abort(reason?: unknown): AbortSignal;
  static timeout(milliseconds: number): AbortSignal;
  static any(signals: AbortSignal[]): AbortSignal;
}

declare class DOMException extends Error {
  constructor(message?: string, name?: string);
  readonly code: number;
}

declare class TextEncoder {
  constructor();
  readonly encoding: string;
  encode(text?: string): Uint8Array;
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** `stream`: more will come, and may begin in the middle of a character. */
  decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}

type BufferEncoding = "utf8" | "utf-8" | "hex" | "base64" | "base64url" | "latin1" | "binary";

declare class Buffer extends Uint8Array {
  static from(value: string, encoding?: BufferEncoding): Buffer;
  static from(value: ArrayBuffer | ArrayBufferView | ArrayLike<number> | Iterable<number>): Buffer;
  static from<T>(values: ArrayLike<T> | Iterable<T>, map: (value: T, index: number) => number, self?: any): Buffer;
  static alloc(size: number, fill?: number): Buffer;
  static concat(list: Uint8Array[]): Buffer;
  static isBuffer(value: unknown): value is Buffer;
  static byteLength(value: string | ArrayBuffer | ArrayBufferView, encoding?: BufferEncoding): number;
  toString(encoding?: BufferEncoding): string;
  toJSON(): { type: "Buffer"; data: number[] };
  equals(other: Uint8Array): boolean;
}

// === Native modules ===

/** Milliseconds, or text such as `"1s"`. */
type Time = number | string;

declare module "dgate" {
  export function sleep(time: Time): Promise<void>;
  /** Throws an error. */
  export function fail(message: string): never;
  /** Calls `work(attempt)` until it succeeds, `times` times at most. */
  export function retry<T>(times: number, work: (attempt: number) => Awaitable<T>): Promise<T>;
  export function node(): NodeInfo;
}

/** Needs `os:net:http=host`. */
declare module "dgate/http" {
  const _fetch: typeof fetch;
  const _Headers: typeof Headers;
  const _Request: typeof Request;
  const _Response: typeof Response;
  export { _fetch as fetch, _Headers as Headers, _Request as Request, _Response as Response };
}

/** Needs `resource:document:read` and `:write`, `resource:collection:read` and `:write`. */
declare module "dgate/state" {
  export interface StoredDocument<T = any> {
    id: string;
    namespace: string;
    collection: string;
    data: T;
    revision: number;
    createdAt: string;
    updatedAt: string;
  }
  export function getDocument<T = any>(id: string, collection: string): Promise<StoredDocument<T> | null>;
  export function getDocuments<T = any>(query: {
    collection: string;
    /** 100 when it is not given, 1,000 at most. */
    limit?: number;
    offset?: number;
    prefix?: string;
    /** Those after this identifier. */
    after?: string;
  }): Promise<StoredDocument<T>[]>;
  /** With a `revision` only if the document still has it; 0: if it is not there. Else `ConflictError`. */
  export function addDocument(document: {
    id: string;
    collection: string;
    data: unknown;
    ttl?: Time;
    revision?: number;
  }): Promise<{ revision: number }>;
  export function deleteDocument(document: {
    id: string;
    collection: string;
    revision?: number;
  }): Promise<{ revision: number }>;
  export function getCollection(name: string): Promise<{ name: string; [key: string]: any } | null>;
  export function addCollection(collection: { name: string; schema?: object; visibility?: "private" | "public" }): Promise<{
    revision: number;
  }>;
  export function deleteCollection(name: string | { name: string }): Promise<{ revision: number }>;
}

/** Needs `cache`. Values of this node, shared by all modules of the namespace; they may go at any time. */
declare module "dgate/storage" {
  export function getCache(key: string): any;
  export function setCache(key: string, value: unknown, options?: { ttl?: Time }): void;
  export function deleteCache(key: string): boolean;
  /** Returns what it is then. */
  export function increment(key: string, by?: number, options?: { ttl?: Time }): number;
}

/** Needs `resource:secret:read=name`. */
declare module "dgate/secrets" {
  export function getSecret(name: string): Promise<string | null>;
}

declare module "dgate/crypto" {
  type Data = string | ArrayBuffer | ArrayBufferView;
  type Encoding = "hex" | "base64" | "base64raw" | "base64url" | "base64rawurl";
  type Digest = { (data: Data, encoding: Encoding): string; (data: Data): ArrayBuffer };
  interface Hash {
    update(data: Data): this;
    digest(encoding: Encoding): string;
    digest(): ArrayBuffer;
  }
  export function createHash(algorithm: string): Hash;
  export function createHmac(algorithm: string, key: Data): Hash;
  export function hmac(algorithm: string, key: Data, data: Data, encoding: Encoding): string;
  export function hmac(algorithm: string, key: Data, data: Data): ArrayBuffer;
  export const md5: Digest;
  export const sha1: Digest;
  export const sha256: Digest;
  export const sha384: Digest;
  export const sha512: Digest;
  export const sha512_224: Digest;
  export const sha512_256: Digest;
  export function getHashes(): string[];
  export function hexEncode(data: Data): string;
  export function randomBytes(count: number): ArrayBuffer;
  export function randomInt(max: number): number;
  export function randomInt(min: number, max: number): number;
  export function randomUUID(): string;
  export function timingSafeEqual(a: Data, b: Data): boolean;
}

declare module "dgate/jwt" {
  type Algorithm =
    | "HS256" | "HS384" | "HS512" | "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "EdDSA";
  /** The claims; throws `JwtError`. Keys are texts: a secret, or PEM. */
  export function verify(
    token: string,
    key: string | ArrayBuffer,
    options: { alg: Algorithm | Algorithm[]; aud?: string | string[]; iss?: string | string[] },
  ): any;
  export function sign(claims: object, key: string | ArrayBuffer, options?: { alg?: Algorithm; kid?: string }): string;
}

/** Needs `event:emit=name`. */
declare module "dgate/events" {
  export function emit(name: string, data?: unknown): void;
}

/**
 * Needs `resource:service:health=service`. What is set is this node's alone, and stays as long as the endpoint does, whatever
 * else of its service changes.
 */
declare module "dgate/upstream" {
  export interface Endpoint {
    url: string;
    /** Its share of the requests, as it was written or set. */
    weight: number;
    /** Endpoints of a higher priority are used first. */
    priority: number;
    /** Whether it gets requests. */
    healthy: boolean;
    inFlight: number;
    /** The smoothed time to a response head in milliseconds; null before the first. */
    latency: number | null;
  }
  export function endpoints(service: string): Endpoint[];
  /**
   * Wins over active checks, either way, until null leaves it to them again. Failing requests still eject an endpoint that is
   * said to be healthy.
   */
  export function setHealth(service: string, url: string, healthy: boolean | null): void;
  /** 0 takes an endpoint out of rotation; null brings the written weight back. */
  export function setWeight(service: string, url: string, weight: number | null): void;
}

/** Needs `os:file:read=path`; a `*` at its end stands for all below a folder. */
declare module "dgate/fs" {
  export function readFile(path: string, as?: "text"): Promise<string>;
  export function readFile(path: string, as: "buffer"): Promise<ArrayBuffer>;
}

declare module "dgate/util" {
  export function base64Encode(data: string | ArrayBuffer | ArrayBufferView): string;
  export function base64Decode(text: string): ArrayBuffer;
  export function hexEncode(data: string | ArrayBuffer | ArrayBufferView): string;
  export function hexDecode(text: string): ArrayBuffer;
  export function uuid(): string;
  export function parseCookies(line: string): Record<string, string>;
  /** `range`: an address, or one with a prefix length. */
  export function ipInRange(ip: string, range: string): boolean;
}

/** For `*.test.ts`, run by `dgate-cli module test`. */
declare module "dgate/test" {
  export const test: TestFunction & { skip: TestFunction; only: TestFunction };
  type TestFunction = (name: string, work: () => Awaitable<unknown>) => void;

  interface Assertions {
    toBe(expected: unknown): void;
    toEqual(expected: unknown): void;
    toMatchObject(part: object): void;
    toContain(part: unknown): void;
    toMatch(pattern: string | RegExp): void;
    toHaveLength(length: number): void;
    toHaveProperty(key: string): void;
    toBeDefined(): void;
    toBeUndefined(): void;
    toBeNull(): void;
    toBeTruthy(): void;
    toBeFalsy(): void;
    toBeNaN(): void;
    toBeInstanceOf(type: Function): void;
    toBeGreaterThan(least: number): void;
    toBeGreaterThanOrEqual(least: number): void;
    toBeLessThan(most: number): void;
    toBeLessThanOrEqual(most: number): void;
    toBeCloseTo(near: number, digits?: number): void;
    toThrow(expected?: string | RegExp | Function | Error): void;
  }
  type Later = { [Name in keyof Assertions]: (...expected: Parameters<Assertions[Name]>) => Promise<void> };
  export const expect: {
    (value: unknown): Assertions & {
      not: Assertions;
      resolves: Later & { not: Later };
      rejects: Later & { not: Later };
    };
    any(type: Function): any;
    fail(message?: string): never;
  };

  type Answer = Response | string | object | ((request: Request) => Awaitable<Response | string | object>);
  /** Answers `fetch` in this test: a function for all requests, or answers by URL. Permissions are asked all the same. */
  export function mockFetch(answers: ((request: Request) => Awaitable<Response | string | object>) | Record<string, Answer>): {
    calls: Request[];
  };

  /** Stops time for `Date`, timers and `sleep`. */
  export function fakeTime(start?: number | Date): { advance(time: Time): Promise<void>; restore(): void };

  interface TestContext extends Context {
    /** What the hooks wrote so far. */
    readonly result: { answered: boolean; status: number; headers: Headers; body: string };
    /** The same as a `ctx` of the script dialect. */
    script(): any;
    service(): ServiceInfo;
    upstream(): UpstreamResponse;
  }
  export function ctx(options?: {
    method?: string;
    path?: string;
    url?: string;
    query?: string | Record<string, string>;
    headers?: HeadersInit;
    body?: BodyValue | object;
    params?: Record<string, string>;
    domainParams?: Record<string, string>;
    env?: Record<string, string>;
    route?: Partial<RouteInfo>;
    service?: Partial<ServiceInfo> | null;
    namespace?: { name: string };
    tags?: string[];
    node?: Partial<NodeInfo>;
    upstream?: { status?: number; headers?: HeadersInit; body?: BodyValue | object };
  }): TestContext;

  /** `dgate/state` with all permissions; documents are gone when the next test begins. */
  export const documents: typeof import("dgate/state");
}
