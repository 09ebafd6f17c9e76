//! How figures grow: with the records of a node, with its circles, with its peers.
//!
//! Each curve is a file `NAME.json` of points and a drawing `NAME.svg`. A curve has the goal of no figure: it shows whether something grows
//! faster than what it is about.

use std::{fs, path::Path, thread};

use plotters::prelude::*;
use serde::Serialize;

use super::{Scale, alerts, bulk, crowd::What, idle, reconnect, territory::share_many};
use crate::daemon::{Daemon, Settings, Trouble, Two};

/// Records of the first curves, and the circles that they are spread over.
const RECORDS: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
const IN_CIRCLES: usize = 100;
/// Circles of the second ones.
const CIRCLES: [usize; 4] = [10, 100, 1_000, 10_000];
/// Peers of the third ones.
const PEERS: [usize; 5] = [2, 5, 10, 30, 60];
const MIB: f64 = 1_048_576.0;

/// One quantity as it grows.
#[derive(Clone, Debug, Serialize)]
pub struct Curve {
    /// Its name, which is that of its files.
    pub name: String,
    /// What grows.
    pub of: &'static str,
    /// What is measured, with its unit.
    pub what: &'static str,
    /// How much of the one gave how much of the other.
    pub points: Vec<(f64, f64)>,
}

impl Curve {
    fn new(name: &str, of: &'static str, what: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            of,
            what,
            points: Vec::new(),
        }
    }

    /// Writes both files.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, folder: &Path) -> Result<(), Trouble> {
        let json = serde_json::to_string_pretty(self)
            .map_err(|error| Trouble::wrong(format!("a curve: {error}")))?;
        let path = folder.join(format!("{}.json", self.name));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, json + "\n"))
            .map_err(Trouble::io(path.display().to_string()))?;
        self.draw(&folder.join(format!("{}.svg", self.name)))
            .map_err(|error| Trouble::wrong(format!("a drawing: {error}")))
    }

    fn draw(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let least = self.points.first().map_or(1.0, |point| point.0);
        let most = self.points.last().map_or(10.0, |point| point.0);
        let highest = self.points.iter().map(|point| point.1).fold(0.0, f64::max);
        let root = SVGBackend::new(path, (720, 400)).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(format!("{}, by {}", self.what, self.of), ("sans-serif", 18))
            .margin(16)
            .margin_right(48)
            .x_label_area_size(40)
            .y_label_area_size(80)
            .build_cartesian_2d((least..most).log_scale(), 0.0..highest * 1.1)?;
        chart
            .configure_mesh()
            .x_desc(self.of)
            .x_label_formatter(&label)
            .y_label_formatter(&label)
            .draw()?;
        chart.draw_series(LineSeries::new(self.points.iter().copied(), &BLUE))?;
        let dots = self.points.iter();
        chart.draw_series(dots.map(|point| Circle::new(*point, 3, BLUE.filled())))?;
        root.present()?;
        Ok(())
    }
}

/// A number as it stands at an axis: whole ones in groups of three digits, small ones with as many decimals as tell them apart.
fn label(value: &f64) -> String {
    let decimals = match value.abs() {
        small if small < 1.0 => 2,
        middle if middle < 20.0 => 1,
        _ => 0,
    };
    let written = format!("{value:.decimals$}");
    let (whole, rest) = written
        .split_once('.')
        .map_or((written.as_str(), ""), |parts| parts);
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if rest.is_empty() {
        grouped
    } else {
        format!("{grouped}.{rest}")
    }
}

/// Measures all curves and hands each over when it is whole.
///
/// # Errors
/// The first trouble with a daemon.
pub fn measure(
    root: &Path,
    mut take: impl FnMut(Curve) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    for curves in [by_records, by_circles, by_peers] {
        curves(root)?.into_iter().try_for_each(&mut take)?;
    }
    Ok(())
}

fn by_records(root: &Path) -> Result<Vec<Curve>, Trouble> {
    let curve = |name, what| Curve::new(name, "records", what);
    let mut curves = vec![
        curve("catch_up_by_records", "catching up, times its floor"),
        curve("memory_by_records", "resident memory, MiB"),
        curve("ready_by_records", "ready after a start, s"),
        curve("disk_by_records", "disk for a record, bytes"),
    ];
    for records in RECORDS {
        let folder = root.join(format!("records-{records}"));
        let scale = Scale {
            records,
            circles: IN_CIRCLES,
        };
        let grown = bulk::grow(&folder, scale, What::LongNotes)?;
        let values = [
            grown.caught_up / grown.floor,
            grown.memory / MIB,
            grown.ready,
            grown.disk,
        ];
        add(&mut curves, records as f64, &values);
        gone(&folder)?;
    }
    Ok(curves)
}

fn by_circles(root: &Path) -> Result<Vec<Curve>, Trouble> {
    let curve = |name, what| Curve::new(name, "circles", what);
    let mut curves = vec![
        curve("reconnect_by_circles", "a contact without news, bytes"),
        curve("alert_by_circles", "an alert, ms"),
    ];
    for circles in CIRCLES {
        let folder = root.join(format!("circles-{circles}"));
        let mut two = Two::peered(&folder, Settings::dac(), Settings::cpts())?;
        let shared = share_many(&two, circles)?;
        thread::sleep(reconnect::MARKED);
        let bytes = reconnect::said(&mut two, |_| Ok(()))?;
        let alert = alerts::half_of_them(&two, shared[0])?;
        add(&mut curves, circles as f64, &[bytes, alert]);
        drop(two);
        gone(&folder)?;
    }
    Ok(curves)
}

fn by_peers(root: &Path) -> Result<Vec<Curve>, Trouble> {
    let curve = |name, what| Curve::new(name, "peers", what);
    let mut curves = vec![curve("memory_by_peers", "resident memory, MiB")];
    let folder = root.join("peers");
    let mut a = Daemon::new(&folder, Settings::dac())?;
    let mut peers = Vec::new();
    for count in PEERS {
        let memory = idle::with_peers(&mut a, &mut peers, &folder, count)?;
        add(&mut curves, count as f64, &[memory / MIB]);
    }
    Ok(curves)
}

fn add(curves: &mut [Curve], of: f64, values: &[f64]) {
    for (curve, value) in curves.iter_mut().zip(values) {
        curve.points.push((of, *value));
    }
}

fn gone(folder: &Path) -> Result<(), Trouble> {
    fs::remove_dir_all(folder).map_err(Trouble::io("a folder of the curves"))
}
