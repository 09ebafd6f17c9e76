//! What stands around every page.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{assets, door::Who};

/// Which entry of the navigation is the page's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Accueil.
    Home,
    /// Patients.
    Patients,
    /// Alertes.
    Alerts,
    /// Invitations.
    Invitations,
    /// Mon compte.
    Account,
    /// Habilitations.
    Habilitations,
    /// Administration.
    Administration,
    /// None of them.
    Elsewhere,
}

/// What the layout needs.
pub(super) struct Shell<'a> {
    /// The page's name.
    pub(super) title: &'a str,
    pub(super) place: Place,
    /// Who is signed in.
    pub(super) who: Option<&'a Who>,
}

impl<'a> Shell<'a> {
    /// A page of somebody who is signed in.
    pub(super) const fn of(who: &'a Who, place: Place, title: &'a str) -> Self {
        Self {
            title,
            place,
            who: Some(who),
        }
    }

    /// A page of nobody.
    pub(super) const fn outside(title: &'a str) -> Self {
        Self {
            title,
            place: Place::Elsewhere,
            who: None,
        }
    }

    /// The address of an asset, by its name.
    pub(super) fn asset(&self, name: &str) -> &'static str {
        assets::address(name)
    }

    pub(super) fn at_home(&self) -> bool {
        self.place == Place::Home
    }

    pub(super) fn at_patients(&self) -> bool {
        self.place == Place::Patients
    }

    pub(super) fn at_alerts(&self) -> bool {
        self.place == Place::Alerts
    }

    pub(super) fn at_invitations(&self) -> bool {
        self.place == Place::Invitations
    }

    pub(super) fn at_habilitations(&self) -> bool {
        self.place == Place::Habilitations
    }

    pub(super) fn at_administration(&self) -> bool {
        self.place == Place::Administration
    }

    pub(super) fn at_account(&self) -> bool {
        self.place == Place::Account
    }
}

/// A page with a form: 422 where it came back because something in it is `wrong`.
pub(super) fn form(wrong: bool, page: &impl Template) -> Response {
    let status = if wrong {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    html(status, page)
}

/// A page as an answer.
pub(super) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (
            status,
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            text,
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
