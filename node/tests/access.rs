//! Who comes in, who waits outside, and what is left of it when the node has been restarted. Over a real database.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on should say where"
)]

mod ground;

use std::{net::IpAddr, path::Path};

use maillon_node::{
    access::{
        Access, AccessError, AccountId, Arrival, Code, Limits, Login, NewAccount, Password,
        PasswordFault, SignIn, State,
    },
    audit::{By, Trail, Wanted},
    clock::now_ms,
    ledger::Ledger,
    store::{Range, Table},
};
use maillon_protocol::ids::ThingId;

const MINUTE: u64 = 60_000;
const LIMITS: Limits = Limits {
    idle_ms: 15 * MINUTE,
    longest_ms: 12 * 60 * MINUTE,
};
const GOOD: &str = "une barque, trois galets";
const OTHER: &str = "quatre mouettes au port";
const NURSE: ThingId = ThingId([3; 16]);
const SAME_NURSE_AT_HOME_CARE: ThingId = ThingId([4; 16]);

fn ledger(folder: &Path) -> Ledger {
    ground::ledger(folder, 7, "CPTS des Falaises")
}

struct Door {
    access: Access,
    ledger: Ledger,
    folder: tempfile::TempDir,
}

fn door() -> Door {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path());
    let access = Access::start(ledger.clone(), LIMITS).expect("a door");
    Door {
        access,
        ledger,
        folder,
    }
}

impl Door {
    async fn restarted(self) -> Self {
        let Self {
            access,
            ledger: old,
            folder,
        } = self;
        drop(access);
        old.stop().await;
        drop(old);
        let ledger = ledger(folder.path());
        let access = Access::start(ledger.clone(), LIMITS).expect("a door");
        Self {
            access,
            ledger,
            folder,
        }
    }

    fn trail(&self) -> Vec<String> {
        let wanted = Wanted {
            limit: 1000,
            ..Wanted::default()
        };
        let store = &self.ledger.shared().rows().0;
        let page = Trail(store).page(&wanted, |_| None).expect("a trail");
        page.lines.into_iter().map(|line| line.action).collect()
    }
}

fn claire() -> Login {
    Login::parse("Claire.Martin ").expect("a name")
}

fn at(now_ms: u64) -> Arrival {
    from("192.0.2.7", now_ms)
}

fn from(address: &str, now_ms: u64) -> Arrival {
    Arrival {
        address: address.parse::<IpAddr>().expect("an address"),
        device: "Firefox sur Android".to_owned(),
        now_ms,
    }
}

fn password(text: &str) -> SignIn {
    SignIn::Password(Password::from(text))
}

async fn add(access: &Access) -> (AccountId, Code) {
    let new = NewAccount {
        login: claire(),
        name: "Claire Martin".to_owned(),
        situations: vec![NURSE, SAME_NURSE_AT_HOME_CARE],
        administrator: false,
    };
    let (account, code) = access.add(By::itself(), new).await.expect("an account");
    (account.id, code)
}

/// An account whose person has come in the first time, with its recovery codes.
async fn settled(access: &Access, now: u64) -> (AccountId, Vec<Code>) {
    let (id, code) = add(access).await;
    let next = Password::from(GOOD);
    let way = SignIn::First { code, next };
    let signed = access.sign_in(&claire(), way, &at(now)).await.expect("in");
    access
        .end_all(By::itself(), id, None)
        .await
        .expect("signed out");
    (id, signed.codes)
}

#[tokio::test]
async fn somebody_comes_in_the_first_time_with_a_code_that_is_good_once_and_for_a_week() {
    let Door { access, .. } = &door();
    let now = now_ms();
    let (_, code) = add(access).await;
    let first = |password: &str| SignIn::First {
        code: Code::read(&code.written().to_lowercase().replace('-', " ")),
        next: Password::from(password),
    };
    let late = at(now + 8 * 24 * 60 * MINUTE);
    let refused = access.sign_in(&claire(), first(GOOD), &late).await;
    assert!(matches!(refused, Err(AccessError::Wrong)), "{refused:?}");

    for (bad, fault) in [
        ("trop court", PasswordFault::Short),
        ("aaaaaaaaaaaabbbb", PasswordFault::Simple),
        ("motdepasse123456", PasswordFault::Simple),
        ("azertyuiop1234", PasswordFault::Simple),
        ("je suis claire !", PasswordFault::Own),
        (&"a1b2c3d4".repeat(17), PasswordFault::Long),
    ] {
        let refused = access.sign_in(&claire(), first(bad), &at(now)).await;
        let Err(AccessError::Password(found)) = refused else {
            panic!("{bad}: {refused:?}");
        };
        assert_eq!(found, fault, "{bad}");
    }

    let signed = access
        .sign_in(&claire(), first(GOOD), &at(now))
        .await
        .expect("in");
    assert_eq!(signed.codes.len(), 10);
    let who = access.who(&signed.token, true, now).expect("signed in");
    assert_eq!((who.state, who.situation), (State::Open, Some(NURSE)));
    let again = access.sign_in(&claire(), first(OTHER), &at(now)).await;
    assert!(matches!(again, Err(AccessError::Wrong)), "{again:?}");
    access
        .sign_in(&claire(), password(GOOD), &at(now))
        .await
        .expect("with the password");
}

#[tokio::test]
async fn whoever_guesses_waits_and_a_recovery_code_lets_the_person_in_meanwhile() {
    let door = door();
    let access = &door.access;
    let now = now_ms();
    let (_, codes) = settled(access, now).await;
    for _ in 0..5 {
        let wrong = access.sign_in(&claire(), password(OTHER), &at(now)).await;
        assert!(matches!(wrong, Err(AccessError::Wrong)), "{wrong:?}");
    }
    // The right password is no use now, from wherever it comes.
    let elsewhere = from("203.0.113.9", now);
    let waits = access.sign_in(&claire(), password(GOOD), &elsewhere).await;
    let Err(AccessError::Wait { wait_s }) = waits else {
        panic!("{waits:?}");
    };
    assert_eq!(wait_s, 60);
    let recovery = || SignIn::Recovery {
        code: codes[3].clone(),
        next: Password::from(OTHER),
    };
    let signed = access
        .sign_in(&claire(), recovery(), &elsewhere)
        .await
        .expect("in");
    assert!(access.who(&signed.token, true, now).is_some());
    let again = access.sign_in(&claire(), recovery(), &elsewhere).await;
    assert!(matches!(again, Err(AccessError::Wrong)), "{again:?}");
    let after = at(now + 2 * MINUTE);
    let old = access.sign_in(&claire(), password(GOOD), &after).await;
    assert!(matches!(old, Err(AccessError::Wrong)), "{old:?}");
    let new = access.sign_in(&claire(), password(OTHER), &after).await;
    assert!(new.is_ok(), "{new:?}");
    let refused = door
        .trail()
        .iter()
        .filter(|line| *line == "session.refused")
        .count();
    assert_eq!(refused, 7);
}

#[tokio::test]
async fn many_guesses_at_one_time_are_no_more_guesses_than_one_after_the_other() {
    let Door { access, .. } = &door();
    let now = now_ms();
    settled(access, now).await;
    let here = at(now);
    let guesses = (0..40).map(|_| {
        let (access, here) = (access.clone(), here.clone());
        tokio::spawn(async move { access.sign_in(&claire(), password(OTHER), &here).await })
    });
    let mut looked_at = 0;
    for guess in guesses.collect::<Vec<_>>() {
        let refused = guess.await.expect("a guess");
        looked_at += usize::from(matches!(refused, Err(AccessError::Wrong)));
    }
    assert_eq!(looked_at, 5);
}

#[tokio::test]
async fn an_unknown_name_is_told_nothing_else_and_costs_as_long() {
    let Door { access, .. } = &door();
    let now = now_ms();
    settled(access, now).await;
    let nobody = Login::parse("personne").expect("a name");
    let begun = std::time::Instant::now();
    let known = access.sign_in(&claire(), password(OTHER), &at(now)).await;
    let for_known = begun.elapsed();
    let begun = std::time::Instant::now();
    let unknown = access.sign_in(&nobody, password(OTHER), &at(now)).await;
    let for_unknown = begun.elapsed();
    assert_eq!(
        known.expect_err("refused").to_string(),
        unknown.expect_err("refused").to_string()
    );
    assert!(for_unknown * 3 > for_known, "{for_unknown:?} {for_known:?}");
}

#[tokio::test]
async fn a_session_that_nobody_uses_locks_and_goes_on_under_another_token_with_the_password() {
    let Door { access, .. } = &door();
    let now = now_ms();
    settled(access, now).await;
    let token = access
        .sign_in(&claire(), password(GOOD), &at(now))
        .await
        .expect("in")
        .token;
    let later = now + 14 * MINUTE;
    assert_eq!(
        access.who(&token, true, later).expect("in").state,
        State::Open
    );
    // What a page does by itself keeps nothing open.
    let later = later + 14 * MINUTE;
    assert_eq!(
        access.who(&token, false, later).expect("in").state,
        State::Open
    );
    let later = later + MINUTE;
    assert_eq!(
        access.who(&token, true, later).expect("in").state,
        State::Locked
    );
    // It does not open by itself.
    assert_eq!(
        access.who(&token, true, later).expect("in").state,
        State::Locked
    );

    let wrong = access
        .unlock(&token, Password::from(OTHER), &at(later))
        .await;
    assert!(matches!(wrong, Err(AccessError::Wrong)), "{wrong:?}");
    let fresh = access
        .unlock(&token, Password::from(GOOD), &at(later))
        .await
        .expect("open");
    assert_eq!(
        access.who(&fresh, true, later).expect("in").state,
        State::Open
    );
    assert!(access.who(&token, true, later).is_none(), "the old token");
    assert!(
        access.who(&fresh, true, now + LIMITS.longest_ms).is_none(),
        "after a day"
    );
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_and_another_password_ends_the_others() {
    let Door { access, .. } = &door();
    let now = now_ms();
    let (id, _) = settled(access, now).await;
    let mut tokens = Vec::new();
    for second in 0..12 {
        let here = at(now + second * 1000);
        let signed = access
            .sign_in(&claire(), password(GOOD), &here)
            .await
            .expect("in");
        tokens.push(signed.token);
    }
    // Ten at most: the two oldest are over.
    let now = now + 12_000;
    let alive = |token| access.who(token, false, now).is_some();
    assert_eq!(tokens.iter().filter(|token| alive(token)).count(), 10);
    assert!(!alive(&tokens[0]) && !alive(&tokens[1]));
    let lines = access.sessions(&id, now);
    assert_eq!(lines.len(), 10);
    let own = access.who(&tokens[11], true, now).expect("in").number;
    assert_eq!(lines[0].number, own);
    let by = By::itself();
    access.end(by, id, lines[9].number).await.expect("ended");
    assert!(!alive(&tokens[2]) && alive(&tokens[3]));
    let other = access.end(by, AccountId([9; 16]), own).await;
    assert!(
        matches!(other, Err(AccessError::Ended)),
        "another's session: {other:?}"
    );

    let (before, next) = (Password::from(GOOD), Password::from(OTHER));
    access
        .change_password(&tokens[11], before, next, &at(now))
        .await
        .expect("changed");
    assert_eq!(access.sessions(&id, now).len(), 1);
    assert!(alive(&tokens[11]));
}

#[tokio::test]
async fn after_a_restart_sessions_are_locked_and_accounts_as_they_were() {
    let door = door();
    let now = now_ms();
    let (id, codes) = settled(&door.access, now).await;
    let signed = door
        .access
        .sign_in(&claire(), password(GOOD), &at(now))
        .await
        .expect("in");
    door.access
        .act_as(&signed.token, SAME_NURSE_AT_HOME_CARE, now)
        .await
        .expect("the other situation");
    let foreign = door
        .access
        .act_as(&signed.token, ThingId([5; 16]), now)
        .await;
    assert!(
        matches!(foreign, Err(AccessError::NotTheirs)),
        "{foreign:?}"
    );

    let door = door.restarted().await;

    let access = &door.access;
    let who = access.who(&signed.token, true, now).expect("known");
    assert_eq!(who.state, State::Locked);
    assert_eq!(who.situation, Some(SAME_NURSE_AT_HOME_CARE));
    assert_eq!(
        access.account(&id).expect("there").recovery_left(),
        codes.len()
    );
    let open = access
        .unlock(&signed.token, Password::from(GOOD), &at(now))
        .await
        .expect("open");
    let door = door.restarted().await;
    assert!(door.access.who(&open, true, now).is_some());
    assert!(
        door.access.who(&signed.token, true, now).is_none(),
        "the old token"
    );
}

#[tokio::test]
async fn a_closed_account_is_out_at_once_and_the_last_administrator_is_not_closed() {
    let Door { access, .. } = &door();
    let now = now_ms();
    let (id, _) = settled(access, now).await;
    let token = access
        .sign_in(&claire(), password(GOOD), &at(now))
        .await
        .expect("in")
        .token;
    let by = By::itself();
    access.close(by, id, true).await.expect("closed");
    assert!(access.who(&token, true, now).is_none());
    let closed = access.sign_in(&claire(), password(GOOD), &at(now)).await;
    assert!(matches!(closed, Err(AccessError::Closed)), "{closed:?}");
    let wrong = access.sign_in(&claire(), password(OTHER), &at(now)).await;
    assert!(
        matches!(wrong, Err(AccessError::Wrong)),
        "nothing is told: {wrong:?}"
    );
    access.close(by, id, false).await.expect("opened");
    assert!(
        access.who(&token, true, now).is_none(),
        "the session is over"
    );
    access
        .sign_in(&claire(), password(GOOD), &at(now))
        .await
        .expect("in");

    let new = |login: &str| NewAccount {
        login: Login::parse(login).expect("a name"),
        name: "Paul Lefèvre".to_owned(),
        situations: Vec::new(),
        administrator: true,
    };
    let (admin, _) = access.add(by, new("paul")).await.expect("an account");
    let taken = access.add(by, new("paul")).await;
    assert!(matches!(taken, Err(AccessError::Taken)), "{taken:?}");
    let last = access.close(by, admin.id, true).await;
    assert!(
        matches!(last, Err(AccessError::LastAdministrator)),
        "{last:?}"
    );
    access.add(by, new("anne")).await.expect("another");
    access.close(by, admin.id, true).await.expect("closed");
}

#[tokio::test]
async fn a_professional_has_one_account_also_where_two_are_made_at_once() {
    let Door { access, .. } = &door();
    let add = |login: &str, situations: &[ThingId]| {
        let new = NewAccount {
            login: Login::parse(login).expect("a name"),
            name: "Claire Martin".to_owned(),
            situations: situations.to_vec(),
            administrator: false,
        };
        access.add(By::itself(), new)
    };
    let both = tokio::join!(
        add("claire", &[NURSE, SAME_NURSE_AT_HOME_CARE]),
        add("martin", &[SAME_NURSE_AT_HOME_CARE]),
    );
    assert!(matches!(both.1, Err(AccessError::Named)), "{both:?}");
    let (account, _) = both.0.expect("the first");
    // One that is closed is opened again, and no other one made.
    let closed = access.close(By::itself(), account.id, true);
    closed.await.expect("closed");
    let again = add("claire.martin", &[NURSE]).await;
    assert!(matches!(again, Err(AccessError::Named)), "{again:?}");
    let somebody_else = ThingId([9; 16]);
    add("paul", &[somebody_else]).await.expect("an account");
}

#[tokio::test]
async fn who_has_lost_all_begins_again_and_what_was_before_is_good_for_nothing() {
    let Door { access, .. } = &door();
    let now = now_ms();
    let (id, codes) = settled(access, now).await;
    let token = access
        .sign_in(&claire(), password(GOOD), &at(now))
        .await
        .expect("in")
        .token;
    let code = access.begin_again(By::itself(), id).await.expect("a code");
    assert!(access.who(&token, true, now).is_none());
    let old = access.sign_in(&claire(), password(GOOD), &at(now)).await;
    assert!(matches!(old, Err(AccessError::Wrong)), "{old:?}");
    let recovery = SignIn::Recovery {
        code: codes[0].clone(),
        next: Password::from(OTHER),
    };
    let old = access.sign_in(&claire(), recovery, &at(now)).await;
    assert!(matches!(old, Err(AccessError::Wrong)), "{old:?}");
    let next = Password::from(OTHER);
    let first = SignIn::First { code, next };
    let signed = access
        .sign_in(&claire(), first, &at(now))
        .await
        .expect("in");
    assert_eq!(signed.codes.len(), 10);
}

#[tokio::test]
async fn whoever_comes_with_the_old_password_while_it_is_changed_is_not_in_afterwards() {
    let Door { access, .. } = &door();
    let now = now_ms();
    let (id, _) = settled(access, now).await;
    let own = access
        .sign_in(&claire(), password(GOOD), &at(now))
        .await
        .expect("in")
        .token;
    let others = (0..3).map(|_| {
        let access = access.clone();
        tokio::spawn(async move {
            let signed = access.sign_in(&claire(), password(GOOD), &at(now)).await;
            signed.ok().map(|signed| signed.token)
        })
    });
    let others: Vec<_> = others.collect();
    let (before, next) = (Password::from(GOOD), Password::from(OTHER));
    access
        .change_password(&own, before, next, &at(now))
        .await
        .expect("changed");
    for other in others {
        if let Some(token) = other.await.expect("a try") {
            assert!(access.who(&token, true, now).is_none(), "the old password");
        }
    }
    assert!(access.who(&own, true, now).is_some());
    assert_eq!(access.sessions(&id, now).len(), 1);
}

#[tokio::test]
async fn a_locked_session_is_over_after_five_wrong_passwords_and_no_guess_at_the_door_keeps_it_locked()
 {
    let Door { access, .. } = &door();
    let now = now_ms();
    settled(access, now).await;
    let token = access
        .sign_in(&claire(), password(GOOD), &at(now))
        .await
        .expect("in")
        .token;
    access.lock(&token);
    for _ in 0..9 {
        let elsewhere = from("203.0.113.9", now);
        let _ = access.sign_in(&claire(), password(OTHER), &elsewhere).await;
    }
    for _ in 0..4 {
        let wrong = access.unlock(&token, Password::from(OTHER), &at(now)).await;
        assert!(matches!(wrong, Err(AccessError::Wrong)), "{wrong:?}");
    }
    let fresh = access
        .unlock(&token, Password::from(GOOD), &at(now))
        .await
        .expect("open");
    access.lock(&fresh);
    for _ in 0..4 {
        let wrong = access.unlock(&fresh, Password::from(OTHER), &at(now)).await;
        assert!(matches!(wrong, Err(AccessError::Wrong)), "{wrong:?}");
    }
    let fifth = access.unlock(&fresh, Password::from(OTHER), &at(now)).await;
    assert!(matches!(fifth, Err(AccessError::Ended)), "{fifth:?}");
    let late = access.unlock(&fresh, Password::from(GOOD), &at(now)).await;
    assert!(matches!(late, Err(AccessError::Ended)), "{late:?}");
    assert!(access.who(&fresh, true, now).is_none());
}

#[tokio::test]
async fn a_wrong_code_is_answered_before_its_refusal_is_written() {
    let door = door();
    let access = &door.access;
    let now = now_ms();
    settled(access, now).await;
    let ledger = door.ledger.clone();
    let busy = tokio::spawn(async move {
        let job = ledger.run(|_| {
            std::thread::sleep(std::time::Duration::from_millis(600));
            Ok::<(), std::convert::Infallible>(())
        });
        job.await.expect("done");
    });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let begun = std::time::Instant::now();
    let code = Code::read("AAAAA-AAAAA");
    let next = Password::from(OTHER);
    let wrong = access
        .sign_in(&claire(), SignIn::Recovery { code, next }, &at(now))
        .await;
    assert!(matches!(wrong, Err(AccessError::Wrong)), "{wrong:?}");
    assert!(begun.elapsed().as_millis() < 300, "{:?}", begun.elapsed());
    busy.await.expect("done");
}

#[tokio::test]
async fn no_row_of_the_database_holds_a_token_or_a_password() {
    let door = door();
    let now = now_ms();
    settled(&door.access, now).await;
    let signed = door
        .access
        .sign_in(&claire(), password(GOOD), &at(now))
        .await
        .expect("in");
    let store = &door.ledger.shared().rows().0;
    let mut rows = 0;
    for row in store
        .scan(Table::Access, b"", Range::all())
        .expect("the rows")
    {
        let (key, value) = row.expect("a row");
        rows += 1;
        for secret in [signed.token.as_str(), GOOD] {
            let there = |bytes: &[u8]| {
                let mut parts = bytes.windows(secret.len());
                parts.any(|part| part == secret.as_bytes())
            };
            assert!(!there(&key) && !there(&value), "{secret}");
        }
    }
    assert!(rows >= 3, "an account, its name, a session");
}
