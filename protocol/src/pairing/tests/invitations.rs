//! The text that people copy.

use data_encoding::BASE32_NOPAD;
use proptest::prelude::*;

use super::*;

fn one() -> Invitation {
    invitation(1, &mut ChaCha20Rng::from_seed([7; 32]))
}

#[test]
fn what_mail_programs_do_to_an_invitation_does_not_harm_it() {
    let invitation = one();
    let text = invitation.to_text();
    assert!(
        text.len() < 300,
        "{} characters are too many for a small QR code",
        text.len()
    );
    let wrapped: String = text
        .chars()
        .enumerate()
        .flat_map(|(index, character)| {
            let filler = match index % 16 {
                15 => "\r\n> ",
                7 => " - ",
                3 => "\u{a0}\u{ad}",
                _ => "",
            };
            std::iter::once(character).chain(filler.chars())
        })
        .collect();
    for pasted in [
        text.to_string(),
        text.to_uppercase(),
        format!("\n\t {} \n", text.as_str()),
        wrapped,
    ] {
        assert_eq!(Invitation::from_text(&pasted), Ok(invitation.clone()));
    }
}

#[test]
fn an_upper_case_invitation_fits_the_alphanumeric_mode_of_qr_codes() {
    let text = one().to_text().to_uppercase();
    assert!(
        text.chars()
            .all(|c| "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".contains(c))
    );
}

#[test]
fn each_mistake_in_the_text_is_told_as_what_it_is() {
    let text = one().to_text().to_string();
    let wrong = |text: &str| Invitation::from_text(text).expect_err("a mistake");

    assert_eq!(wrong("bonjour"), InvitationError::NotAnInvitation);
    assert_eq!(wrong(""), InvitationError::NotAnInvitation);
    assert_eq!(wrong("maillon:abc"), InvitationError::NotAnInvitation);
    assert_eq!(
        wrong(&text.replace("maillon1", "maillon2")),
        InvitationError::Version
    );
    assert_eq!(wrong("maillon1:"), InvitationError::Incomplete);
    assert_eq!(
        wrong(&format!("{}0{}", &text[..12], &text[13..])),
        InvitationError::Character {
            found: '0',
            position: 4
        }
    );
    assert!(matches!(
        wrong(&text[..text.len() - 8]),
        InvitationError::Checksum | InvitationError::Incomplete
    ));
    assert!(matches!(
        wrong(&"maillon1:a".repeat(4_000)),
        InvitationError::Limit(_)
    ));
    // Right check bytes over something else than an invitation.
    let mut bytes = vec![0x80];
    bytes.extend_from_slice(&crate::ids::hash_in("maillon/1 pairing invitation", &[0x80])[..4]);
    assert_eq!(
        wrong(&format!("maillon1:{}", BASE32_NOPAD.encode(&bytes))),
        InvitationError::Content
    );
}

#[test]
fn an_invitation_has_a_life_and_addresses_within_the_limits() {
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let mut make = |addresses: &[&str], life| {
        let addresses = addresses.iter().map(|&text| text.to_owned()).collect();
        Invitation::new(key(1).id(), addresses, NOW, life, &mut rng).map(|made| made.expires_ms)
    };
    let good = "/ip4/192.0.2.1/tcp/443";
    assert_eq!(make(&[good], DAY), Ok(NOW + DAY));
    assert!(matches!(
        make(&[good], 8 * DAY),
        Err(InvitationError::Limit(_))
    ));
    assert!(matches!(
        make(&[good; 9], DAY),
        Err(InvitationError::Limit(_))
    ));
    assert_eq!(make(&[], DAY), Err(InvitationError::NoAddress));
    assert_eq!(make(&["192.0.2.1"], DAY), Err(InvitationError::Address));
    assert_eq!(make(&["/dns/été"], DAY), Err(InvitationError::Address));
}

#[test]
fn an_invitation_is_of_no_use_at_the_node_that_made_it_or_when_it_is_over() {
    let own = key(1).id();
    assert_eq!(Pending::accept(one(), own, NOW), Err(PairingError::Itself));
    let other = key(2).id();
    assert_eq!(
        Pending::accept(one(), other, NOW + 7 * DAY),
        Err(PairingError::Expired)
    );
}

#[test]
fn printing_for_debugging_shows_no_secret() {
    let invitation = one();
    let secret = format!("{:?}", invitation.secret.expose());
    let first = secret
        .trim_start_matches('[')
        .split(']')
        .next()
        .expect("digits");
    for printed in [
        format!("{invitation:?}"),
        format!("{:?}", Pending::invite(invitation.clone())),
    ] {
        assert!(!printed.contains(first), "{printed}");
        assert!(printed.contains("Secret(…)"));
    }
}

proptest! {
    #[test]
    fn one_wrong_character_is_always_noticed(place: prop::sample::Index, letter in "[a-z2-7]") {
        let text = one().to_text().to_string();
        let place = 9 + place.index(text.len() - 9);
        let mut changed = text.clone();
        changed.replace_range(place..=place, &letter);
        prop_assume!(changed != text);
        prop_assert_eq!(Invitation::from_text(&changed), Err(InvitationError::Checksum));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(maillon1:)?\\PC{0,200}") {
        let _ = Invitation::from_text(&text);
    }
}
