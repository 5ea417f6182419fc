//! What an operation takes and answers, read from the types of its handler: each extractor and each
//! kind of answer says here what it is. So the document can't differ from the code.

use crate::Shared;
use crate::authentication::Authenticated;
use crate::body::{Call, NoBody, Posted};
use crate::problem::Problem;
use crate::query::{FromQuery, Pairs, Parameter, Query};
use crate::render::SizedJson;
use crate::segments::Segments;
use axum::Json;
use axum::extract::State;
use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

/// Where schemas of types are found in the document.
const SCHEMAS: &str = "/components/schemas";

/// Describes operations one after the other, and keeps the schemas that several share.
pub(crate) struct Describer {
    taken: SchemaGenerator,
    answered: SchemaGenerator,
    pub(crate) signature: Signature,
}

/// What one operation takes and answers.
#[derive(Default)]
pub(crate) struct Signature {
    /// The query's parameters.
    pub(crate) query: Vec<Parameter>,
    /// The body.
    pub(crate) body: Option<Schema>,
    /// Whether it looks at an idempotency key.
    pub(crate) keyed: bool,
    /// The answers, by status, with their bodies.
    pub(crate) answers: Vec<(u16, Option<Schema>)>,
}

impl Describer {
    pub(crate) fn new() -> Self {
        let generator = |contract| {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = SCHEMAS.into();
                settings.contract = contract;
                settings.meta_schema = None;
            });
            settings.into_generator()
        };
        Self {
            taken: generator(Contract::Deserialize),
            answered: generator(Contract::Serialize),
            signature: Signature::default(),
        }
    }

    /// What a handler with this description has.
    pub(crate) fn of(&mut self, describe: fn(&mut Self)) -> Signature {
        describe(self);
        std::mem::take(&mut self.signature)
    }

    /// The schemas that were named, under their names.
    pub(crate) fn into_schemas(mut self) -> Map<String, Value> {
        let mut all = self.taken.take_definitions(true);
        for (name, schema) in self.answered.take_definitions(true) {
            let other = all.insert(name.clone(), schema.clone());
            assert!(
                other.is_none_or(|other| other == schema),
                "two shapes are called {name}"
            );
        }
        all
    }

    /// The shape of a part of an answer.
    pub(crate) fn shape<T: JsonSchema>(&mut self) -> Value {
        self.answered.subschema_for::<T>().into()
    }

    pub(crate) fn answer<B: Content>(&mut self, status: u16) {
        let schema = B::schema(&mut self.answered);
        self.signature.answers.push((status, schema));
    }
}

/// A handler whose types say what it takes and answers. `T` is what tells handlers of different
/// arguments apart, as it does for [`axum::handler::Handler`].
pub(crate) trait Described<T> {
    /// Says it.
    fn describe(describer: &mut Describer);
}

/// A part of a request.
pub(crate) trait Input {
    /// Says what it takes.
    fn describe(describer: &mut Describer);
}

/// An answer.
pub(crate) trait Output {
    /// Says which statuses it has, and what bodies.
    fn describe(describer: &mut Describer);
}

/// The body of an answer.
pub(crate) trait Content {
    /// What it is, if there is one.
    fn schema(schemas: &mut SchemaGenerator) -> Option<Schema>;
}

macro_rules! described {
    ($($input:ident)*) => {
        impl<Handler, Answer, Answered, Via, $($input),*> Described<(Via, $($input,)*)> for Handler
        where
            Handler: FnOnce($($input),*) -> Answer,
            Answer: Future<Output = Answered>,
            Answered: Output,
            $($input: Input,)*
        {
            fn describe(describer: &mut Describer) {
                $($input::describe(describer);)*
                Answered::describe(describer);
            }
        }
    };
}

described!();
described!(A);
described!(A B);
described!(A B C);
described!(A B C D);

impl Input for State<Shared> {
    fn describe(_: &mut Describer) {}
}

impl Input for Authenticated {
    fn describe(_: &mut Describer) {}
}

// The path names its open parts itself.
impl<T> Input for Segments<T> {
    fn describe(_: &mut Describer) {}
}

impl<T: FromQuery> Input for Query<T> {
    fn describe(describer: &mut Describer) {
        describer.signature.query.extend(Pairs::asked_for::<T>());
    }
}

impl<T: JsonSchema> Input for Call<T> {
    fn describe(describer: &mut Describer) {
        describer.signature.keyed = true;
        describer.signature.body = Some(describer.taken.subschema_for::<T>());
    }
}

impl<T: JsonSchema> Input for Posted<T> {
    fn describe(describer: &mut Describer) {
        describer.signature.body = Some(describer.taken.subschema_for::<T>());
    }
}

impl Input for Call<NoBody> {
    fn describe(describer: &mut Describer) {
        describer.signature.keyed = true;
    }
}

impl<T: Output> Output for Result<T, Problem> {
    fn describe(describer: &mut Describer) {
        T::describe(describer);
    }
}

impl<T: JsonSchema> Content for Json<T> {
    fn schema(schemas: &mut SchemaGenerator) -> Option<Schema> {
        Some(schemas.subschema_for::<T>())
    }
}

impl<T: JsonSchema> Content for SizedJson<T> {
    fn schema(schemas: &mut SchemaGenerator) -> Option<Schema> {
        Some(schemas.subschema_for::<T>())
    }
}

impl<T: JsonSchema> Output for Json<T> {
    fn describe(describer: &mut Describer) {
        describer.answer::<Self>(200);
    }
}

/// The statuses of an answer that has several, or another than 200.
macro_rules! statuses {
    ($($answer:ident: $($status:literal)*;)*) => {$(
        impl<B: Content> Output for crate::render::$answer<B> {
            fn describe(describer: &mut Describer) {
                $(describer.answer::<B>($status);)*
            }
        }
    )*};
}

statuses! {
    Created: 201;
    Accepted: 202;
    SavedOut: 200 201;
}

/// No body.
pub(crate) struct Empty;

impl Content for Empty {
    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl Output for crate::render::NoContent {
    fn describe(describer: &mut Describer) {
        describer.answer::<Empty>(204);
    }
}
