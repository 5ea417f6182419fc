"""Looks for holes in the API: Schemathesis makes requests from the server's own OpenAPI document,
some that keep it and some that break it, and holds every answer against it, with all its checks.

`holes.py [OPTION OF SCHEMATHESIS]…`, with SERVER_URL and TOKEN in the environment. Below is what
the document can't say, each with its reason: nothing else is passed over.
"""

import json
import os
import sys
import tempfile
from urllib.request import Request, urlopen

import schemathesis
from schemathesis.cli import schemathesis as command_line

SERVER = os.environ["SERVER_URL"]
TOKEN = os.environ["TOKEN"]
DOCUMENT = f"{SERVER}/api/v1/openapi.json"

# What one run does: as much on every machine, and the same each time.
SEED = "1"
EXAMPLES = os.environ.get("EXAMPLES", "10")
# Longer than this, nothing may take: a test attempt waits for a receiver that is not there.
SECONDS_PER_ANSWER = "45"

REFUSED_ALTHOUGH_VALID = "RejectedPositiveData"
TAKEN_ALTHOUGH_WRONG = "AcceptedNegativeData"
NOT_THERE_ALTHOUGH_MADE = "EnsureResourceAvailability"


def said(code):
    """It could be read, and this code says what is in the way."""
    return lambda answer: answer.status_code == 400 and answer.json()["code"] == code


def broken(text, **rule):
    """A rule is broken of which this is said."""

    def is_said(one):
        return rule.items() <= one.items() and text in one["msg"]

    return is_said


def within(status):
    """At least one of many has this status, each of which is answered by itself."""

    def is_said(answer):
        results = answer.json().get("results") if answer.status_code == 202 else None
        return isinstance(results, list) and any(one["status"] == status for one in results)

    return is_said


REPLAYS = ["v1.endpoint.bulk-replay", "v1.endpoint.recover", "v1.endpoint.replay-missing"]
RESEND = "v1.message-attempt.resend"
EXAMPLE = "v1.endpoint.send-example"
OPERATORS_EXAMPLE = "v1.operational-webhook.endpoint.send-example"
ENCRYPTION = "v1.endpoint.set-encryption"
OAUTH = "v1.endpoint.set-oauth-config"
CONNECTION = ["v1.endpoint.set-server-ca", "v1.endpoint.set-mtls-config"]
TRIAL = "v1.message.test-attempt"
USAGE = "v1.statistics.aggregate-app-stats"
COUNTS = ["v1.application.stats.attempts", "v1.endpoint.get-stats", "v1.stats.app-attempts"]
IMPORT = "v1.event-type.import-openapi"
SET_AUTH, SET_SIGNATURE = "v1.endpoint.set-auth", "v1.endpoint.set-signature"
SIGNATURE = [SET_SIGNATURE, "v1.endpoint.delete-signature"]
CHALLENGE = "v1.endpoint.send-challenge"
# What is sent to one endpoint alone.
SENDING = [*REPLAYS, RESEND, EXAMPLE, OPERATORS_EXAMPLE, TRIAL]
# Whose bodies may bring an application.
BRINGING = [
    "v1.authentication.app-portal-access",
    "v1.message.create",
    "v1.message.create-batch",
]

# Whose bodies may bring an endpoint's secret.
NEW_SECRET = [
    "v1.endpoint.create",
    "v1.endpoint.rotate-secret",
    "v1.operational-webhook.endpoint.create",
    "v1.operational-webhook.endpoint.rotate-secret",
    "v1.operational-webhook.endpoint.upsert",
]

# One shape for sources of all types.
SOURCES = ["v1.ingest.source.create", "v1.ingest.source.upsert"]

# Parts of a thing that are not there before somebody sets them.
UNSET = [
    "v1.event-type.get-redaction",
    *(
        f"v1.endpoint.get-{part}"
        for part in [
            "auth",
            "encryption",
            "mtls",
            "mtls-2",
            "oauth",
            "oauth-2",
            "payload",
            "pins",
            "redaction",
            "server-ca",
            "signature",
        ]
    ),
]

# What is in the way as things stand: of which operations, which code says so, and why.
AS_THINGS_STAND = [
    ([*SENDING, CHALLENGE], "endpoint_disabled", "the endpoint is disabled"),
    (SENDING, "endpoint_not_verified", "whether its receiver has said that it wants to be called"),
    ([RESEND], "missing_payload", "the payload has expired, or was removed"),
    ([EXAMPLE], "invalid_scheme", "the event type has no such example"),
    (COUNTS, "invalid_range", "which of two times comes first, and how far they are apart"),
    (SIGNATURE, "secret_unsuitable", "of which kind the endpoint's secret is"),
    ([SET_AUTH, SET_SIGNATURE], "header_taken", "which header another part is in"),
    (["v1.ingest.source.rotate-token"], "no_ingest_url", "whether anything arrives at the source"),
    (["v1.endpoint.set-payload"], "public_url_missing", "whether it is known where it is reached"),
    ([IMPORT], "invalid_spec", "one of two fields must be given, and not both"),
]

# What a rule hangs on that no schema can say: of which operations, the rule, and why.
BEYOND_SCHEMAS = [
    (BRINGING, broken("", type="application_uid_mismatch"), "which applications are there"),
    (BRINGING, broken("", type="application_uid_missing"), "which applications are there"),
    (
        ["v1.message.create", "v1.message.broadcast", TRIAL],
        broken("by which endpoints prove themselves", loc=["body", "eventType"]),
        "which word is kept, and has been seen in what was sent",
    ),
    (
        ["v1.message.create", TRIAL],
        broken("30 days ahead", loc=["body", "deliverAt"]),
        "what time it is",
    ),
    (
        [*REPLAYS, USAGE],
        broken("must not be after", loc=["body", "since"]),
        "which of two times comes first",
    ),
    (
        [*REPLAYS, USAGE],
        broken("days before `until`", loc=["body", "since"]),
        "how far two times are apart",
    ),
    (
        [USAGE],
        broken("no application has", loc=["body", "appIds"]),
        "which applications are there",
    ),
    (
        ["v1.delivery.list"],
        broken("give `app_id` as well", loc=["query", "endpoint_id"]),
        "which parameters only mean something with another",
    ),
    (
        ["v1.endpoint.create", "v1.endpoint.update", "v1.endpoint.patch"],
        broken("don't exist", loc=["body", "eventTypes"]),
        "which event types are there",
    ),
    (
        SOURCES,
        lambda one: one["loc"][:2] in (["body", "config"], ["body", "type"]),
        "what of a configuration means something for which type, and which texts are keys",
    ),
    (
        [IMPORT],
        broken("is neither JSON nor YAML", loc=["body", "specRaw"]),
        "what is written in a text",
    ),
    (
        [IMPORT],
        broken("is no OpenAPI document", loc=["body", "specRaw"]),
        "what is written in a text",
    ),
    (
        [IMPORT],
        broken("is no OpenAPI document", loc=["body", "spec"]),
        "what another document may be",
    ),
    (
        [*NEW_SECRET, "v1.message.listen", SET_AUTH],
        broken("are not the public key"),
        "whether the two halves of a key belong together",
    ),
    ([ENCRYPTION], broken("", loc=["body", "jwk"]), "which numbers make a key"),
    (
        [ENCRYPTION],
        broken("says that it is for", loc=["body", "alg"]),
        "whether two fields say the same",
    ),
    (
        [name for name in NEW_SECRET if name.endswith("rotate-secret")],
        broken("", loc=["body", "key"]),
        "by which scheme the endpoint's deliveries are signed",
    ),
    ([SET_AUTH], broken("", loc=["body", "key"]), "for which of two algorithms a key is"),
    (
        [SET_SIGNATURE],
        broken("once each", loc=["body", "template"]),
        "how often a name is in a text",
    ),
    (
        [SET_SIGNATURE],
        broken("between two values", loc=["body", "template"]),
        "what stands between two names in a text",
    ),
    (
        [SET_SIGNATURE],
        broken("bytes long", loc=["body", "template"]),
        "how many bytes a text has",
    ),
    (
        [SET_SIGNATURE],
        broken("where the template holds", loc=["body", "timestampHeader"]),
        "what is in another text",
    ),
    (
        [SET_SIGNATURE],
        broken("not the signature's", loc=["body", "timestampHeader"]),
        "whether two texts are the same",
    ),
    (
        [OAUTH],
        broken("private key", loc=["body", "jwtParams", "secretBase64"]),
        "what is written in a text",
    ),
    (
        [*CONNECTION, "v1.endpoint.set-pins"],
        broken("is not https"),
        "where the endpoint leads",
    ),
    (
        ["v1.endpoint.update", "v1.endpoint.patch"],
        broken("must be https", loc=["body", "url"]),
        "what else is set of the endpoint",
    ),
    (
        ["v1.environment.set-alerts"],
        broken("no mail server is configured"),
        "what the operator has configured",
    ),
    (
        ["v1.environment.set-alerts"],
        broken("must be an e-mail address"),
        "how long the parts of a text are",
    ),
    (CONNECTION, broken("", loc=["body", "cert"]), "which texts are certificates"),
    (CONNECTION, broken("", loc=["body", "identity"]), "which texts are certificates and their key"),
]


def refused_with_reason(name, answer):
    """One of the reasons above holds for this operation, or some of the rules and no others."""
    codes = [said(code) for names, code, _ in AS_THINGS_STAND if name in names]
    if any(is_said(answer) for is_said in codes):
        return True
    rules = [is_said for names, is_said, _ in BEYOND_SCHEMAS if name in names]
    found = answer.json()["detail"] if answer.status_code == 422 else []
    return bool(found) and all(any(is_said(one) for is_said in rules) for one in found)


def is_meant(failure, name, answer):
    """Whether that is no failure, but what is meant."""
    if failure == REFUSED_ALTHOUGH_VALID:
        return refused_with_reason(name, answer)
    if failure == NOT_THERE_ALTHOUGH_MADE:
        return name in UNSET
    # Each message of a batch is refused by itself.
    is_batch = failure == TAKEN_ALTHOUGH_WRONG and name == "v1.message.create-batch"
    return is_batch and within(422)(answer)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    name = case.operation.definition.raw["operationId"]
    return not is_meant(type(failure).__name__, name, response)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Whoever waits for something may say how long: here nothing is worth waiting for."""
    name, body = case.operation.definition.raw["operationId"], case.body
    if name in WAITS and isinstance(body, dict) and body.get(WAITS[name]) in (None, *range(1, 21)):
        body[WAITS[name]] = 0


# The field that says it, in seconds.
WAITS = {"v1.message.listen": "waitSeconds"}


@schemathesis.auth(refresh_interval=None)
class Token:
    """The organisation's, but where it would end: a token of an application's there, for once."""

    def get(self, case, context):
        if case.operation.path.endswith("/auth/logout"):
            return asked("POST", "/auth/app-portal-access/once", {"application": ONCE})["token"]
        return TOKEN

    def set(self, case, token, context):
        case.headers["Authorization"] = f"Bearer {token}"


ONCE = {"name": "once", "uid": "once"}


def asked(method, path, body):
    """What the server answers."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    url = f"{SERVER}/api/v1{path}"
    request = Request(url, json.dumps(body).encode(), headers, method=method)
    with urlopen(request) as answer:
        return json.load(answer)


def main():
    arguments = ["--checks", "all", "--continue-on-failure", "--no-color"]
    arguments += ["--seed", SEED, "--max-examples", EXAMPLES, "--generation-database", "none"]
    arguments += ["--max-response-time", SECONDS_PER_ANSWER, "--warnings", "off"] + sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        command_line(["run", DOCUMENT, *arguments])


if __name__ == "__main__":
    main()
