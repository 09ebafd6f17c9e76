//! Names, telephones, mail and postal addresses.

use maillon_protocol::content::Contact;

use crate::fhir::{
    report::{KeptReason, WarningKind},
    source::At,
};

const MAIL_KIND: &str =
    "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-contact-point-email-type";
const ADDRESS_PART: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-";
/// Ways to write France, which an address within France leaves out.
const FRANCE: [&str; 5] = ["99100", "FR", "FRA", "France", "FRANCE"];

/// Telephones, mail and addresses of a resource. Old ones, fax and links stay in the original.
pub(crate) fn contacts(of: At<'_>) -> Vec<Contact> {
    let mut contacts: Vec<Contact> = of.list("telecom").into_iter().filter_map(point).collect();
    contacts.extend(of.list("address").into_iter().filter_map(address));
    contacts
}

fn point(at: At<'_>) -> Option<Contact> {
    if at.peek("use") == Some("old") {
        at.keep(KeptReason::NotCurrent);
        return None;
    }
    let value = at.peek("value")?;
    let contact = match at.peek("system")? {
        "phone" | "sms" => Contact::Phone(value.to_owned()),
        "email" if secure(at, value) => Contact::SecureMail(value.to_owned()),
        "email" => Contact::Mail(value.to_owned()),
        _ => return None,
    };
    at.map_at("system");
    at.map_at("value");
    Some(contact)
}

/// Whether a mail address is one of the MSSanté space: marked so, or of its domain.
fn secure(at: At<'_>, value: &str) -> bool {
    let marked = at
        .extension(MAIL_KIND)
        .and_then(|kind| kind.object("valueCoding"));
    let marked = marked.is_some_and(|coding| coding.text("code") == Some("MSSANTE"));
    marked || value.to_ascii_lowercase().ends_with(".mssante.fr")
}

fn address(at: At<'_>) -> Option<Contact> {
    if at.peek("use") == Some("old") {
        at.keep(KeptReason::NotCurrent);
        return None;
    }
    let mut lines: Vec<String> = at.texts("line").into_iter().map(str::to_owned).collect();
    if lines.is_empty() {
        lines.extend(at.list("_line").into_iter().filter_map(parts));
    }
    let (code, city) = (at.text("postalCode"), at.text("city"));
    // Some sources repeat the postal code in the city.
    let town = match (code, city) {
        (Some(code), Some(city)) if city.starts_with(code) => city.to_owned(),
        (code, city) => [code, city]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
    };
    if !town.is_empty() {
        lines.push(town);
    }
    if lines.is_empty() {
        lines.extend(at.text("text")?.lines().map(str::to_owned));
    }
    at.keep_at("text", KeptReason::SaidElsewhere);
    if let Some(country) = at.peek("country") {
        if FRANCE.contains(&country) {
            at.keep_at("country", KeptReason::SaidElsewhere);
        } else {
            at.map_at("country");
            lines.push(country.to_owned());
        }
    }
    Some(Contact::Address(lines))
}

/// An address line that the national directory gives in parts only.
fn parts(line: At<'_>) -> Option<String> {
    let parts: Vec<&str> = line
        .list("extension")
        .into_iter()
        .filter(|part| {
            part.peek("url")
                .is_some_and(|url| url.starts_with(ADDRESS_PART))
        })
        .filter_map(|part| {
            part.map_at("url");
            part.text("valueString")
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The name to show for somebody who is not the patient: given names and family name of the official name, else of the usual one, else
/// of the first one that is not old.
pub(crate) fn shown_name(of: At<'_>) -> Option<String> {
    let names = of.list("name");
    let rank = |name: &At<'_>| match name.peek("use") {
        Some("official") => 0,
        Some("usual") => 1,
        None => 2,
        Some("old" | "maiden") => 4,
        Some(_) => 3,
    };
    let name = *names.iter().min_by_key(|name| rank(name))?;
    let mut words = name.texts("given");
    words.extend(name.text("family"));
    let shown = if words.is_empty() {
        name.text("text")?.to_owned()
    } else {
        words.join(" ")
    };
    name.map_at("use");
    name.keep_at("text", KeptReason::SaidElsewhere);
    Some(shown)
}

/// A resource that the source no longer uses: our contents do not say so.
pub(crate) fn warn_inactive(of: At<'_>) {
    if of.flag("active") == Some(false) {
        of.warn_at("active", WarningKind::StatusNotCarried);
    }
}
