//! CommonJS: `exports.x = …` and `require(…)` as an ES module.

use std::fmt::Write as _;

use oxc::ast::ast::{Expression, MemberExpression};

/// What is found of CommonJS.
#[derive(Default)]
pub(super) struct Common {
    pub(super) required: Vec<String>,
    pub(super) exported: Vec<String>,
}

impl Common {
    /// What stands before and after the text of such a module.
    pub(super) fn wrap(&self, before: &mut String, after: &mut String) {
        let mut cases = String::new();
        for (number, specifier) in self.required.iter().enumerate() {
            let quoted = serde_json::Value::from(specifier.as_str());
            let _ = write!(before, "import*as __dgate_r{number} from {quoted};");
            let _ = write!(cases, "case {quoted}:r=__dgate_r{number};break;");
        }
        before.push_str("const module={exports:{}};let exports=module.exports;");
        before.push_str("const require=(s)=>{let r;switch(s){");
        before.push_str(&cases);
        before.push_str("default:throw new Error(`cannot find module '${s}'`)}");
        before.push_str("return\"__dgate_common\"in r?r.default:r};");
        after.push_str("\nconst __dgate_e=module.exports;export default __dgate_e;");
        after.push_str("export const __dgate_common=true;");
        for (number, name) in self.exported.iter().enumerate() {
            let _ = write!(after, "const __dgate_e{number}=__dgate_e.{name};");
            let _ = write!(after, "export{{__dgate_e{number} as {name}}};");
        }
    }

    /// `exports.NAME` and `module.exports.NAME`.
    pub(super) fn exported_name(target: &MemberExpression<'_>) -> Option<String> {
        let MemberExpression::StaticMemberExpression(member) = target else { return None };
        let of_exports = match &member.object {
            Expression::Identifier(id) => id.name == "exports",
            Expression::StaticMemberExpression(inner) => {
                inner.property.name == "exports"
                    && matches!(&inner.object, Expression::Identifier(id) if id.name == "module")
            }
            _ => false,
        };
        of_exports.then(|| member.property.name.to_string())
    }
}
