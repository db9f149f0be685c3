//! Programs at random.

use std::fmt::Write as _;

/// Writes programs at random.
pub(super) struct Writer {
    pub(super) random: fastrand::Rng,
    pub(super) variables: usize,
}

impl Writer {
    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.random.usize(..all.len())]
    }

    fn value(&mut self, depth: usize) -> String {
        const LITERALS: [&str; 14] = [
            "'a'",
            "'Ab c'",
            "'ä😀'",
            "'10'",
            "''",
            "' 7 '",
            "0",
            "-1",
            "2.5",
            "1e300",
            "null",
            "undefined",
            "true",
            "false",
        ];
        const READS: [&str; 6] = [
            "ctx.query().get('n')",
            "ctx.query().get('q')",
            "ctx.request().headers.get('x-in')",
            "ctx.request().headers.get('none')",
            "ctx.pathParam('id')",
            "ctx.env.A",
        ];
        if depth == 0 {
            return match self.random.u8(..3) {
                0 => self.one(&LITERALS).to_owned(),
                1 => self.one(&READS).to_owned(),
                _ if self.variables > 0 => format!("v{}", self.random.usize(..self.variables)),
                _ => "ctx.route().name".to_owned(),
            };
        }
        let depth = depth - 1;
        let (a, b) = (self.value(depth), self.value(depth));
        match self.random.u8(..22) {
            0..3 => {
                let operator = self.one(&["+", "+", "-", "*", "/", "%", "<", "<=", ">", ">=", "===", "!=="]);
                format!("({a} {operator} {b})")
            }
            3 => format!("({a} {} {b})", self.one(&["&&", "||"])),
            4 => format!("(({a}) ?? ({b}))"),
            5 => format!("({a} ? {b} : {})", self.value(depth)),
            6 => format!("`<${{{a}}}|${{{b}}}>`"),
            7 => format!("({}({a}))", self.one(&["!", "-", "+", "typeof ", "void "])),
            8 => format!("{}({a})", self.one(&["String", "Number", "Boolean", "encodeURIComponent"])),
            9 => {
                let method = self.one(&["startsWith", "endsWith", "includes", "indexOf", "concat"]);
                format!("String({a}).{method}({b})")
            }
            10 => {
                let method = self.one(&["trim", "toLowerCase", "toUpperCase"]);
                format!("(typeof ({a}) === 'string' ? ({a}).{method}().length : {b})")
            }
            13 => {
                let function = self.one(&["abs", "ceil", "floor", "round", "trunc"]);
                format!("Math.{function}({a})")
            }
            15 => {
                let method = self.one(&["slice", "substring", "padStart", "padEnd", "at", "charAt"]);
                // Halves of characters are for hooks that changed nothing so far.
                let receiver = if self.variables < 3 {
                    format!("String({a})")
                } else {
                    format!("encodeURIComponent({a})")
                };
                format!("{receiver}.{method}(Number({b}) % 9)")
            }
            16 => format!("String({a}).replace({b}, '<$&>')"),
            17 => format!("String({a}).split('{}').join({b})", self.one(&["a", " ", "e", "und", ","])),
            18 => format!("[{a}, {b}, 'z'].slice({b}).join()"),
            19 => format!("f({a})"),
            20 => format!("[{a}, {b}].{}({a})", self.one(&["includes", "indexOf"])),
            21 => format!("({a} {} {b})", self.one(&["&", "|", "^", "<<", ">>", ">>>"])),
            14 => format!("Math.{}({a}, {b})", self.one(&["min", "max"])),
            11 => format!("JSON.stringify({{ a: {a}, b: [{b}] }})"),
            _ => format!("({a} {} null)", self.one(&["==", "!="])),
        }
    }

    fn statements(&mut self, depth: usize) -> String {
        let mut text = String::new();
        for _ in 0..self.random.usize(1..4) {
            let value = self.value(3);
            let statement = match self.random.u8(..9) {
                0 | 1 if depth > 0 => {
                    let (then, otherwise) = (self.statements(depth - 1), self.statements(depth - 1));
                    format!("if ({value}) {{ {then} }} else {{ {otherwise} }}\n")
                }
                2 => format!("ctx.response().headers.append('x-r', encodeURIComponent({value}));\n"),
                3 => format!("v{} += {value};\n", self.random.usize(..self.variables)),
                6 => {
                    let operator = self.one(&["-=", "*=", "%=", "??=", "||=", "&&="]);
                    format!("v{} {operator} {value};\n", self.random.usize(..self.variables))
                }
                8 => {
                    let (one, other) =
                        (self.random.usize(..self.variables), self.random.usize(..self.variables));
                    format!("{{ const c = v{one}; v{one} = {value}; v{other} = c; }}\n")
                }
                7 => format!("ctx.set('k', {value}); v0 = ctx.get('k');\n"),
                4 => format!("{value};\n"),
                _ => format!("v{} = {value};\n", self.random.usize(..self.variables)),
            };
            text.push_str(&statement);
        }
        // What loops add to does not grow for ever.
        let variable = self.random.usize(..self.variables);
        text + &format!("if (String(v{variable}).length > 99) v{variable} = 'long';\n")
    }

    /// A hook with three variables, whose values it answers with. Now and then something in it throws.
    pub(super) fn module(&mut self) -> String {
        let mut text = String::from("export function requestHandler(ctx) {\n");
        self.variables = 0;
        for variable in 0..3 {
            let _ = writeln!(text, "let v{variable} = {};", self.value(2));
            self.variables += 1;
        }
        text += &self.statements(2);
        let careless = format!("v0 = {}.trim();\n", self.value(1));
        text += if self.random.u8(..8) == 0 { &careless } else { "" };
        text + "ctx.response().json({ v0, v1, v2 });\n}\nfunction f(x, y = 'd') { const z = y; y = x; return `${z}${y}`; }"
    }
}
