//! A small federation in one process, to look at: three territories side by side, each with its pages, its patients and some weeks of life in their files.
//!
//! A DAC, a CPTS and a hospital, each with its own data folder, keys, loopback ports, pages and admin socket, as separate machines would have them.
//! They are paired through [`Peering`](crate::peering::Peering) (invitation, acceptance, the words confirmed at both). Then everybody opens files, lets
//! others in, writes and answers through [`Care`](crate::care::Care), with the rights that they have on pages. What is here is what a real federation
//! does; only the telephone call between administrators is missing. Everybody in it is invented.
//!
//! - The weeks are lived in seconds: while the story is told, this process's clock goes from one moment to the next (`clock::set`). Records
//!   are signed with the time that their node has, as ever. Afterwards the clock is right.
//! - Each professional has an account, and so has whoever administers each node; all have one password, which the guide prints.
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

mod accounts;
mod error;
mod folder;
mod lives;
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
    story::at,
    telling::Telling,
    territory::Territory,
    wait::until,
};
use crate::clock;

/// When the three nodes were made, before anybody wrote in them.
const FOUNDED: story::Moment = at(28, 9, 0);

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

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// What they type to sign in.
    pub login: &'static str,
    /// Their name.
    pub name: &'static str,
    /// What they are.
    pub trade: &'static str,
}

impl Demo {
    /// The password of every account.
    pub const PASSWORD: &'static str = accounts::PASSWORD;

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
        let care = &self.at(Place::Dac)?.node.care;
        let main = care.alike(&story::MAIN.who.identity());
        let (first, _) = main.first().ok_or(DemoError::Missing("shared file"))?;
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

    /// Where a structure's pages are, as a browser on this machine takes it.
    ///
    /// # Errors
    /// [`DemoError::Missing`] where it has none.
    pub fn pages(&self, place: Place) -> Result<String, DemoError> {
        let pages = self.at(place)?.node.pages();
        pages.ok_or(DemoError::Missing("page to sign in on"))
    }

    /// Who can sign in at a structure; whoever administers its node last.
    pub fn examples(place: Place) -> Vec<Example> {
        let there = Voice::ALL
            .into_iter()
            .filter(|voice| voice.place() == place);
        let professionals = there.map(|voice| Example {
            login: voice.login(),
            name: voice.name(),
            trade: voice.trade(),
        });
        let administrator = Example {
            login: accounts::ADMINISTRATOR,
            name: accounts::administrator(place),
            trade: "administers the node, sees no file",
        };
        professionals.chain([administrator]).collect()
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

/// Starts the nodes into `territories`; where the story was not told yet, they live it.
async fn begin(
    folder: &Folder,
    territories: &mut Vec<Territory>,
    now_ms: u64,
) -> Result<Cast, DemoError> {
    if folder.made {
        for place in Place::ALL {
            territories.push(Territory::start(&folder.path, place).await?);
        }
        pairing::reacquaint(territories).await?;
        pairing::connected(territories).await?;
        let cast = Cast::meet_again(territories)?;
        listed(territories).await?;
        return Ok(cast);
    }
    clock::set(FOUNDED.ms(now_ms));
    let cast = live(folder, territories, now_ms).await;
    clock::set_offset(0);
    let cast = cast?;
    accounts::make(territories, &cast).await?;
    listed(territories).await?;
    folder.finish()?;
    Ok(cast)
}

/// Everything from the making of the nodes to this day.
async fn live(
    folder: &Folder,
    territories: &mut Vec<Territory>,
    now_ms: u64,
) -> Result<Cast, DemoError> {
    for place in Place::ALL {
        territory::make(&folder.path, place)?;
        territories.push(Territory::start(&folder.path, place).await?);
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
    Ok(cast)
}

/// Waits until every node has its list of patients, which it reads by itself.
async fn listed(territories: &[Territory]) -> Result<(), DemoError> {
    let identity = story::MAIN.who.identity();
    until("the lists of patients", async || {
        let mut all = territories.iter();
        let listed = all.all(|one| !one.node.care.alike(&identity).is_empty());
        Ok(listed.then_some(()))
    })
    .await
}

async fn stop(territories: &[Territory]) {
    for territory in territories {
        territory.node.stop().await;
    }
}
