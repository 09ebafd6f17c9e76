//! One figure, as `tests/bench.sh` reads it.

use std::{env, fmt, fs, path::Path};

use serde::{Serialize, Serializer};

use crate::daemon::Trouble;

/// Within what a figure must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// At most so many times its floor.
    Times(f64),
    /// At least so many times its floor.
    AtLeastTimes(f64),
    /// The value itself, in its unit, at most.
    AtMost(f64),
    /// The value itself, in its unit, at least.
    AtLeast(f64),
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(times) => write!(f, "ratio <= {times}"),
            Self::AtLeastTimes(times) => write!(f, "ratio >= {times}"),
            Self::AtMost(value) => write!(f, "value <= {value}"),
            Self::AtLeast(value) => write!(f, "value >= {value}"),
        }
    }
}

impl Serialize for Goal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A value, its floor, and where and when it was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// In `unit`.
    pub value: f64,
    /// `ms`, `s`, `1/s` or `bytes`.
    pub unit: &'static str,
    /// In `unit`, where there is one.
    pub floor: Option<f64>,
    /// Value by floor.
    pub ratio: Option<f64>,
    /// Within what it must be.
    pub goal: Goal,
    /// Processors, memory and system.
    pub machine: String,
    /// When, UTC.
    pub date: String,
    /// Which commit.
    pub commit: String,
}

impl Figure {
    /// A figure of now and here.
    pub fn new(
        name: &'static str,
        value: f64,
        unit: &'static str,
        floor: Option<f64>,
        goal: Goal,
    ) -> Self {
        Self {
            name,
            value,
            unit,
            floor,
            ratio: floor.map(|floor| value / floor),
            goal,
            machine: machine(),
            date: jiff::Timestamp::now()
                .strftime("%Y-%m-%dT%H:%M:%SZ")
                .to_string(),
            commit: env::var("MAILLON_COMMIT").unwrap_or_else(|_| String::from("unknown")),
        }
    }

    /// Whether it is within its goal. What could not be measured is not.
    pub fn is_within(&self) -> bool {
        match self.goal {
            Goal::Times(times) => self.ratio.is_some_and(|ratio| ratio <= times),
            Goal::AtLeastTimes(times) => self.ratio.is_some_and(|ratio| ratio >= times),
            Goal::AtMost(value) => self.value <= value,
            Goal::AtLeast(value) => self.value >= value,
        }
    }

    /// Writes `NAME.json`.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, folder: &Path) -> Result<(), Trouble> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Trouble::wrong(format!("a figure: {error}")))?;
        let path = folder.join(format!("{}.json", self.name));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text + "\n"))
            .map_err(Trouble::io(path.display().to_string()))
    }
}

fn machine() -> String {
    let line = |file: &str, field: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let found = text.lines().find(|line| line.starts_with(field));
        found
            .and_then(|line| line.split(':').nth(1))
            .map(|value| value.trim().to_owned())
            .unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let system = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{cores} × {}, {}, Linux {}",
        line("/proc/cpuinfo", "model name"),
        line("/proc/meminfo", "MemTotal"),
        system.trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_judged_by_its_goal_and_written_with_all_fields() -> Result<(), Trouble> {
        let right = Figure::new("alert_p50", 3.0, "ms", Some(2.0), Goal::Times(2.0));
        assert!(right.is_within());
        assert!(!Figure::new("alert_p50", 5.0, "ms", Some(2.0), Goal::Times(2.0)).is_within());
        assert!(
            !Figure::new(
                "group_commit",
                5.0,
                "1/s",
                Some(2.0),
                Goal::AtLeastTimes(10.0)
            )
            .is_within()
        );
        assert!(!Figure::new("catch_up", 5.0, "s", None, Goal::Times(5.0)).is_within());
        assert!(Figure::new("ready_100k", 1.9, "s", None, Goal::AtMost(2.0)).is_within());
        assert!(!Figure::new("alert_rate", 1.9, "1/s", None, Goal::AtLeast(2.0)).is_within());

        let folder = tempfile::tempdir().map_err(Trouble::io("a folder"))?;
        right.write(folder.path())?;
        let text =
            fs::read(folder.path().join("alert_p50.json")).map_err(Trouble::io("a figure"))?;
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let fields = [
            "name", "value", "unit", "floor", "ratio", "goal", "machine", "date", "commit",
        ];
        assert_eq!(
            json.as_object().map(serde_json::Map::len),
            Some(fields.len())
        );
        assert!(fields.iter().all(|field| !json[field].is_null()), "{json}");
        assert_eq!(json["ratio"], 1.5);
        Ok(())
    }
}
