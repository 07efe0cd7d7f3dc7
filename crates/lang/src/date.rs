//! Calendar days, without a clock and without time zones.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A day of the proleptic Gregorian calendar, year 1 to 9999. Ordered by time.
///
/// INVARIANT (valid date): month and day exist. Fields are private for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is not a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseDateError(String);

impl fmt::Display for ParseDateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for ParseDateError {}

impl Date {
    /// A date; `None` where there is no such day.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let valid = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day);
        valid.then_some(Date { year, month, day })
    }

    /// The year, 1 to 9999.
    #[must_use]
    pub fn year(self) -> u16 {
        self.year
    }
    /// The month, 1 to 12.
    #[must_use]
    pub fn month(self) -> u8 {
        self.month
    }
    /// The day of the month, 1 to 31.
    #[must_use]
    pub fn day(self) -> u8 {
        self.day
    }

    /// Days since 1970-01-01, negative before it.
    #[must_use]
    pub fn to_days(self) -> i64 {
        // Howard Hinnant's civil calendar algorithm: years begin in March, so the leap day is the last.
        let (y, m, d) = (i64::from(self.year), i64::from(self.month), i64::from(self.day));
        let y = if m <= 2 { y - 1 } else { y };
        let era = y.div_euclid(400);
        let yoe = y.rem_euclid(400);
        let doy = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
        era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
    }

    /// The day that many days after 1970-01-01; `None` outside the years 1 to 9999.
    #[must_use]
    pub fn from_days(days: i64) -> Option<Self> {
        let z = days.checked_add(719_468)?;
        let (era, doe) = (z.div_euclid(146_097), z.rem_euclid(146_097));
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        Self::new(
            u16::try_from(year).ok()?,
            u8::try_from(month).ok()?,
            u8::try_from(day).ok()?,
        )
    }

    /// Days from `self` to `later`; negative when `later` is earlier.
    #[must_use]
    pub fn days_until(self, later: Date) -> i64 {
        later.to_days() - self.to_days()
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = ParseDateError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let shape = || ParseDateError(format!("`{s}` is not a date of the form `2027-01-31`"));
        let parts: Vec<&str> = s.split('-').collect();
        let &[y, m, d] = parts.as_slice() else {
            return Err(shape());
        };
        let digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
        if !(digits(y, 4) && digits(m, 2) && digits(d, 2)) {
            return Err(shape());
        }
        let (Ok(y), Ok(m), Ok(d)) = (y.parse(), m.parse(), d.parse()) else {
            return Err(shape());
        };
        Date::new(y, m, d).ok_or_else(|| ParseDateError(format!("`{s}` is not a day of the calendar")))
    }
}

impl TryFrom<String> for Date {
    type Error = ParseDateError;
    fn try_from(s: String) -> Result<Self, Self::Error> {
        s.parse()
    }
}

impl From<Date> for String {
    fn from(d: Date) -> String {
        d.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        for good in ["2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(good.parse::<Date>().map(|d| d.to_string()).as_deref(), Ok(good));
        }
        for bad in [
            "2023-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "0000-01-01",
        ] {
            assert!(
                bad.parse::<Date>().unwrap_err().to_string().contains("not a day"),
                "{bad}"
            );
        }
        for bad in [
            "",
            "2026",
            "2026-1-1",
            "26-01-01",
            "2026-01-01-01",
            "２０２６-01-01",
            "+026-01-01",
        ] {
            assert!(
                bad.parse::<Date>().unwrap_err().to_string().contains("form"),
                "{bad}"
            );
        }
    }

    #[test]
    fn days_count_and_come_back() {
        let d = |s: &str| s.parse::<Date>().unwrap();
        assert_eq!(d("1970-01-01").to_days(), 0);
        assert_eq!(d("2026-11-23").days_until(d("2027-01-31")), 69);
        assert_eq!(d("2027-01-31").days_until(d("2026-11-23")), -69);
        let (first, last) = (d("0001-01-01").to_days(), d("9999-12-31").to_days());
        let mut previous = None;
        for n in (first..=last).step_by(17) {
            let day = Date::from_days(n).unwrap();
            assert_eq!(day.to_days(), n);
            assert!(previous < Some(day));
            previous = Some(day);
        }
        assert_eq!(Date::from_days(last + 1), None);
        assert_eq!(Date::from_days(i64::MAX), None);
    }
}
