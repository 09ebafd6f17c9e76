//! Disks that turn read-only, and files that were cut short or changed under a node.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use maillon_protocol::{
    admin::{ErrorCode, Verdict},
    ids::{CircleId, RecordId},
};
use maillon_tests::{
    daemon::{
        Client, Daemon, Settings, Shared, Trouble, Two, admit, person, professional, programs,
        records_of, same_digests, wait, write_notes,
    },
    ground::{NURSE, ROZENN, node, open, signed_in},
    mounts::small_disk,
    skip::{Means, skip},
};

use crate::{Story, document, ensure, folder};

/// Exit code: the data folder cannot be used.
const FOLDER: i32 = 74;
/// From a link to what is missing here and is held there.
const BACK: Duration = Duration::from_secs(30);

fn system(line: &[&str]) -> Story {
    let words = line.join(" ");
    let ended = Command::new(line[0]).args(&line[1..]).output();
    let ended = ended.map_err(Trouble::io(words.clone()))?;
    ensure(ended.status.success(), || {
        format!("{words}: {}", String::from_utf8_lossy(&ended.stderr))
    })
}

/// A disk of its own inside the small one, which can be told that it has an error.
struct Disk {
    image: PathBuf,
    mounted: PathBuf,
}

impl Disk {
    fn new(room: &Path) -> Result<Self, Trouble> {
        let disk = Self {
            image: room.join("image"),
            mounted: room.join("disk"),
        };
        fs::create_dir(&disk.mounted).map_err(Trouble::io("a folder"))?;
        let file = fs::File::create(&disk.image).map_err(Trouble::io("an image"))?;
        file.set_len(96 << 20).map_err(Trouble::io("an image"))?;
        system(&["mkfs.ext4", "-q", &disk.image.display().to_string()])?;
        disk.mount("loop,errors=remount-ro")?;
        Ok(disk)
    }

    fn mount(&self, options: &str) -> Story {
        let (image, mounted) = (self.image.display(), self.mounted.display());
        let (image, mounted) = (image.to_string(), mounted.to_string());
        system(&["mount", "-t", "ext4", "-o", options, &image, &mounted])
    }

    fn unmount(&self) -> Story {
        system(&["umount", &self.mounted.display().to_string()])
    }

    /// The kernel meets an error and writes no more, while files are open: what a dying disk does.
    fn fails(&self) -> Story {
        let mounts = fs::read_to_string("/proc/self/mounts").map_err(Trouble::io("mounts"))?;
        let mounted = self.mounted.display().to_string();
        let device = mounts.lines().find_map(|line| {
            let mut words = line.split(' ');
            let device = words.next()?;
            (words.next() == Some(&mounted)).then(|| device.rsplit('/').next().unwrap_or(device))
        });
        let device = device.ok_or_else(|| Trouble::wrong("the disk is not mounted"))?;
        fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "1")
            .map_err(Trouble::io("an error of the disk"))
    }
}

/// Whether disks can be made here at all.
fn disks() -> bool {
    let there = programs::installed("mkfs.ext4").is_some()
        && Path::new("/dev/loop-control").exists()
        && Path::new("/sys/fs/ext4").exists();
    if !there {
        skip(
            "there is no mkfs.ext4, no loop device or no ext4",
            Means::Absent,
        );
    }
    there
}

fn holds(daemon: &Daemon, circle: CircleId, told: &BTreeSet<RecordId>) -> Story {
    let held = records_of(daemon, circle)?;
    let lost = told.iter().filter(|id| !held.contains_key(id)).count();
    ensure(lost == 0, || format!("{lost} of {} are lost", told.len()))
}

/// A node on this disk, with a circle and a note.
fn on(root: &Path) -> Result<(Daemon, CircleId, Client, BTreeSet<RecordId>), Trouble> {
    let daemon = node(Settings::dac(), root)?;
    let who = professional(&daemon, "Claire Vasseur", "10999003055", "330")?;
    let mut client = daemon.client()?.acting_as(&who);
    let circle = client.circle_open(person())?.line.circle;
    let note = client.note_add(circle, "Tout va bien.")?.record;
    Ok((daemon, circle, client, BTreeSet::from([note])))
}

#[test]
fn a_node_whose_log_cannot_be_written_works_as_any_other() -> Story {
    let root = folder()?;
    // Every line that it writes of itself meets a full disk.
    let under = ["sh", "-c", "exec \"$@\" 2>/dev/full", "sh"].map(str::to_owned);
    let [a, b] = [Settings::dac(), Settings::cpts()].map(|settings| Settings {
        under: under.to_vec(),
        log_filter: Some(String::from("debug")),
        ..settings
    });
    let Shared { mut two, circle } = Two::peered(root.path(), a, b)?.share()?;
    let caller = two.a.caller().acting_as(&two.at_a);
    write_notes(&caller, &[circle], 4, 40)?;
    same_digests(&two.a, &two.b, circle)?;
    two.a.finish()?;
    two.b.finish().map(drop)
}

#[test]
fn a_disk_that_turns_read_only_under_a_node_refuses_aloud_and_loses_nothing_acknowledged() -> Story
{
    let name = "disk::a_disk_that_turns_read_only_under_a_node_refuses_aloud_and_loses_nothing_acknowledged";
    if !disks() {
        return Ok(());
    }
    let Some(room) = small_disk(name, 128)? else {
        return Ok(());
    };
    let disk = Disk::new(&room)?;
    let (mut daemon, circle, mut client, mut told) = on(&disk.mounted)?;
    for _ in 0..50 {
        told.insert(client.note_add(circle, "Tension 13/8.")?.record);
    }
    let mut nurse = signed_in(&daemon, NURSE)?;
    let file = open(&mut nurse, &ROZENN)?;
    let written = [("nature", "observation"), ("texte", "A bien déjeuné.")];
    nurse.post(&format!("{file}/note"), &written)?;
    // The keys and the configuration are the test's own, and on that disk too.
    system(&["sync", "-f", &disk.mounted.display().to_string()])?;
    disk.fails()?;
    daemon.settings.broken.push("store.commits");
    let refused = match client.note_add(circle, "Sur un disque mort.") {
        Err(Trouble::Refused(error)) => error,
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    };
    ensure(
        refused.code == ErrorCode::Storage && refused.cause.contains("a disk that can be written"),
        || format!("{refused:?}"),
    )?;
    // Whoever asks is told, and what was acknowledged can be read.
    let status = client.status()?;
    let reasons = &status.reasons;
    let said = reasons
        .iter()
        .any(|reason| reason.sentence.contains("not kept"));
    ensure(status.verdict == Verdict::Act && said, || {
        format!("{reasons:?}")
    })?;
    let checks = client.doctor()?;
    let commits = checks.iter().find(|check| check.name == "store.commits");
    let named = commits.is_some_and(|check| !check.holds && check.advice.is_some());
    ensure(named, || format!("{commits:?}"))?;
    holds(&daemon, circle, &told)?;
    // Care goes on: a file is read on the pages, and what is written there is refused and not lost from sight.
    let page = nurse.get(&format!("{file}/carnet"))?;
    ensure(
        page.status == 200 && page.text.contains("A bien déjeuné."),
        || format!("{page:?}"),
    )?;
    let lost = [
        ("nature", "observation"),
        ("texte", "Dort mal depuis deux nuits."),
    ];
    let refused = nurse.post(&format!("{file}/note"), &lost)?;
    ensure(
        refused.status == 422
            && refused.text.contains("n’a pas pu être enregistrée")
            && refused.text.contains("Dort mal depuis deux nuits."),
        || format!("{refused:?}"),
    )?;

    // A start on it is refused in one sentence, and on the repaired disk all is there.
    daemon.kill()?;
    refuses_to_start(&daemon)?;
    disk.unmount()?;
    disk.mount("loop")?;
    disk.mount("remount,ro")?;
    refuses_to_start(&daemon)?;
    disk.mount("remount,rw")?;
    daemon.settings.broken.clear();
    daemon.start()?;
    holds(&daemon, circle, &told)?;
    daemon.finish()?;
    disk.unmount()
}

fn refuses_to_start(daemon: &Daemon) -> Story {
    let ended = daemon.refused()?;
    let sentence = ended
        .words
        .lines()
        .any(|line| line.starts_with("maillond: "));
    let named = ended.words.contains("a disk that can be written");
    ensure(
        ended.status.code() == Some(FOLDER) && sentence && named,
        || format!("{}: {}", ended.status, ended.words),
    )
}

/// RocksDB's files with this ending, the largest last.
fn files(daemon: &Daemon, ending: &str) -> Result<Vec<PathBuf>, Trouble> {
    let folder = daemon.folder().join("rocksdb");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(&folder).map_err(Trouble::io("the database"))? {
        let path = entry.map_err(Trouble::io("the database"))?.path();
        if path.to_string_lossy().ends_with(ending) {
            let bytes = fs::metadata(&path).map_err(Trouble::io("a file"))?.len();
            found.insert((bytes, path.clone()), path);
        }
    }
    Ok(found.into_values().collect())
}

/// After this long without a write a node has noted how far its log is: twice the time between two looks, and one second.
const MARKED: Duration = Duration::from_secs(5);

#[test]
fn what_a_log_that_was_cut_short_has_lost_comes_back_from_the_other_node() -> Story {
    let root = folder()?;
    let Shared { mut two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let mut told = BTreeSet::new();
    // A log that ends early is also what a power cut leaves of an unsynced one. This one was on the disk, and the node had noted that.
    two.a.settings.broken.push("store.log-whole");
    for kept in [0.9, 0.5, 0.0] {
        let caller = two.a.caller().acting_as(&two.at_a);
        told.extend(write_notes(&caller, &[circle], 4, 60)?);
        same_digests(&two.a, &two.b, circle)?;
        std::thread::sleep(MARKED);
        two.a.kill()?;
        let logs = files(&two.a, ".log")?;
        let log = logs.last().ok_or_else(|| Trouble::wrong("no log"))?;
        let bytes = fs::metadata(log).map_err(Trouble::io("a log"))?.len();
        let file = fs::OpenOptions::new().write(true).open(log);
        file.and_then(|file| file.set_len((bytes as f64 * kept) as u64))
            .map_err(Trouble::io("a log"))?;
        match two.a.start() {
            Ok(_) => {}
            Err(Trouble::Exited { status, words, .. }) => {
                let named = words.contains("damaged") && words.contains("backup");
                return ensure(status.code() == Some(FOLDER) && named, || words);
            }
            Err(other) => return Err(other),
        }
        let doctor = two.a.client()?.doctor()?;
        let cut = doctor.iter().find(|check| check.name == "store.log-whole");
        let named =
            cut.is_some_and(|check| !check.holds && check.found.contains("bytes of the log"));
        ensure(named, || format!("{kept} of it were kept: {cut:?}"))?;
        wait::until("all notes at A again", BACK, || {
            Ok(holds(&two.a, circle, &told).is_ok().then_some(()))
        })?;
        same_digests(&two.a, &two.b, circle)?;
    }
    Ok(())
}

#[test]
fn a_turned_byte_in_a_stored_file_is_named_and_never_read_as_the_file() -> Story {
    let root = folder()?;
    let mut two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let circle = a.circle_open(person())?.line.circle;
    a.consent_given(circle)?;
    let letter = document::letter(4 << 20);
    let record = document::add(root.path(), &two.a, &two.at_a, circle, &letter)?;
    let whole = document::save(root.path(), &two.a, &two.at_a, record)?;
    ensure(whole.as_ref() == Ok(&letter), || {
        String::from("it was not stored well")
    })?;

    // Into table files, and there into the middle of the largest, which is a piece of the letter.
    two.a.kill()?;
    two.a.start()?;
    two.a.stop()?;
    let tables = files(&two.a, ".sst")?;
    let table = tables
        .last()
        .ok_or_else(|| Trouble::wrong("no table file"))?;
    let mut bytes = fs::read(table).map_err(Trouble::io("a table file"))?;
    ensure(bytes.len() > 2 << 20, || {
        format!("{} bytes only", bytes.len())
    })?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(table, &bytes).map_err(Trouble::io("a table file"))?;

    two.a.start()?;
    two.a.settings.broken.push("store.every-row-opens");
    let doctor = two.a.client()?.doctor()?;
    let rows = doctor
        .iter()
        .find(|check| check.name == "store.every-row-opens");
    let named = rows.is_some_and(|check| !check.holds && check.advice.is_some());
    ensure(named, || format!("{rows:?}"))?;
    let saved = document::save(root.path(), &two.a, &two.at_a, record)?;
    ensure(saved.is_err(), || {
        String::from("it was read as something else")
    })?;

    // It is not given to others as the file either; all else of the circle is.
    admit(&two, circle)?;
    same_digests(&two.a, &two.b, circle)?;
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let last = two
        .a
        .client()?
        .acting_as(&two.at_a)
        .alert_send(circle, "Fièvre.")?
        .record;
    wait::until("an alert at B", BACK, || Ok(b.shows(last)?.then_some(())))?;
    let state = b.document_show(record)?;
    ensure(!state.complete, || format!("{state:?}"))?;
    let saved = document::save(root.path(), &two.b, &two.at_b, record)?;
    ensure(saved.is_err(), || {
        String::from("it was given as something else")
    })
}
