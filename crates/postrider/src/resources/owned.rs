//! The endpoints of a source, and of the operator: nine commands that differ in their names, in
//! their paths, and in what says whose they are. All else is done as with those of any
//! application, by the noun `endpoint`.

use super::{Kind, Operation, Parameter};

/// The nine commands.
pub(super) struct Endpoints {
    pub(super) list: Operation,
    pub(super) get: Operation,
    pub(super) create: Operation,
    pub(super) put: Operation,
    pub(super) delete: Operation,
    pub(super) headers: Operation,
    pub(super) set_headers: Operation,
    pub(super) secret: Operation,
    pub(super) rotate_secret: Operation,
}

pub(super) const ID: Parameter = Parameter::target("id", "The endpoint, by id or uid");
pub(super) const URL: Parameter =
    Parameter::body("url", "url", Kind::Text, "Where to deliver").required();
pub(super) const UID: Parameter = Parameter::body("uid", "uid", Kind::Text, "Your own id of it");
pub(super) const DESCRIPTION: Parameter =
    Parameter::body("description", "description", Kind::Text, "What it is for");
pub(super) const DISABLED: Parameter =
    Parameter::body("disabled", "disabled", Kind::Bool, "Deliver nothing to it");
pub(super) const RATE: Parameter = Parameter::body(
    "rate-limit",
    "throttleRate",
    Kind::Number,
    "Attempts a second to it, at the most",
);
pub(super) const METADATA: Parameter = Parameter::body(
    "metadata",
    "metadata",
    Kind::Pairs,
    "What you want to remember of it (repeatable)",
);
pub(super) const SECRET_FILE: Parameter = Parameter::body(
    "secret-file",
    "secret",
    Kind::SecretFile,
    "File with what to sign with (whsec_… or whsk_…), or -; otherwise one is made",
);
pub(super) const HEADERS_FILE: Parameter =
    Parameter::whole("file", "File with {\"headers\": {…}} as JSON, or -");
pub(super) const KEY_FILE: Parameter = Parameter::body(
    "secret-file",
    "key",
    Kind::SecretFile,
    "File with the new secret, or -; otherwise one is made",
);
pub(super) const GRACE: Parameter = Parameter::body(
    "grace-seconds",
    "gracePeriodSeconds",
    Kind::Number,
    "How long the old one signs as well; 0: not at all",
);

/// The commands. `typed` is how a command line begins, before the command's name; `whose` is what
/// it says of their owner, and `owner` the parameters for that; `more` is what they have besides.
macro_rules! endpoints {
    (
        typed: $typed:literal,
        whose: $whose:literal,
        path: $path:literal,
        owner: [$($owner:expr),*],
        more: [$($more:expr),*],
        columns: [$($column:expr),*],
        list: $list:literal, $about_list:literal;
        get: $get:literal, $about_get:literal;
        create: $create:literal, $about_create:literal;
        put: $put:literal;
        delete: $delete:literal, $about_delete:literal;
        headers: $headers:literal;
        set_headers: $set_headers:literal;
        secret: $secret:literal;
        rotate_secret: $rotate:literal;
    ) => {{
        use $crate::command::Column;
        use $crate::resources::owned::{
            DESCRIPTION, DISABLED, Endpoints, GRACE, HEADERS_FILE, ID, KEY_FILE, METADATA, RATE,
            SECRET_FILE, UID, URL,
        };
        use $crate::resources::{ORDER, Operation, Shows, Verb};
        macro_rules! typed {
            ($name:literal, $rest:literal) => {
                concat!("Example:\n  postrider ", $typed, " ", $name, $whose, $rest)
            };
        }
        const COLUMNS: &[Column] = &[
            Column::of("id", "id"),
            Column::of("uid", "uid"),
            Column::of("url", "url"),
            $($column,)*
            Column::of("disabled", "disabled"),
            Column::number("rate limit", "throttleRate"),
        ];
        Endpoints {
            list: Operation {
                name: $list,
                about: $about_list,
                examples: typed!($list, ""),
                verb: Verb::List,
                paths: &[$path],
                parameters: &[$($owner,)* ORDER],
                fixed: &[],
                shows: Shows::Rows { columns: COLUMNS, lean: false },
            },
            get: Operation {
                name: $get,
                about: $about_get,
                examples: typed!($get, " first"),
                verb: Verb::Get,
                paths: &[concat!($path, "/{id}")],
                parameters: &[ID, $($owner),*],
                fixed: &[],
                shows: Shows::Fields,
            },
            create: Operation {
                name: $create,
                about: $about_create,
                examples: typed!($create, " --url https://inner.example.com/in"),
                verb: Verb::Post,
                paths: &[$path],
                parameters: &[
                    $($owner,)* URL, UID, DESCRIPTION, $($more,)* DISABLED, RATE, METADATA,
                    SECRET_FILE,
                ],
                fixed: &[],
                shows: Shows::Fields,
            },
            put: Operation {
                name: $put,
                about: "Write one anew, but for its secret and headers",
                examples: typed!($put, " first --url https://inner.example.com/in"),
                verb: Verb::Put,
                paths: &[concat!($path, "/{id}")],
                parameters: &[
                    ID, $($owner,)* URL, UID, DESCRIPTION, $($more,)* DISABLED, RATE, METADATA,
                ],
                fixed: &[],
                shows: Shows::Fields,
            },
            delete: Operation {
                name: $delete,
                about: $about_delete,
                examples: typed!($delete, " first"),
                verb: Verb::Delete,
                paths: &[concat!($path, "/{id}")],
                parameters: &[ID, $($owner),*],
                fixed: &[],
                shows: Shows::Done("deleted"),
            },
            headers: Operation {
                name: $headers,
                about: "Show the headers that its requests carry, without the values of secret ones",
                examples: typed!($headers, " first"),
                verb: Verb::Get,
                paths: &[concat!($path, "/{id}/headers")],
                parameters: &[ID, $($owner),*],
                fixed: &[],
                shows: Shows::Fields,
            },
            set_headers: Operation {
                name: $set_headers,
                about: "Replace the headers that its requests carry",
                examples: typed!($set_headers, " first headers.json"),
                verb: Verb::Put,
                paths: &[concat!($path, "/{id}/headers")],
                parameters: &[ID, $($owner,)* HEADERS_FILE],
                fixed: &[],
                shows: Shows::Done("set the headers of"),
            },
            secret: Operation {
                name: $secret,
                about: "Print what its deliveries are signed with",
                examples: typed!($secret, " first > secret.txt"),
                verb: Verb::Get,
                paths: &[concat!($path, "/{id}/secret")],
                parameters: &[ID, $($owner),*],
                fixed: &[],
                shows: Shows::Text { field: "key", lean: false },
            },
            rotate_secret: Operation {
                name: $rotate,
                about: "Give it a new secret; the old one signs on for a while",
                examples: typed!($rotate, " first --grace-seconds 3600"),
                verb: Verb::Post,
                paths: &[concat!($path, "/{id}/secret/rotate")],
                parameters: &[ID, $($owner,)* KEY_FILE, GRACE],
                fixed: &[],
                shows: Shows::Done("rotated the secret of"),
            },
        }
    }};
}

pub(super) use endpoints;
