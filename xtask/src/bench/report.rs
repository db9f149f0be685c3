//! What was measured, as a Markdown table.

use super::load::Window;
use super::scenario::Scenario;

/// A scenario's windows, by contender; the first one is what the others are compared with.
pub(crate) type Measured<'a> = (&'a Scenario, Vec<(&'static str, Vec<Window>)>);

/// One line for each scenario: the median CPU time per request with its range, the ratio to each other contender, and
/// the rate: with a full CPU, or as much as a slow upstream leaves room for.
pub(crate) fn table(contenders: &[&str], measured: &[Measured<'_>]) -> String {
    let (ours, others) = contenders.split_first().unwrap_or((&"", &[]));
    let mut head = vec!["scenario".to_owned()];
    head.extend(contenders.iter().map(|name| format!("{name}, CPU µs/request")));
    head.extend(others.iter().map(|name| format!("{ours} ÷ {name}")));
    head.push(format!("{ours}, requests/s"));
    let mut lines = vec![head.join(" | "), vec!["---"; head.len()].join(" | ")];
    lines.extend(measured.iter().map(|(scenario, windows)| line(scenario, contenders, windows)));
    format!("| {} |\n", lines.join(" |\n| "))
}

fn line(scenario: &Scenario, contenders: &[&str], measured: &[(&'static str, Vec<Window>)]) -> String {
    let of = |name: &&str| measured.iter().find(|(known, _)| known == name).map(|(_, windows)| &windows[..]);
    let windows: Vec<&[Window]> = contenders.iter().map(|name| of(name).unwrap_or_default()).collect();
    let costs: Vec<Vec<f64>> = windows.iter().map(|windows| costs(windows)).collect();
    let mut cells = vec![format!("`{}`: {}", scenario.name, scenario.about)];
    cells.extend(costs.iter().map(|costs| {
        let (Some(least), Some(most), Some(median)) = (costs.first(), costs.last(), median(costs)) else {
            return "–".to_owned();
        };
        format!("{median:.1} ({least:.1} to {most:.1})")
    }));
    let ratio = |others: &[f64]| Some(format!("{:.2}", median(&costs[0])? / median(others)?));
    cells.extend(costs[1..].iter().map(|others| ratio(others).unwrap_or_else(|| "–".to_owned())));
    let mut rates: Vec<f64> = windows[0].iter().map(|window| window.per_second).collect();
    rates.sort_by(f64::total_cmp);
    let share = |rate: f64| {
        scenario.most_per_second().map(|most| format!(" ({:.0} % of {most:.0})", 100.0 * rate / most))
    };
    let rate = |rate| format!("{rate:.0}{}", share(rate).unwrap_or_default());
    cells.push(median(&rates).map_or_else(|| "–".to_owned(), rate));
    cells.join(" | ")
}

/// Microseconds of CPU time per request, in rising order.
fn costs(windows: &[Window]) -> Vec<f64> {
    let cost = |window: &Window| window.cpu.as_secs_f64() * 1e6 / f64::from(window.requests);
    let mut costs: Vec<f64> = windows.iter().map(cost).collect();
    costs.sort_by(f64::total_cmp);
    costs
}

/// Of values in rising order; nothing of nothing.
fn median(values: &[f64]) -> Option<f64> {
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::scenario;
    use super::*;

    #[test]
    fn a_line_has_medians_ranges_and_ratios() {
        let window =
            |micros| Window { requests: 100, cpu: Duration::from_micros(micros), per_second: 50_000.4 };
        let measured: Measured<'_> = (
            &scenario::ALL[0],
            vec![
                ("dgate", vec![window(2000), window(1000), window(1500)]),
                ("nginx", vec![window(2000), window(4000)]),
            ],
        );
        let table = table(&["dgate", "nginx", "haproxy"], &[measured]);
        assert_eq!(
            table.lines().last().unwrap(),
            "| `plain`: HTTP/1.1, 64 connections, 128 B | 15.0 (10.0 to 20.0) | 30.0 (20.0 to 40.0) | – | 0.50 | – | 50000 |"
        );
        let slow = scenario::ALL.iter().find(|scenario| scenario.name == "slow").unwrap();
        let measured: Measured<'_> =
            (slow, vec![("dgate", vec![Window { per_second: 15_000.0, ..window(1000) }])]);
        let table_of_slow = super::table(&["dgate"], &[measured]);
        assert!(table_of_slow.trim_end().ends_with("| 15000 (75 % of 20000) |"), "{table_of_slow}");
        assert!(table.starts_with("| scenario | dgate, CPU µs/request | nginx, CPU µs/request | haproxy, CPU µs/request | dgate ÷ nginx | dgate ÷ haproxy | dgate, requests/s |\n| --- |"));
    }
}
