//! Deliveries, open and ended, over all applications: who finds what was given up? For the
//! organisation alone. Sending one again is [`App::resend`]'s, as ever.

use crate::find::{Named, Tenant, named};
use crate::page::{ListInput, Page, Part};
use crate::status::Status;
use crate::{App, AppError, Caller, Violation};
use model::Timestamp;
use model::attempt::AttemptResult;
use model::delivery::{EndReason, PublicName};
use model::id::{
    ApplicationId, AttemptId, EndpointId, EndpointKey, EndpointKind, Key, MessageKey,
    PublicDeliveryId, PublicDeliveryKind,
};
use model::message::Message;
use model::name::Name;
use store::Lane;
use store::deliveries::{
    DeliveryPosition, DeliveryQuery, DeliveryRow, DeliveryScope, DeliveryWindow,
};
use store::rows::Standing;

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// An attempt will be made, the first or another.
    Pending,
    /// One succeeded.
    Delivered,
    /// The last one failed, and none will be made.
    Exhausted,
    /// It ended without an attempt having had the last word.
    Cancelled,
}

impl DeliveryState {
    fn of(standing: Standing) -> Self {
        match standing {
            Standing::Pending | Standing::Retrying => Self::Pending,
            Standing::Delivered => Self::Delivered,
            Standing::Failed => Self::Exhausted,
            Standing::Cancelled => Self::Cancelled,
        }
    }

    fn standings(self) -> Vec<Standing> {
        match self {
            Self::Pending => vec![Standing::Pending, Standing::Retrying],
            Self::Delivered => vec![Standing::Delivered],
            Self::Exhausted => vec![Standing::Failed],
            Self::Cancelled => vec![Standing::Cancelled],
        }
    }
}

/// Which deliveries are asked for.
#[derive(Debug, Clone, Default)]
pub struct DeliveriesInput {
    /// Which part of the list; times are those at which messages were accepted.
    pub list: ListInput,
    /// How they stand.
    pub state: Option<DeliveryState>,
    /// Of this application, by id or uid.
    pub application: Option<Name>,
    /// To this endpoint, by id; by uid as well where the application is given.
    pub endpoint: Option<Name>,
    /// Of messages of this type.
    pub event_type: Option<Name>,
    /// The hundred that the status code of the last attempt is in: 0, 100, … 500.
    pub status_code_class: Option<u16>,
}

/// A delivery as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryView {
    /// What it is called.
    pub id: PublicDeliveryId,
    /// Its application, and what its user calls that.
    pub application: (ApplicationId, Option<Name>),
    /// Its endpoint, which may be deleted, and what its user calls that.
    pub endpoint: (EndpointId, Option<Name>),
    /// Its message.
    pub message: Message,
    /// How it stands.
    pub state: DeliveryState,
    /// How many attempts were made.
    pub attempts: u32,
    /// The last of them; of what was delivered, the last that succeeded; of what was cancelled, the
    /// record of that.
    pub last: Option<LastAttempt>,
    /// When the next attempt is due, if there will be one.
    pub next_attempt: Option<Timestamp>,
    /// Why it was cancelled.
    pub end_reason: Option<EndReason>,
}

/// An attempt, as far as a delivery shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastAttempt {
    /// Its id, whose time is when it was recorded.
    pub id: AttemptId,
    /// The response's status; 0 where there was none.
    pub status_code: u16,
    /// How it ended.
    pub status: Status,
}

impl DeliveryView {
    /// When it ended, if it has.
    pub fn ended_at(&self) -> Option<Timestamp> {
        let last = self.last.filter(|_| self.state != DeliveryState::Pending);
        last.map(|last| last.id.key().time())
    }
}

impl App {
    /// Deliveries, those of the newest messages first.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`] for an
    /// application or endpoint that was never there; [`AppError::Invalid`] for a list that can't
    /// be.
    pub async fn deliveries(
        &self,
        caller: &Caller,
        input: &DeliveriesInput,
    ) -> Result<Page<DeliveryView>, AppError> {
        caller.require_organisation()?;
        let part = Part::<PublicDeliveryKind>::of_recent(&input.list, self.clock.now())?;
        let query = DeliveryQuery {
            scope: self.delivery_scope(caller, input).await?,
            window: window(&part, &input.list),
            standing: input.state.map(DeliveryState::standings),
            event_type: input.event_type.clone(),
            status_codes: input.status_code_class.map(|class| (class, class + 100)),
        };
        let walk = self.store.deliveries(&query).await?;
        let passed = |at: DeliveryPosition| PublicName::of_place(at.message, at.endpoint).id();
        let page = part.page_by(
            walk,
            (DeliveryRow::position, |at| passed(at).to_string()),
            |row| id_of(row).to_string(),
        );
        Ok(page.map(view))
    }

    /// One delivery.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::NotFound`].
    pub async fn delivery(&self, caller: &Caller, id: &str) -> Result<DeliveryView, AppError> {
        caller.require_organisation()?;
        let id: PublicDeliveryId = id.parse().map_err(|_| AppError::not_found())?;
        let name = PublicName::read(id);
        let beside = |by: i64| DeliveryPosition {
            message: name.message,
            endpoint: Key::from_integer(name.endpoint.integer().saturating_add(by)),
        };
        let query = DeliveryQuery {
            scope: DeliveryScope::All,
            window: DeliveryWindow {
                above: beside(-1),
                below: beside(1),
                ascending: false,
                limit: 1,
            },
            standing: None,
            event_type: None,
            status_codes: None,
        };
        let walk = self.store.deliveries(&query).await?;
        let found = walk.rows.into_iter().find(|row| id_of(row) == id);
        found.map(view).ok_or_else(AppError::not_found)
    }

    async fn delivery_scope(
        &self,
        caller: &Caller,
        input: &DeliveriesInput,
    ) -> Result<DeliveryScope, AppError> {
        let tenant = match &input.application {
            Some(path) => Some(self.application(caller, path.as_str()).await?),
            None => None,
        };
        let Some(path) = &input.endpoint else {
            let of = |tenant: Tenant| DeliveryScope::Application(tenant.key());
            return Ok(tenant.map_or(DeliveryScope::All, of));
        };
        self.lane_of(tenant.as_ref(), path.as_str())
            .await
            .map(DeliveryScope::Endpoint)
    }

    /// Where an endpoint is, which may be deleted if it is named by its id.
    async fn lane_of(&self, tenant: Option<&Tenant>, path: &str) -> Result<Lane, AppError> {
        let row = match (named::<EndpointKind>(path), tenant) {
            (Some(Named::Id(id)), _) => self.store.endpoint(id).await?,
            (Some(Named::Uid(_)), Some(tenant)) => Some(tenant.endpoint(path)?.clone()),
            (Some(Named::Uid(_)), None) => {
                let text = "an endpoint's uid is its application's alone: give `app_id` as well, \
                            or the endpoint's id";
                return Err(Violation::query(&["endpoint_id"], text).into());
            }
            (None, _) => {
                let text = "this is neither an endpoint's id, such as \
                            `ep_2KWPBgLlAfxdpx2AI54pPJ85f4W`, nor a uid";
                return Err(Violation::query(&["endpoint_id"], text).into());
            }
        };
        let lane = row.map(|row| Lane {
            application: row.endpoint.application,
            endpoint: row.endpoint.id.key(),
        });
        let is_its = |lane: &Lane| tenant.is_none_or(|tenant| tenant.key() == lane.application);
        lane.filter(is_its).ok_or_else(AppError::not_found)
    }
}

/// A part of the list by positions: where an iterator says to go on, not behind all of its message.
fn window(part: &Part<PublicDeliveryKind>, list: &ListInput) -> DeliveryWindow {
    let keys = part.window();
    let message = |key: Key<PublicDeliveryKind>| MessageKey::from_integer(key.integer());
    let mut window = DeliveryWindow {
        above: DeliveryPosition {
            message: message(keys.above),
            endpoint: EndpointKey::MAX,
        },
        below: DeliveryPosition {
            message: message(keys.below),
            endpoint: EndpointKey::MIN,
        },
        ascending: keys.ascending,
        limit: keys.limit,
    };
    if let Some(id) = list.start::<PublicDeliveryKind>() {
        let PublicName {
            message, endpoint, ..
        } = PublicName::read(id);
        if window.begins_in(message) {
            window = window.behind(Some(DeliveryPosition { message, endpoint }));
        }
    }
    window
}

fn id_of(row: &DeliveryRow) -> PublicDeliveryId {
    PublicName::of(row.message.id, row.endpoint.0.key()).id()
}

fn view(row: DeliveryRow) -> DeliveryView {
    let told = row.story.last;
    let last = told.zip(row.last).map(|(told, id)| LastAttempt {
        id,
        status_code: told.status_code,
        status: Status::of_result(told.result, true),
    });
    let state = DeliveryState::of(row.story.standing);
    let end_reason = match told.map(|told| told.result) {
        Some(AttemptResult::Cancelled(reason)) if state == DeliveryState::Cancelled => Some(reason),
        _ => None,
    };
    DeliveryView {
        id: id_of(&row),
        application: row.application,
        endpoint: row.endpoint,
        message: row.message,
        state,
        attempts: row.story.attempts,
        last,
        next_attempt: row.story.next_attempt,
        end_reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDINGS: [Standing; 5] = [
        Standing::Delivered,
        Standing::Pending,
        Standing::Retrying,
        Standing::Failed,
        Standing::Cancelled,
    ];

    #[test]
    fn a_filter_finds_exactly_what_is_shown_in_its_state() {
        for state in [
            DeliveryState::Pending,
            DeliveryState::Delivered,
            DeliveryState::Exhausted,
            DeliveryState::Cancelled,
        ] {
            for standing in STANDINGS {
                let shown = DeliveryState::of(standing) == state;
                assert_eq!(shown, state.standings().contains(&standing), "{standing:?}");
            }
        }
    }

    #[test]
    fn an_iterator_goes_on_among_the_deliveries_of_its_message() {
        let now = Timestamp::from_seconds(2_000_000_000);
        let message = MessageKey::first_at(now);
        let at = DeliveryPosition {
            message,
            endpoint: Key::from_integer(7),
        };
        let name = PublicName::of_place(at.message, at.endpoint).id();
        for (iterator, ascending) in [(format!("{name}"), false), (format!("-{name}"), true)] {
            let list = ListInput {
                iterator: Some(iterator),
                ..ListInput::default()
            };
            let part = Part::of_recent(&list, now).expect("it is in order");
            let window = window(&part, &list);
            assert_eq!(window.ascending, ascending);
            let edge = if ascending {
                window.above
            } else {
                window.below
            };
            assert_eq!(edge, at);
        }
        // A border in time that lies nearer says more.
        let list = ListInput {
            iterator: Some(name.to_string()),
            before: Some(Timestamp::from_seconds(1_999_999_000)),
            ..ListInput::default()
        };
        let part = Part::of_recent(&list, now).expect("it is in order");
        let border = window(&part, &list).below;
        assert_eq!(border.endpoint, EndpointKey::MIN);
        assert!(border.message < message);
    }
}
