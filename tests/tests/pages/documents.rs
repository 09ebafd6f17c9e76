//! Documents, and photos with notes and alerts: what comes in, what goes out, and what hostile forms come to. Over whole processes.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use maillon_protocol::ids::CircleId;
use maillon_tests::{
    daemon::{Daemon, Settings, Trouble, pair, professional, wait},
    ground::{DOCTOR, NURSE, between, node, signed_in, until_it_says},
    visitor::{BOUNDARY, File, Page, Visitor, multipart},
};

use super::{
    Story, ensure,
    files::{OPENS, ROZENN, colleague, create, nurse, open, says},
    folder,
};

/// A photo, as far as anything here looks at it: a place in its Exif, then a picture.
fn photo() -> Vec<u8> {
    let mut all = b"\xff\xd8\xff\xe1\0\x15Exif\0\0GPS 49.7N 0.2\xff\xda\0\x02".to_vec();
    all.extend([7; 90_000]);
    all.extend(b"\xff\xd9");
    all
}

/// What is kept of it.
fn kept() -> Vec<u8> {
    let mut all = b"\xff\xd8\xff\xda\0\x02".to_vec();
    all.extend([7; 90_000]);
    all.extend(b"\xff\xd9");
    all
}

fn pdf(length: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.resize(length, b'.');
    bytes
}

const NOTE: [(&str, &str); 2] = [("nature", "observation"), ("texte", "Plaie au talon.")];

fn image(page: &Page) -> Result<String, Trouble> {
    let address = between(page, "<img src=\"/dossiers/", "\"");
    ensure(!address.is_empty(), || page.text.clone())?;
    Ok(format!("/dossiers/{address}"))
}

/// How many files stand in a list of documents.
fn files_in(visitor: &mut Visitor, address: &str) -> Result<usize, Trouble> {
    let list = visitor.get(&format!("{address}/documents"))?;
    Ok(list.text.matches("class=\"m-joined\"").count())
}

#[test]
fn a_photo_that_is_taken_in_one_territory_is_seen_in_the_other_without_its_place() -> Story {
    let root = folder()?;
    let dac = node(Settings::dac(), root.path())?;
    let cpts = node(Settings::cpts(), root.path())?;
    let (mut nurse, mut doctor) = (signed_in(&dac, NURSE)?, signed_in(&cpts, DOCTOR)?);
    pair(&dac, &cpts)?;
    let address = open(&mut nurse)?;
    let circle: CircleId = dac.client()?.circles()?[0].circle;
    let inviting = professional(&dac, "Claire Vasseur", "10999003055", "330")?;
    let mut inviting = dac.client()?.acting_as(&inviting);
    inviting.circle_invite(circle, cpts.node()?)?;
    let list = until_it_says(&mut doctor, "/invitations", "Vous invite")?;
    let id = between(&list, "href=\"/invitations/", "\"").to_owned();
    let fields = [("reponse", "accepter"), ("personne", "nouvelle")];
    doctor.post(&format!("/invitations/{id}"), &fields)?;
    until_it_says(&mut doctor, "/patients", "Rozenn Le Dantec")?;

    let taken = photo();
    let file = File {
        name: "talon.jpg",
        media_type: "image/jpeg",
        bytes: &taken,
    };
    let sent = nurse.send(&format!("{address}/note"), &NOTE, file)?;
    ensure(
        sent.leads_to() == format!("{address}/carnet?ecrit=note"),
        || format!("{sent:?}"),
    )?;
    let alert = [("gravite", "urgente"), ("texte", "Plaie infectée.")];
    let sent = nurse.send(&format!("{address}/alerte"), &alert, file)?;
    ensure(sent.leads_to().ends_with("ecrit=alerte"), || {
        format!("{sent:?}")
    })?;
    for (here, page) in [
        (true, "/carnet"),
        (false, "/carnet"),
        (false, "?fil=alertes"),
    ] {
        let visitor = if here { &mut nurse } else { &mut doctor };
        let page = until_it_says(
            visitor,
            &format!("{address}{page}"),
            "<img src=\"/dossiers/",
        )?;
        let (head, bytes) = visitor.bytes(&image(&page)?)?;
        ensure(head.status == 200 && bytes == kept(), || {
            format!("{head:?}")
        })?;
        for (name, value) in [
            ("content-type", "image/jpeg"),
            ("content-disposition", "inline; filename*=UTF-8''talon.jpg"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("content-length", &kept().len().to_string()),
        ] {
            ensure(head.header(name) == value, || format!("{name}: {head:?}"))?;
        }
        let policy = head.header("content-security-policy");
        ensure(
            policy.contains("default-src 'none'") && policy.ends_with("sandbox"),
            || policy.to_owned(),
        )?;
    }
    // The first page says that an alert waits, and the notebook shows what is beside it.
    let alerts = nurse.get(&format!("{address}?fil=alertes"))?;
    says(&alerts, &["Plaie infectée.", "Pièce jointe à l’alerte."])?;

    let bytes = pdf(3 << 20);
    let fields = [("titre", "Bilan d’entrée"), ("type", "60591-5")];
    let file = File {
        name: "bilan.pdf",
        media_type: "application/pdf",
        bytes: &bytes,
    };
    let sent = doctor.send(&format!("{address}/documents"), &fields, file)?;
    ensure(
        sent.leads_to() == format!("{address}/documents?ecrit=document"),
        || format!("{sent:?}"),
    )?;
    says(
        &doctor.get(sent.leads_to())?,
        &["Document envoyé au cercle."],
    )?;
    let documents = format!("{address}/documents");
    let list = until_it_says(&mut nurse, &documents, "bilan.pdf</a>")?;
    says(
        &list,
        &[
            "Bilan d’entrée",
            "Synthèse médicale",
            "Étienne Hauchecorne",
            "3,1 Mo",
        ],
    )?;
    let at = between(&list, "class=\"m-joined\"><a href=\"", "\"").to_owned();
    // The title leads to the file, which says what it is.
    let title = format!("<a href=\"{at}\">Bilan d’entrée</a>");
    says(&list, &[&title, "PDF, 3,1 Mo"])?;
    let (head, read) = nurse.bytes(&at)?;
    ensure(
        read == bytes
            && head
                .header("content-disposition")
                .starts_with("attachment;"),
        || format!("{head:?}"),
    )
}

#[test]
fn what_is_no_photo_and_no_pdf_is_refused_with_a_sentence_and_what_was_typed_is_kept() -> Story {
    let root = folder()?;
    let (_node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let empty = nurse.get(&format!("{address}/documents"))?;
    says(
        &empty,
        &[
            "Aucun document pour l’instant",
            "enctype=\"multipart/form-data\"",
        ],
    )?;
    let html = b"<!doctype html><script>fetch('/compte')</script>";
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>1</script></svg>";
    let long = pdf((25 << 20) + 1);
    for (name, media_type, bytes, said) in [
        (
            "photo.jpg",
            "image/jpeg",
            &html[..],
            "ni un PDF, ni une photo",
        ),
        (
            "dessin.svg",
            "image/svg+xml",
            svg,
            "ni un PDF, ni une photo",
        ),
        (
            "photo.jpg",
            "image/jpeg",
            b"\xff\xd8\xff\xe0\0\x03JF<html>",
            "illisible",
        ),
        ("long.pdf", "application/pdf", &long, "dépasse 25"),
    ] {
        let file = File {
            name,
            media_type,
            bytes,
        };
        for (path, fields) in [
            (
                "documents",
                [("type", "60591-5"), ("titre", "Lettre & bilan")],
            ),
            ("note", NOTE),
            (
                "alerte",
                [("gravite", "importante"), ("texte", "Plaie au talon.")],
            ),
        ] {
            let page = nurse.send(&format!("{address}/{path}"), &fields, file)?;
            ensure(page.status == 422, || format!("{path} {name}: {page:?}"))?;
            says(
                &page,
                &[said, "id=\"fichier-err\"", "aria-invalid=\"true\""],
            )?;
            let typed = match path {
                "documents" => ["value=\"Lettre &#38; bilan\"", "value=\"60591-5\" selected"],
                "note" => [
                    "Plaie au talon.</textarea>",
                    "value=\"observation\" checked",
                ],
                _ => ["Plaie au talon.</textarea>", "value=\"importante\" checked"],
            };
            says(&page, &typed)?;
        }
    }
    ensure(files_in(&mut nurse, &address)? == 0, String::new)?;
    let notebook = nurse.get(&format!("{address}/carnet"))?;
    ensure(!notebook.text.contains("Plaie"), || notebook.text.clone())?;
    // Where something else is wrong, the form says that the file is to be chosen again.
    let bytes = pdf(5000);
    let file = File {
        name: "lettre.pdf",
        media_type: "application/pdf",
        bytes: &bytes,
    };
    let untitled = nurse.send(&format!("{address}/documents"), &[("titre", " ")], file)?;
    ensure(untitled.status == 422, || format!("{untitled:?}"))?;
    says(
        &untitled,
        &["Donnez un titre", "choisissez de nouveau celui-ci"],
    )?;
    let nothing = File {
        name: "",
        media_type: "application/octet-stream",
        bytes: b"",
    };
    let without = nurse.send(
        &format!("{address}/documents"),
        &[("titre", "Lettre")],
        nothing,
    )?;
    says(&without, &["Choisissez le fichier", "value=\"Lettre\""])?;
    ensure(files_in(&mut nurse, &address)? == 0, String::new)?;
    // A note without a photo is a note, in either encoding.
    let sent = nurse.send(&format!("{address}/note"), &NOTE, nothing)?;
    ensure(sent.status == 303, || format!("{sent:?}"))?;
    let sent = nurse.post(&format!("{address}/note"), &NOTE)?;
    ensure(sent.status == 303, || format!("{sent:?}"))
}

#[test]
fn a_name_is_a_text_and_a_file_is_saved_as_what_it_is() -> Story {
    let root = folder()?;
    let (_node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let bytes = photo();
    for (sent, shown, saved) in [
        ("../../../etc/passwd", "passwd", "passwd.jpg"),
        ("C:\\photos\\talon.html", "talon.html", "talon.html.jpg"),
        (
            "<script>1<b>.jpeg",
            "&#60;script&#62;1&#60;b&#62;.jpeg",
            "%3Cscript%3E1%3Cb%3E.jpeg",
        ),
    ] {
        let file = File {
            name: sent,
            media_type: "text/html",
            bytes: &bytes,
        };
        let fields = [("titre", "Photo")];
        let page = nurse.send(&format!("{address}/documents"), &fields, file)?;
        ensure(page.status == 303, || format!("{sent}: {page:?}"))?;
        let list = nurse.get(&format!("{address}/documents"))?;
        says(&list, &[&format!("{shown}</a>")])?;
        let at = between(&list, "class=\"m-joined\"><a href=\"", "\"").to_owned();
        let (head, _) = nurse.bytes(&at)?;
        ensure(
            head.header("content-type") == "image/jpeg"
                && head.header("content-disposition")
                    == format!("inline; filename*=UTF-8''{saved}"),
            || format!("{sent}: {head:?}"),
        )?;
    }
    Ok(())
}

#[test]
fn a_guessed_document_is_nowhere_and_a_colleague_outside_the_team_gets_none() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut marcel = ROZENN;
    (marcel[0].1, marcel[1].1, marcel[2].1) = ("Hautot", "Marcel", "02/05/1938");
    (marcel[3].1, marcel[5].1) = ("m", "");
    let elsewhere = create(&mut nurse, &marcel, &OPENS)?.leads_to().to_owned();
    let bytes = pdf(5000);
    let file = File {
        name: "lettre.pdf",
        media_type: "application/pdf",
        bytes: &bytes,
    };
    nurse.send(
        &format!("{address}/documents"),
        &[("titre", "Lettre")],
        file,
    )?;
    let list = nurse.get(&format!("{address}/documents"))?;
    let at = between(&list, "class=\"m-joined\"><a href=\"", "\"").to_owned();
    ensure(nurse.bytes(&at)?.0.status == 200, || at.clone())?;
    let id = at.rsplit('/').next().unwrap_or_default();
    // Another one, whatever it begins with.
    let begins = if id.starts_with("00") { "11" } else { "00" };
    let guessed = format!("{begins}{}", &id[2..]);
    for wrong in [
        format!("{elsewhere}/documents/{id}"),
        format!("{address}/documents/{guessed}"),
        format!("{address}/documents/{}", &id[..20]),
        format!("{address}/documents/..%2F{id}"),
        format!("{at}?fichier=1"),
        format!("/dossiers/{}/documents/{id}", "0".repeat(24)),
    ] {
        let (head, read) = nurse.bytes(&wrong)?;
        ensure(head.status == 404 && !read.starts_with(b"%PDF"), || {
            format!("{wrong}: {head:?}")
        })?;
    }
    let mut other = colleague(&node)?;
    let (head, read) = other.bytes(&at)?;
    ensure(head.status == 403 && !read.starts_with(b"%PDF"), || {
        format!("{head:?}")
    })?;
    ensure(
        other.get(&format!("{address}/documents"))?.status == 403,
        String::new,
    )?;
    for path in ["documents", "note", "alerte"] {
        let fields = [
            ("titre", "Lettre"),
            NOTE[0],
            NOTE[1],
            ("gravite", "urgente"),
        ];
        let page = other.send(&format!("{address}/{path}"), &fields, file)?;
        ensure(page.status == 403, || format!("{path}: {page:?}"))?;
    }
    ensure(files_in(&mut nurse, &address)? == 1, String::new)
}

/// Sends the head of a form of `length` bytes and a beginning of it; the connection.
fn begins(
    node: &Daemon,
    visitor: &Visitor,
    path: &str,
    length: usize,
    body: &[u8],
) -> Result<TcpStream, Trouble> {
    let origin = node.pages()?;
    let host = origin.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).map_err(Trouble::io("a connection"))?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nSec-Fetch-Site: same-origin\r\nCookie: {}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n\r\n",
        visitor.sent().unwrap_or_default()
    );
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .and_then(|()| stream.write_all(head.as_bytes()))
        .and_then(|()| stream.write_all(body))
        .map_err(Trouble::io("a beginning"))?;
    Ok(stream)
}

#[test]
fn forms_that_are_cut_off_or_have_no_end_leave_nothing_and_take_no_memory() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let path = format!("{address}/documents");
    let fields = [("titre", "Sans fin")];
    let bytes = pdf(20 << 20);
    let file = File {
        name: "sans-fin.pdf",
        media_type: "application/pdf",
        bytes: &bytes,
    };
    let whole = multipart(&fields, Some(file));
    let cut = &whole[..whole.len() - 30];
    let before = node.memory_kib()?;
    // A gibibyte is said, twenty mebibytes come, and then nobody is there any more.
    for _ in 0..3 {
        drop(begins(&node, &nurse, &path, 1 << 30, cut)?);
    }
    let grown = node.memory_kib()?.saturating_sub(before);
    ensure(grown < 48 << 10, || format!("{grown} KiB more"))?;
    // Bytes that never come to a second part, or out of the head of the first.
    let endless = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; x=\"").into_bytes();
    let endless = [endless, vec![b'a'; 1 << 20]].concat();
    let mut stream = begins(&node, &nurse, &path, endless.len() + 10, &endless)?;
    let mut answer = [0; 12];
    stream
        .read_exact(&mut answer)
        .map_err(Trouble::io("an answer"))?;
    ensure(&answer == b"HTTP/1.1 400", || format!("{answer:?}"))?;
    let names: Vec<String> = (0..300).map(|number| format!("champ-{number}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "a")).collect();
    for broken in [cut, b"", b"--", &whole[..60], &multipart(&many, None)] {
        let page = nurse.send_body(&path, broken)?;
        ensure(page.status == 400, || format!("{page:?}"))?;
    }
    let missing = nurse.send_body(&path, &multipart(&[], None))?;
    ensure(missing.status == 422, || format!("{missing:?}"))?;
    let text = "a".repeat(300 << 10);
    let long = nurse.send_body(&path, &multipart(&[("titre", &text)], None))?;
    ensure(long.status == 413, || format!("{long:?}"))?;
    ensure(files_in(&mut nurse, &address)? == 0, String::new)?;
    // The places are free again.
    wait::until("a place", wait::LONG, || {
        let page = nurse.send(&path, &fields, file)?;
        Ok((page.status == 303).then_some(()))
    })?;
    ensure(files_in(&mut nurse, &address)? == 1, String::new)
}
