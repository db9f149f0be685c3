//! Cron expressions: how they are written.

use std::ops::RangeInclusive;

/// One field of an expression.
struct Field {
    name: &'static str,
    values: RangeInclusive<u32>,
    /// Other names of the values, the first of which is the least.
    words: &'static [&'static str],
}

const FIELDS: [Field; 6] = [
    Field { name: "second", values: 0..=59, words: &[] },
    Field { name: "minute", values: 0..=59, words: &[] },
    Field { name: "hour", values: 0..=23, words: &[] },
    Field { name: DAY_OF_MONTH, values: 1..=31, words: &[] },
    Field {
        name: "month",
        values: 1..=12,
        words: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    },
    Field { name: DAY_OF_WEEK, values: 0..=7, words: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] },
];
const DAY_OF_MONTH: &str = "day of the month";
const DAY_OF_WEEK: &str = "day of the week";

/// Checks `MIN HOUR DOM MON DOW`, with seconds first when there are six fields.
///
/// Each field is a list of `*`, values, ranges and steps (`*/5`, `1-5`, `10-50/10`). Days may also be `?`, the last one
/// of the month (`L`), the working day nearest to a date (`15W`), the last of its kind in the month (`5L`), or the
/// second (`5#2`).
pub(super) fn check(expression: &str) -> Result<(), String> {
    let written: Vec<_> = expression.split_whitespace().collect();
    if !matches!(written.len(), 5 | 6) {
        return Err(format!(
            "5 fields are expected (6 with seconds first), there {} {}",
            if written.len() == 1 { "is" } else { "are" },
            written.len()
        ));
    }
    let fields = &FIELDS[FIELDS.len() - written.len()..];
    fields.iter().zip(written).try_for_each(|(field, list)| {
        list.split(',')
            .try_for_each(|item| field.check(item))
            .map_err(|reason| format!("{}: {reason}", field.name))
    })
}

impl Field {
    fn check(&self, item: &str) -> Result<(), String> {
        let is_day = self.name == DAY_OF_MONTH || self.name == DAY_OF_WEEK;
        if self.is_special_day(item) || (is_day && item == "?") {
            return Ok(());
        }
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        if let Some(step) = step
            && !step.parse::<u32>().is_ok_and(|step| step > 0)
        {
            return Err(format!("`{step}` is no step"));
        }
        if range == "*" {
            return Ok(());
        }
        match range.split_once('-') {
            None => self.value(range).map(drop),
            Some((from, to)) if self.value(from)? > self.value(to)? => {
                Err(format!("`{range}` ends before it begins"))
            }
            Some(_) => Ok(()),
        }
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let word = self.words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let least = self.values.start();
        let value = word.map(|at| at as u32 + least).or_else(|| text.parse().ok());
        value.filter(|value| self.values.contains(value)).ok_or_else(|| {
            let most = self.values.end();
            format!("`{text}` is not between {least} and {most}")
        })
    }

    fn is_special_day(&self, item: &str) -> bool {
        let is_value = |text: &str| self.value(text).is_ok();
        match self.name {
            DAY_OF_MONTH => matches!(item, "L" | "LW") || item.strip_suffix('W').is_some_and(is_value),
            DAY_OF_WEEK => {
                item.strip_suffix('L').is_some_and(is_value)
                    || item.split_once('#').is_some_and(|(day, nth)| {
                        is_value(day) && nth.parse().is_ok_and(|nth: u32| (1..=5).contains(&nth))
                    })
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn examples() {
        for expression in [
            "* * * * *",
            "*/5 0-6 1,15 jan-mar MON",
            "0 30 9 ? * 1-5",
            "10-50/10 3 L * *",
            "0 0 15W * *",
            "0 0 LW * 5L",
            "0 0 * * 5#2,7",
        ] {
            assert_eq!(check(expression), Ok(()), "{expression}");
        }
        for (expression, reason) in [
            ("", "there are 0"),
            ("*", "there is 1"),
            ("* * * * * * *", "there are 7"),
            ("60 * * * *", "minute: `60` is not between 0 and 59"),
            ("60 * * * * *", "second: `60` is not between 0 and 59"),
            ("* 24 * * *", "hour: `24` is not between 0 and 23"),
            ("* * 0 * *", "day of the month: `0` is not between 1 and 31"),
            ("* * * FOO *", "month: `FOO` is not between 1 and 12"),
            ("* * * * 8", "day of the week: `8` is not between 0 and 7"),
            ("5-1 * * * *", "minute: `5-1` ends before it begins"),
            ("*/0 * * * *", "minute: `0` is no step"),
            ("1,,2 * * * *", "minute: `` is not between"),
            ("? * * * *", "minute: `?` is not between"),
            ("* * * * 5#6", "day of the week: `5#6` is not between"),
        ] {
            let error = check(expression).unwrap_err();
            assert!(error.contains(reason), "{expression}: {error}");
        }
    }
}
