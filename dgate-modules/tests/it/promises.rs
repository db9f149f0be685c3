//! How many handlers of promises a call may have waiting.

use dgate_modules::ModuleSettings;

use crate::kit;

/// Runs a handler that may have a thousand of them, and returns what it answered or what went wrong.
async fn run(body: &str) -> Result<String, String> {
    kit::run(body, ModuleSettings::default().with(|settings| settings.limits.promises = 1_000)).await
}

/// Name and handler, which has too many.
macro_rules! storms {
    ($($name:ident: $body:literal;)*) => {
        $(#[tokio::test]
        async fn $name() {
            let failure = run($body).await.expect_err("it ends");
            let said = "promises: the module has more than 1000 handlers of promises waiting (`await` has two, a function given to `then` is one); \
                        let it wait for some before it begins more, or raise `modules.limits.promises`";
            assert!(failure.contains(said), "{failure}");
        })*
    };
}

storms! {
    a_chain_that_grows: "const f = () => Promise.resolve().then(f); await f();";
    a_million_that_nobody_waits_for: "for (let i = 0; i < 1e6; i++) Promise.resolve().then(() => {});";
    the_answer_does_not_save_it: "ctx.response().send('ok'); for (let i = 0; i < 2000; i++) Promise.resolve().then(() => {});";
    all_on_one_promise: "const p = new Promise(() => {}); for (;;) p.then(() => {});";
    functions_that_wait: "const p = new Promise(() => {}), f = async () => { await p; }; for (;;) f();";
    it_cannot_be_caught: "for (;;) { try { Promise.resolve().then(() => {}); } catch { } finally { } }";
    after_waiting: "await sleep(1); for (;;) Promise.resolve().then(() => {});";
    in_a_continuation: "await Promise.resolve().then(() => { for (;;) Promise.resolve().then(() => {}); });";
    lists_of_what_is_there: "const list = new Array(900).fill(0); Promise.all(list); Promise.all(list);";
    lists_of_what_never_comes: "const list = new Array(600).fill(new Promise(() => {})); Promise.all(list);
        await sleep(1); ctx.response().json(list.length);";
}

#[tokio::test]
async fn what_has_run_does_not_count() {
    let body = "for (let i = 0; i < 3000; i++) await null;
        for (let i = 0; i < 20; i++) await Promise.all(new Array(400).fill(0).map(async () => null));
        ctx.response().send('ok');";
    assert_eq!(run(body).await.as_deref(), Ok("ok"));
}

#[tokio::test]
async fn what_nothing_can_settle_any_more_does_not_count() {
    let body = "for (let i = 0; i < 5000; i++) new Promise(() => {}).then(() => {});
        ctx.response().send('ok');";
    assert_eq!(run(body).await.as_deref(), Ok("ok"));
}

#[tokio::test]
async fn lists_of_promises_are_not_longer() {
    for name in ["all", "allSettled", "any", "race"] {
        let body = format!(
            "for (const list of [new Array(1001).fill(0), new Set(new Array(1001).keys())])
               try {{ await Promise.{name}(list); ctx.response().write('?'); }} catch (e) {{ ctx.response().write(e.name + ' '); }}
             await Promise.{name}([1]);
             ctx.response().end();"
        );
        assert_eq!(run(&body).await.as_deref(), Ok("RangeError RangeError "), "{name}");
    }
}
