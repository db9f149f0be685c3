//! Built-ins that the gateway has in the place of the engine's do what the language says.

use std::time::Duration;

use dgate_modules::ModuleSettings;

use crate::kit;

async fn run(body: &str) -> Result<String, String> {
    kit::run(body, ModuleSettings::default()).await
}

/// Whatever walks through lists still does what it did.
#[tokio::test]
async fn lists_are_walked_through_as_before() {
    let body = r"
        class Own extends Array {}
        const own = Own.from([3, 1, 2]);
        class Bag { #all = [1, 2, 3]; get length() { return this.#all.length; } get 0() { return this.#all[0]; } get 1() { return this.#all[1]; } get 2() { return this.#all[2]; } }
        const bag = new Bag();
        const seen = [];
        Array.prototype.forEach.call(bag, function (value, index, list) { seen.push(value, index, list === bag, this.me); }, { me: 'me' });
        const like = { length: 2, 0: 'a', 1: 'b' };
        const filled = Array.prototype.fill.call(like, 'z');
        const holes = [1, , 3];
        const proxy = new Proxy([1, [2, [3]]], {});
        ctx.response().json([
            own instanceof Own, own.map((x) => x * 2) instanceof Own, own.concat([9], 8, [[7]]) instanceof Own, own.concat([9], 8, [[7]]),
            [].concat({ length: 2, 0: 'x', [Symbol.isConcatSpreadable]: true }), 1 in [].concat(holes), [].concat(holes).length,
            seen, filled === like, like,
            Array.from(bag), Array.from({ length: 2 }, (_, i) => i), Array.from(new Set([1, 2])), Array.from('añ'), Array.from(new Map([[1, 2]])),
            proxy.flat(), proxy.flat(Infinity), [1, 2].flatMap((x) => [x, [x]]), holes.flat(), own.flat() instanceof Own,
            [1, [2, [3]], null, undefined].join('-'), [1234.5, null].toLocaleString(), new Uint8Array([1, 2]).join('+'), String([1, [2, 3]]),
            Math.max.apply(null, bag), Reflect.construct(Own, [1, 2]).length, Reflect.ownKeys(new Proxy({ a: 1 }, { ownKeys: () => ['a', 'b'] })),
            Array.prototype.slice.call('abc', 1), Array.prototype.sort.call(bag2()), [3, 1].sort(), [1, 2].at(-1), [1, 2].with(0, 5),
        ]);
        function bag2() { return { length: 2, 0: 'b', 1: 'a' }; }";
    let expected = r#"[true,true,true,[3,1,2,9,8,[7]],["x",null],false,3,[1,0,true,"me",2,1,true,"me",3,2,true,"me"],true,{"0":"z","1":"z","length":2},[1,2,3],[0,1],[1,2],["a","ñ"],[[1,2]],[1,2,[3]],[1,2,3],[1,[1],2,[2]],[1,3],true,"1-2,3--","1234.5,","1+2","1,2,3",3,2,["a","b"],["b","c"],{"0":"a","1":"b","length":2},[1,3],2,[5,2]]"#;
    assert_eq!(run(body).await.as_deref(), Ok(expected));
}

/// ECMA-262, 25.5.2, and what engines agree upon.
#[tokio::test]
async fn json_is_written_as_the_language_says() {
    for (expression, expected) in [
        (
            r"JSON.stringify({ a: [1, 'x', null, undefined, () => 1, Symbol()], b: undefined, c: NaN, d: -0, e: 1e21, f: .1 })",
            r#"{"a":[1,"x",null,null,null,null],"c":null,"d":0,"e":1e+21,"f":0.1}"#,
        ),
        (
            r"JSON.stringify([new Number(1), new String('a'), new Boolean(false), Object(Symbol())])",
            r#"[1,"a",false,{}]"#,
        ),
        (r"JSON.stringify(new Date(0))", r#""1970-01-01T00:00:00.000Z""#),
        (
            r"JSON.stringify({ b: 1, a: { b: 2, c: 3 }, 1: 4 }, ['a', 'b', 1, 'a', {}])",
            r#"{"a":{"b":2},"b":1,"1":4}"#,
        ),
        (
            r"JSON.stringify({ a: 1, b: [2, 3] }, (k, v) => typeof v === 'number' ? v + 1 : v)",
            r#"{"a":2,"b":[3,4]}"#,
        ),
        (
            r"JSON.stringify({ a: 1 }, function (k, v) { return k === '' ? { ...this[''], z: 1 } : v; })",
            r#"{"a":1,"z":1}"#,
        ),
        (
            r"JSON.stringify({ a: [1, { b: 2 }], c: [], d: {} }, null, 2)",
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": [],\n  \"d\": {}\n}",
        ),
        (r"JSON.stringify([1], null, 'abcdefghijklm')", "[\nabcdefghij1\n]"),
        (r"JSON.stringify([1], null, 99)", "[\n          1\n]"),
        (r"JSON.stringify({ k: { toJSON(key) { return key + '!'; } } })", r#"{"k":"k!"}"#),
        (
            r#"JSON.stringify('\u{2028}\ud83d\ude00\ud83d"\\\n\x01')"#,
            "\"\u{2028}😀\\ud83d\\\"\\\\\\n\\u0001\"",
        ),
        (
            r"String(JSON.stringify(undefined)) + JSON.stringify(null) + String(JSON.stringify(() => 1))",
            "undefinednullundefined",
        ),
        (r"JSON.stringify(new Proxy({ a: 1 }, {})) + JSON.stringify(new Proxy([1], {}))", r#"{"a":1}[1]"#),
        (
            r"JSON.stringify(new Map([[1, 2]])) + JSON.stringify(new Uint8Array([1, 2])) + JSON.stringify(Object.create({ a: 1 }))",
            r#"{}{"0":1,"1":2}{}"#,
        ),
        (
            r"JSON.stringify(Object.defineProperty({ get a() { return 1; } }, 'b', { value: 2 }))",
            r#"{"a":1}"#,
        ),
        (r"JSON.stringify([,1])", "[null,1]"),
    ] {
        let body = format!("ctx.response().send({expression});");
        assert_eq!(run(&body).await.as_deref(), Ok(expected), "{expression}");
    }
}

/// Templates of long texts are filled in by the gateway: with the same result.
#[tokio::test]
async fn templates_are_filled_in_as_before() {
    let body = r#"
        const long = 'x'.repeat(70000);
        const templates = ['[$&]', '$$1', '$1-$2-$3-$01-$10-$0', '$<a>|$<b>|$<', "$`", "$'", '$', '$x', '$<a'];
        const patterns = [/b(?<a>c)(d)?/, /b(c)(d)?/, 'bc'];
        const differs = [];
        const own = Object.defineProperty(/b/, 'exec', { value: () => ({ index: 70001, 0: 'b', length: 2, 1: 5, groups: 'str' }) });
        if ((long + 'abce').replace(own, '[$<length>$1]') !== long + 'a[35]ce') differs.push('groups');
        for (const t of templates) for (const p of patterns) {
            const short = 'abce'.replace(p, t);
            const found = (long + 'abce').replace(p, t);
            const expected = t === "$`" ? long + 'a' + long + 'a' + 'e' : long + short;
            if (found !== expected) differs.push([t, String(p), found.slice(70000), short]);
        }
        ctx.response().json(differs);"#;
    let settings = ModuleSettings::default().with(|settings| settings.limits.cpu = Duration::from_secs(5));
    assert_eq!(kit::run(body, settings).await.as_deref(), Ok("[]"));
}

/// Functions are values like any other, and nobody sees how lists are looked at.
#[tokio::test]
async fn lists_keep_what_is_put_into_them() {
    let body = r"
        const f = () => 1, listeners = new Proxy([], {});
        listeners.push(f);
        const found = [listeners.indexOf(f), listeners.includes(f), (function () { return Array.prototype.indexOf.call(arguments, f); })(0, f)];
        const bag = { get length() { return 1; }, 0: f };
        found.push(Array.prototype.includes.call(bag, f), Array.prototype.map.call(bag, function () { return this === f; }, f)[0],
            Array.prototype.reduce.call(bag, (sum) => sum, f) === f, Array.prototype.fill.call({ get length() { return 1; }, set 0(v) { this.v = v; } }, f).v === f);
        const traps = [];
        const log = new Proxy({}, { get: (_, name) => (target, ...rest) => { traps.push(name); return Reflect[name](target, ...rest); } });
        new Proxy([1, 2], log).map((x) => x);
        const reads = [];
        const like = { get [Symbol.iterator]() { reads.push('iterator'); }, get length() { reads.push('length'); return 1; }, 0: 5 };
        const made = Array.from(like, (x) => x + 1);
        const args = [{ toLocaleString(...all) { return all.join('/'); } }].toLocaleString('de', 2);
        let early = 0;
        try { Reflect.apply(1, null, { get length() { early++; return 0; } }); } catch { early += 10; }
        class Kind {} const flat = [[1], 2]; Object.defineProperty(flat, 'constructor', { value: { [Symbol.species]: Kind } });
        const out = new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 }), 4); out.buffer.resize(2);
        let joined; try { joined = out.join(); } catch (e) { joined = e.name; }
        ctx.response().json([found, traps.join(), reads, made, args, early, Object.keys(flat.flat()), joined, 'abc'.padStart(2, Symbol()),
            'abc'.padEnd(Infinity, ''), Object.getOwnPropertyDescriptor(RegExp.prototype, 'source').get.name]);";
    let expected = r#"[[0,true,1,true,true,true,true],"get,get,get,has,get,has,get",["iterator","length"],[6],"de/2",10,["0","1"],"TypeError","abc","abc","get source"]"#;
    assert_eq!(run(body).await.as_deref(), Ok(expected));
}

#[tokio::test]
async fn raw_json_is_written_as_it_is() {
    let body = "const raw = JSON.rawJSON('12345678901234567890');
        ctx.response().send(JSON.stringify({ a: raw, b: [raw] }) + JSON.stringify(raw) + JSON.stringify([raw], null, 1));";
    let expected = "{\"a\":12345678901234567890,\"b\":[12345678901234567890]}12345678901234567890[\n 12345678901234567890\n]";
    assert_eq!(run(body).await.as_deref(), Ok(expected));
}

/// Constructors that the gateway has in the place of the engine's.
#[tokio::test]
async fn constructors_are_what_they_were() {
    let body = r"
        class Own extends Array { extra() { return this.length; } }
        class Wrong extends TypeError { constructor(m) { super(m, { cause: 1 }); this.name = 'Wrong'; } }
        class Plain extends Object { a = 1; }
        class Match extends RegExp { [Symbol.match](s) { return 'own ' + s; } }
        const wrong = new Wrong('m'), error = new Error('e', { cause: 2 });
        const many = Array.from({ length: 20 }, (_, i) => i);
        const t = (i) => many[i];
        ctx.response().json([
            [].constructor === Array, ({}).constructor === Object, /a/.constructor === RegExp, new TypeError().constructor === TypeError,
            [] instanceof Array, ({}) instanceof Object, wrong instanceof TypeError, wrong instanceof Error, wrong.cause, wrong.name, wrong.message,
            Object.getPrototypeOf(TypeError) === Error, Array.name, Array.length, Object.name, Error.name, Array.isArray(Array(3)), Array(3).length, new Array(1, 2).length, Array('3')[0],
            Object(1) instanceof Number, new Object(1) instanceof Number, new Object('a') instanceof String, Object(null) !== null, new Plain().a,
            new Own(1, 2, 3).map((x) => x) instanceof Own, Own.from([1]).extra(), Own.of(1, 2).filter(Boolean) instanceof Own, [1].map(String) instanceof Own,
            RegExp('a+', 'g').source, new RegExp(/b/g, 'i').flags, RegExp({ [Symbol.match]: true, source: 's', flags: 'y' }).toString(), 'x'.match(new Match('x')), new Match('x') instanceof RegExp,
            'a1b2'.split(/\\d/), [...'a1b2'.matchAll(/\\d/g)].length, error.cause, error instanceof Error, Error('x').message, new AggregateError([1], 'm').errors[0],
            Reflect.construct(Array, [2], Own) instanceof Own, Reflect.construct(Error, ['x'], Wrong) instanceof Wrong, typeof Error.prototype.stack === 'undefined' || true,
            `${t(0)}${t(1)}${t(2)}-${t(3)}${t(4)}${t(5)}${t(6)}${t(7)}${t(8)}${t(9)}${t(10)}${t(11)}${t(12)}${t(13)}${t(14)}${t(15)} ${t(16)} \\${t(17)} ${t(18)}!`,
            (() => { try { null.x; } catch (e) { return e instanceof TypeError && e.constructor === TypeError; } })(),
            await Promise.resolve(1).finally(() => 2), await Promise.reject(3).finally(() => {}).catch((e) => e), await Promise.resolve(1).finally(() => { throw 4; }).catch((e) => e),
            await Promise.resolve(5).finally(), Promise.prototype.finally.name, typeof Atomics, structuredClone(new RangeError('c')) instanceof RangeError, structuredClone([1, { a: /x/g }])[1].a.flags,
        ]);";
    let body = body.replace("\\\\", "\\");
    let expected = r#"[true,true,true,true,true,true,true,true,1,"Wrong","m",true,"Array",1,"Object","Error",true,3,2,"3",true,true,true,true,1,true,1,true,false,"a+","i","/s/y","own x",true,["a","b",""],2,2,true,"x",1,true,true,true,"012-3456789101112131415 16 ${t(17)} 18!",true,1,3,4,5,"finally","undefined",true,"g"]"#;
    assert_eq!(run(&body).await.as_deref(), Ok(expected));
}
