//! What a form sends: its fields, and that it is one of ours.

use crate::Shared;
use crate::problem::Refused;
use crate::seat::{NoSeat, Seat};
use axum::extract::{Form, FromRequest, FromRequestParts, Request};

/// The field that every form of a session's pages has.
pub(crate) const FORM_TOKEN: &str = "form-token";

/// A form that somebody with a session sent.
pub(crate) struct Posted {
    /// Who.
    pub(crate) seat: Seat,
    /// What.
    pub(crate) fields: Fields,
}

/// A form's fields, in their order; one name may come several times.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first of this name, without white space around it; empty where there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The same as it was sent.
    pub(crate) fn raw(&self, name: &str) -> &str {
        let first = self.0.iter().find(|(own, _)| own == name);
        first.map_or("", |(_, value)| value)
    }

    /// The same, where something was sent.
    pub(crate) fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name))
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    /// All of this name.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        let own = self.0.iter().filter(move |(own, _)| own == name);
        own.map(|(_, value)| value.as_str())
    }

    /// Whether a box of this name was ticked.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// What stands in a text of many lines or commas.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let words = self.text(name).split(['\n', ',']);
        let words = words.map(str::trim).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    }
}

impl From<Vec<(String, String)>> for Fields {
    fn from(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }
}

impl FromRequest<Shared> for Posted {
    type Rejection = NoSeat;

    async fn from_request(request: Request, rooms: &Shared) -> Result<Self, NoSeat> {
        let (mut parts, body) = request.into_parts();
        let seat = Seat::from_request_parts(&mut parts, rooms).await?;
        let request = Request::from_parts(parts, body);
        let form = Form::<Vec<(String, String)>>::from_request(request, rooms).await;
        let Ok(Form(fields)) = form else {
            return Err(NoSeat::Refused(Refused::bad_form()));
        };
        let fields = Fields(fields);
        if !rooms
            .app
            .is_form_token(&seat.caller, fields.raw(FORM_TOKEN))
        {
            return Err(NoSeat::Refused(Refused::from_elsewhere()));
        }
        Ok(Self { seat, fields })
    }
}
