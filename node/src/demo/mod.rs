//! A small federation in one process, to look at: three territories that share one person's file.
//!
//! A DAC, a CPTS and a hospital, each with its own data folder, keys, loopback ports and admin socket, as separate machines would have them.
//! They are paired through [`Peering`](crate::peering::Peering) (invitation, acceptance, the words confirmed at both), the DAC opens a file,
//! records that the person was informed, invites the other two, and all three write in it through [`Care`](crate::care::Care). What is here is
//! what a real federation does; only the telephone call between administrators is missing. Everybody in it is invented.
//!
//! - A folder that holds a whole demonstration is used again, with whatever was written in it since. Anything else in a folder is refused.
//! - Nothing listens beyond loopback. Commands on the sockets show and write care content, which no real node should allow.
//! - The keys lie beside the data: this protects nobody. The ports are new with each start, and the nodes tell each other
//!   in this process, so that one of these folders alone, under `maillond run`, does not find the others.
//!
//! | in the folder | what |
//! |---|---|
//! | `DEMO` | whether the demonstration is whole |
//! | `dac/`, `cpts/`, `hospital/` | data folders |
//! | `dac.key`, … | key files |
//! | `dac.sock`, … | admin sockets, while it runs |

mod error;
mod folder;
mod pairing;
mod people;
mod story;
mod telling;
mod territory;
mod wait;

use std::path::{Path, PathBuf};

use maillon_protocol::ids::{CircleId, RecordId, ThingId};

pub use error::DemoError;
pub(crate) use folder::holds;
pub use territory::Place;

use self::{
    folder::Folder,
    people::{Cast, Voice},
    telling::Telling,
    territory::Territory,
};

/// A running demonstration.
pub struct Demo {
    folder: PathBuf,
    territories: Vec<Territory>,
    cast: Cast,
}

/// What somebody needs to look around.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// The structure.
    pub place: Place,
    /// Its node's admin socket.
    pub socket: PathBuf,
    /// A professional there: what `--as` takes.
    pub professional: ThingId,
}

impl Demo {
    /// Starts what `dir` holds, or makes a new demonstration in it and starts that. Takes some seconds; `now_ms` is when the story is told.
    ///
    /// # Errors
    /// [`DemoError`]; what had started is stopped then.
    pub async fn start(dir: &Path, now_ms: u64) -> Result<Self, DemoError> {
        let folder = Folder::open(dir)?;
        let mut territories = Vec::with_capacity(Place::ALL.len());
        match begin(&folder, &mut territories, now_ms).await {
            Ok(cast) => Ok(Self {
                folder: folder.path,
                territories,
                cast,
            }),
            Err(error) => {
                stop(&territories).await;
                Err(error)
            }
        }
    }

    /// Where it is, absolute.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The shared file.
    ///
    /// # Errors
    /// [`DemoError::Missing`] where it is gone.
    pub fn circle(&self) -> Result<CircleId, DemoError> {
        let dac = self.at(Place::Dac)?;
        let circles = dac.node.care.circles(None, 1);
        let first = circles.first().ok_or(DemoError::Missing("shared file"))?;
        Ok(first.circle)
    }

    /// The newest alert that nobody has answered yet; none where all are answered.
    ///
    /// # Errors
    /// [`DemoError`] where the file cannot be read.
    pub fn open_alert(&self) -> Result<Option<RecordId>, DemoError> {
        let shown = self.at(Place::Dac)?.node.care.show(&self.circle()?)?;
        let open = shown.things.iter().rev().find(|thing| {
            let alert = thing.alert.as_ref();
            alert.is_some_and(|alert| alert.step.is_none())
        });
        Ok(open.and_then(|thing| Some(thing.standing.first()?.record)))
    }

    /// How to look around at one structure.
    ///
    /// # Errors
    /// [`DemoError::Missing`] where its professionals are gone.
    pub fn lead(&self, place: Place) -> Result<Lead, DemoError> {
        let voice = match place {
            Place::Dac => Voice::Coordinator,
            Place::Cpts => Voice::Doctor,
            Place::Hospital => Voice::Geriatrician,
        };
        Ok(Lead {
            place,
            socket: territory::socket(&self.folder, place),
            professional: self.cast.actor(voice)?.id,
        })
    }

    /// Stops the three nodes; what was written stays in the folder.
    pub async fn stop(self) {
        stop(&self.territories).await;
    }

    fn at(&self, place: Place) -> Result<&Territory, DemoError> {
        self.territories
            .iter()
            .find(|territory| territory.place == place)
            .ok_or(DemoError::Missing("structure of that name"))
    }
}

/// Starts the nodes into `territories`, and tells the story where it was not told yet.
async fn begin(
    folder: &Folder,
    territories: &mut Vec<Territory>,
    now_ms: u64,
) -> Result<Cast, DemoError> {
    for place in Place::ALL {
        if !folder.made {
            territory::make(&folder.path, place)?;
        }
        territories.push(Territory::start(&folder.path, place).await?);
    }
    if folder.made {
        pairing::reacquaint(territories).await?;
        pairing::connected(territories).await?;
        return Cast::meet_again(territories);
    }
    for (index, one) in territories.iter().enumerate() {
        for other in &territories[index + 1..] {
            pairing::pair(one, other).await?;
        }
    }
    pairing::connected(territories).await?;
    let cast = Cast::engage(territories).await?;
    let telling = Telling {
        territories,
        cast: &cast,
        now_ms,
    };
    telling.tell().await?;
    folder.finish()?;
    Ok(cast)
}

async fn stop(territories: &[Territory]) {
    for territory in territories {
        territory.node.stop().await;
    }
}
