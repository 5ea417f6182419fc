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


def as_things_stand(answer):
    """It could be read, and its code says what is in the way."""
    return answer.status_code == 400 and answer.json()["code"] != "generic_error"


def broken(text="", **rule):
    """A rule is broken of which this is said."""

    def is_said(one):
        return rule.items() <= one.items() and text in one["msg"]

    return is_said


def beyond_schemas(answer):
    """Some of the rules below are broken, and no others."""
    rules = answer.json()["detail"] if answer.status_code == 422 else []
    return rules and all(any(is_said(one) for is_said, _ in BEYOND_SCHEMAS) for one in rules)


def within(status):
    """At least one of many has this status, each of which is answered by itself."""

    def is_said(answer):
        results = answer.json().get("results") if answer.status_code == 202 else None
        return isinstance(results, list) and any(one["status"] == status for one in results)

    return is_said


# What a rule hangs on that no schema can say.
BEYOND_SCHEMAS = [
    (broken(type="application_uid_mismatch"), "which applications are there"),
    (broken("30 days ahead", loc=["body", "deliverAt"]), "what time it is"),
    (broken("must not be after"), "which of two times comes first"),
    (broken("days before `until`"), "how far two times are from each other"),
    (broken("give `app_id` as well"), "which parameters only mean something with another"),
    (broken("don't exist", loc=["body", "eventTypes"]), "which event types are there"),
    (broken("no application has", loc=["body", "appIds"]), "which applications are there"),
    (broken(loc=["body", "specRaw"]), "what is written in a document within a text"),
    (broken("is no OpenAPI document", loc=["body", "spec"]), "what another document may be"),
    (broken("are not the public key"), "whether the two halves of a key belong together"),
]

# Which failures are none: what is meant by an answer, and why.
BEYOND_THE_DOCUMENT = {
    REFUSED_ALTHOUGH_VALID: [
        (as_things_stand, "what is there already, and how it stands"),
        (beyond_schemas, "rules that no schema can say"),
    ],
    TAKEN_ALTHOUGH_WRONG: [
        (within(422), "that each message of a batch is refused by itself"),
    ],
}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    rules = BEYOND_THE_DOCUMENT.get(type(failure).__name__, [])
    return not any(is_meant(response) for is_meant, _ in rules)


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
