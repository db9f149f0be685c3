//! Other descriptions become files for `apply`.

use crate::program::{ended, program, run};

#[test]
fn what_is_imported_can_be_validated_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let petstore = "openapi: 3.1.0\ninfo: {title: Pets}\nservers: [{url: 'http://127.0.0.1:1/v1'}]\npaths:\n  /pets/{id}: {get: {}}\n";
    let kong = "_format_version: '3.0'\nservices:\n- name: api\n  url: http://127.0.0.1:1\n  plugins: [{name: cors}]\n  routes: [{name: r, paths: [/a]}]\n";
    for (kind, text, warning) in
        [("openapi", petstore, ""), ("kong", kong, "warning: service api: its plugins (cors)")]
    {
        std::fs::write(folder.path().join("in.yaml"), text).unwrap();
        let imported = ended(
            &program(&["import", kind, "in.yaml", "-n", "shop"]).current_dir(folder.path()).output().unwrap(),
        );
        assert_eq!(imported.status, 0, "{}", imported.stderr);
        assert!(imported.stderr.starts_with(warning), "{}", imported.stderr);
        assert!(imported.stdout.contains("namespace: shop"), "{}", imported.stdout);
        let whole = format!("{}namespaces: [{{name: shop}}]\n", imported.stdout);
        std::fs::write(folder.path().join("out.yaml"), whole).unwrap();
        let checked =
            ended(&program(&["validate", "-f", "out.yaml"]).current_dir(folder.path()).output().unwrap());
        assert_eq!((checked.status, checked.stderr.as_str()), (0, "3 resources are valid\n"), "{kind}");
    }
    std::fs::write(folder.path().join("in.yaml"), "a: 1\n").unwrap();
    let file = folder.path().join("in.yaml");
    let refused = run(&["import", "kong", file.to_str().unwrap()]);
    assert_eq!(refused.status, 7);
    assert!(refused.stderr.contains("no configuration of Kong"), "{}", refused.stderr);
}
