//! Following what is sent: messages in the order in which they were accepted, the oldest first, a
//! page at a time, for ever. Whoever goes on from where a page ended misses nothing and sees
//! nothing twice, whichever nodes accept: the store reads no further than to where no smaller id
//! can come any more.
//!
//! It keeps nothing: where a follower has come to is in the iterator that it holds.

use crate::content::Opener;
use crate::filter::Filter;
use crate::find::Tenant;
use crate::messages::MessageView;
use crate::page::{LIMIT_DEFAULT, LIMIT_MAX, just_before};
use crate::{App, AppError, Caller, Violation};
use model::Timestamp;
use model::id::{ApplicationKey, MessageId, MessageKey, MessageKind};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use store::query::{AllMessagesQuery, MessageQuery, Walk, Window};
use store::rows::{MessageRow, Payload};

/// Which messages a follower wants next.
#[derive(Debug, Clone, Default)]
pub struct FollowInput {
    /// How many; at most [`LIMIT_MAX`].
    pub limit: Option<u64>,
    /// Where the last page ended; `None`: from the oldest that is kept.
    pub iterator: Option<String>,
    /// Only what was accepted after.
    pub after: Option<Timestamp>,
    /// Which messages.
    pub filter: Filter,
}

/// The next messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed<T> {
    /// Them, the oldest first.
    pub data: Vec<T>,
    /// Goes on behind them, also where there are none yet.
    pub iterator: String,
    /// Whether more are there already.
    pub more: bool,
}

impl FollowInput {
    /// The same, if it can be asked: to be asked before anything is looked up.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a limit of none or too many, or a malformed iterator.
    pub fn checked(self) -> Result<Self, AppError> {
        self.window()?;
        Ok(self)
    }

    fn window(&self) -> Result<Window<MessageKind>, AppError> {
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            let text = format!("must be from 1 to {LIMIT_MAX}");
            return Err(Violation::query(&["limit"], text).into());
        }
        let iterator = self.iterator.as_deref().map(position).transpose()?;
        let after = self.after.map(just_before);
        Ok(Window {
            above: iterator.max(after).unwrap_or(MessageKey::MIN),
            below: MessageKey::MAX,
            ascending: true,
            limit: usize::try_from(limit).expect("at most 250"),
        })
    }
}

impl App {
    /// An application's messages, the oldest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Invalid`] as for [`FollowInput::checked`].
    pub async fn follow(
        &self,
        caller: &Caller,
        application: &str,
        input: &FollowInput,
    ) -> Result<Followed<MessageView>, AppError> {
        let tenant = self.application(caller, application).await?;
        let window = input.window()?;
        let followed = self.next_of(&tenant, window, &input.filter).await?;
        let opener = Opener::new(self, &tenant.row().application)?;
        let shown = |row| view(&opener, row);
        self.exported(caller, Some(tenant.key()), followed.data.len());
        Ok(Followed {
            data: followed
                .data
                .into_iter()
                .map(shown)
                .collect::<Result<_, _>>()?,
            iterator: followed.iterator,
            more: followed.more,
        })
    }

    /// The messages of all applications that are live, the oldest first.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] for all but the organisation; [`AppError::Invalid`] as for
    /// [`FollowInput::checked`].
    pub async fn follow_all(
        &self,
        caller: &Caller,
        input: &FollowInput,
    ) -> Result<Followed<MessageView>, AppError> {
        caller.require_organisation()?;
        let window = input.window()?;
        let query = AllMessagesQuery {
            window,
            filter: input.filter.to_stored(),
            with_payload: true,
        };
        let walk = self.store.all_messages(&query).await?;
        let Followed {
            data,
            iterator,
            more,
        } = followed(walk, window.above);
        let mut openers: HashMap<ApplicationKey, Option<Opener>> = HashMap::new();
        let mut shown = Vec::with_capacity(data.len());
        for row in data {
            let application = row.message.application;
            let opener = match openers.entry(application) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(self.opener_of(application).await?),
            };
            // What was sent to an application that is deleted is gone with it.
            if let Some(opener) = opener {
                shown.push(view(opener, row)?);
            }
        }
        self.exported(caller, None, shown.len());
        Ok(Followed {
            data: shown,
            iterator,
            more,
        })
    }

    /// An application's next messages, sealed.
    pub(crate) async fn next_of(
        &self,
        tenant: &Tenant,
        window: Window<MessageKind>,
        filter: &Filter,
    ) -> Result<Followed<MessageRow>, AppError> {
        let query = MessageQuery {
            application: tenant.application().id.key(),
            window,
            filter: filter.to_stored(),
            with_payload: true,
        };
        let walk = self.store.messages(&query).await?;
        Ok(followed(walk, window.above))
    }

    async fn opener_of(&self, application: ApplicationKey) -> Result<Option<Opener>, AppError> {
        let Some(tenant) = self.find_by_key(application).await? else {
            return Ok(None);
        };
        Opener::new(self, &tenant.row().application).map(Some)
    }
}

/// What an iterator names.
pub(crate) fn position(iterator: &str) -> Result<MessageKey, AppError> {
    let id: Result<MessageId, _> = iterator.parse();
    let wrong = |error| Violation::query(&["iterator"], format!("{error}"));
    Ok(id.map_err(wrong)?.key())
}

/// Names a position. Of an iterator only the key counts.
pub(crate) fn iterator(position: MessageKey) -> String {
    MessageId::new(position, [0; 12]).to_string()
}

/// What a walk from here on found.
fn followed(walk: Walk<MessageRow, MessageKey>, from: MessageKey) -> Followed<MessageRow> {
    Followed {
        iterator: iterator(walk.examined.unwrap_or(from)),
        data: walk.rows,
        more: walk.more,
    }
}

fn view(opener: &Opener, row: MessageRow) -> Result<MessageView, AppError> {
    debug_assert!(row.payload != Payload::NotRead, "it was asked for");
    let (message, content) = opener.message(row)?;
    Ok(MessageView { message, content })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Key;

    fn window(input: FollowInput) -> Result<Window<MessageKind>, AppError> {
        input.checked()?.window()
    }

    #[test]
    fn a_follower_goes_on_from_its_iterator_or_from_a_time_whichever_is_later() {
        let at = |seconds: i64| Timestamp::from_seconds(1_800_000_000 + seconds);
        let key = |seconds| Key::first_at(at(seconds));
        for (came_to, after, above) in [
            (None, None, MessageKey::MIN),
            (Some(key(5)), None, key(5)),
            (Some(key(5)), Some(at(3)), key(5)),
            (Some(key(5)), Some(at(9)), just_before(at(9))),
            (None, Some(at(9)), just_before(at(9))),
            (None, Some(Timestamp::MIN), MessageKey::MIN),
        ] {
            let input = FollowInput {
                iterator: came_to.map(iterator),
                after,
                ..FollowInput::default()
            };
            let window = window(input).expect("it can be asked");
            assert_eq!(window.above, above);
            assert!(window.ascending && window.limit == 50);
            let again = position(&iterator(window.above)).expect("every position has a name");
            assert_eq!(again, window.above);
        }
    }

    #[test]
    fn what_can_not_be_asked_is_refused() {
        for (limit, iterator) in [
            (Some(0), None),
            (Some(251), None),
            (None, Some("")),
            (None, Some("-msg_000000000000000000000000000")),
            (None, Some("app_000000000000000000000000000")),
            (None, Some("msg_zzzzzzzzzzzzzzzzzzzzzzzzzzz")),
        ] {
            let input = FollowInput {
                limit,
                iterator: iterator.map(str::to_owned),
                ..FollowInput::default()
            };
            assert!(matches!(window(input), Err(AppError::Invalid(_))));
        }
    }
}
