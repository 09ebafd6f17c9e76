//! The accounts of the demonstration: one for each professional and one for whoever administers each node, all with one password that everybody may read.

use std::net::{IpAddr, Ipv4Addr};

use super::{
    DemoError,
    people::{Cast, Voice},
    territory::{Place, Territory},
};
use crate::{
    access::{Arrival, Login, NewAccount, Password, SignIn},
    audit::By,
    clock::now_ms,
};

/// The password of every account.
pub(super) const PASSWORD: &str = "trois mouettes au port";
/// What whoever administers a node types to sign in.
pub(super) const ADMINISTRATOR: &str = "administration";

/// Who administers a node.
pub(super) const fn administrator(place: Place) -> &'static str {
    match place {
        Place::Dac => "Gwendal Riou",
        Place::Cpts => "Nadège Salomon",
        Place::Hospital => "Ronan Thépaut",
    }
}

/// Gives everybody an account, as an administrator would, and chooses its password, as its person would.
pub(super) async fn make(territories: &[Territory], cast: &Cast) -> Result<(), DemoError> {
    for territory in territories {
        let place = territory.place;
        for voice in Voice::ALL
            .into_iter()
            .filter(|voice| voice.place() == place)
        {
            let new = NewAccount {
                login: Login::parse(voice.login())?,
                name: voice.name().to_owned(),
                situations: vec![cast.actor(voice)?.id],
                administrator: false,
            };
            begin(territory, new).await?;
        }
        let new = NewAccount {
            login: Login::parse(ADMINISTRATOR)?,
            name: administrator(place).to_owned(),
            situations: Vec::new(),
            administrator: true,
        };
        begin(territory, new).await?;
    }
    Ok(())
}

/// The first sign-in, which nobody sees: its session ends at once.
async fn begin(territory: &Territory, new: NewAccount) -> Result<(), DemoError> {
    let access = &territory.node.access;
    let login = new.login.clone();
    let (account, code) = access.add(By::itself(), new).await?;
    let next = Password::from(PASSWORD);
    let arrival = Arrival {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        device: "Démonstration".to_owned(),
        now_ms: now_ms(),
    };
    access
        .sign_in(&login, SignIn::First { code, next }, &arrival)
        .await?;
    access.end_all(By::itself(), account.id, None).await?;
    Ok(())
}
