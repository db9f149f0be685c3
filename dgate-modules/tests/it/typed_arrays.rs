//! Typed arrays, whose elements may be as many as the bytes of a buffer.

use dgate_modules::ModuleSettings;

use crate::kit;

async fn run(body: &str) -> Result<String, String> {
    kit::run(body, ModuleSettings::default()).await
}

const LARGE: &str = "larger than modules may have it";

/// Typed arrays have as many elements as a buffer has bytes.
#[tokio::test]
async fn typed_arrays_are_gone_through_as_far_as_lists() {
    let large = "const a = new Uint8Array(16 << 20);";
    for act in [
        "a.sort()",
        "a.reverse()",
        "a.map(Math.floor)",
        "a.lastIndexOf(1)",
        "a.toSorted()",
        "a.with(0, 1)",
        "Object.keys(a)",
        "Object.entries(a)",
        "Reflect.ownKeys(a)",
        "Object.assign({}, a)",
        "({ ...a })",
        "for (const key in a) key;",
        "for (const key in 'x'.repeat(16 << 20)) key;",
        "JSON.stringify(a)",
        "Object.keys('x'.repeat(16 << 20))",
        "Object.values(new String('x'.repeat(16 << 20)))",
        "Object.getOwnPropertyDescriptors(Array(500000).fill(1))",
        "a.set({ length: 16 << 20 })",
        "new Uint16Array(8 << 20).indexOf(1)",
        "Uint8Array.from({ length: 2 ** 52 })",
        "new Uint8Array((16 << 20) + 1)",
    ] {
        let failure = run(&format!("{large} {act};")).await.expect_err(act);
        assert!(failure.contains(LARGE) || failure.contains("RangeError"), "{act}: {failure}");
    }
    let body = format!(
        r"{large} a[5] = 7; a[9000000] = 8;
        const at = [a.indexOf(7), a.indexOf(7, 6), a.indexOf(8), a.indexOf(8, -8000000), a.indexOf(263), a.indexOf('7'), a.indexOf(7.5), a.includes(8), a.includes(9), a.indexOf(7, -1e99)];
        a.fill('3', 1, -1); const ends = [a[0], a[1], a[65537], a[a.length - 2], a[a.length - 1]];
        a.fill(300); const all = [a[0], a[9000000]];
        a.set([1, 2], 3); a.set({{ length: 1, 0: 9 }}, 0);
        const short = new Int8Array([3, 1, 2]); const from = Uint8Array.from({{ length: 2, 0: 5 }}, (x) => x + 1);
        const sparse = []; sparse[3000000] = 1; const seen = []; for (const key in sparse) seen.push(key);
        ctx.response().json([at, ends, all, a[0], a[3], a[4], [...short.sort()], short.indexOf(2), short.includes(9), short.fill(4, 1, 2).join(), from.join(), Object.keys(sparse), seen, {{ ...'ab' }}]);"
    );
    let expected = r#"[[5,-1,9000000,9000000,-1,-1,-1,true,false,5],[0,3,3,3,0],[44,44],9,1,2,[1,2,3],1,false,"1,4,3","6,0","#;
    let answer = run(&body).await.unwrap();
    assert!(answer.starts_with(expected), "{answer}");
    assert!(answer.ends_with(r#"["3000000"],["3000000"],{"0":"a","1":"b"}]"#), "{answer}");
}

/// What is converted on the way may make the buffer shorter.
#[tokio::test]
async fn buffers_that_shrink_while_they_are_filled() {
    let body = "const b = new ArrayBuffer(32, { maxByteLength: 32 }), a = new Uint32Array(b);
        a.fill(0x01020304, { valueOf() { b.resize(16); return 0; } });
        const gone = new Uint32Array(b); let failed;
        try { gone.fill({ valueOf() { b.resize(0); return 7; } }); } catch (e) { failed = e.name; }
        ctx.response().json([a.length, b.byteLength, failed]);";
    let shrunk = run(body).await.unwrap();
    assert!(shrunk.starts_with("[0,0"), "{shrunk}");
    let body = "const b = new ArrayBuffer(32, { maxByteLength: 32 }), a = new Uint32Array(b);
        a.fill(0x01020304, { valueOf() { b.resize(16); return 0; } });
        ctx.response().json([...a].map((n) => n.toString(16)));";
    assert_eq!(run(body).await.as_deref(), Ok(r#"["1020304","1020304","1020304","1020304"]"#));
}
