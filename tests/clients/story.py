"""The whole life of an application through the published PyPI client `svix`, unmodified: create,
send, look up, rotate, resend, recover, delete. What arrives is verified with the published package
`standardwebhooks`.

SERVER_URL and TOKEN say where. The server tries twice, a second apart.
"""

import base64
import json
import os
import uuid
from datetime import datetime, timedelta, timezone
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from methods import Recording, forgotten
from receiver import Receiver, eventually
from standardwebhooks import Webhook, WebhookVerificationError
from svix import Svix, SvixOptions
from svix.api import (
    ApplicationIn,
    ApplicationListOptions,
    BackgroundTaskListOptions,
    EndpointHeadersIn,
    EndpointHeadersPatchIn,
    EndpointIn,
    EndpointPatch,
    EndpointSecretRotateIn,
    EndpointUpsertIn,
    EventTypeIn,
    EventTypeListOptions,
    EventTypeUpsertIn,
    MessageAttemptListAttemptedMessagesOptions,
    MessageAttemptListByEndpointOptions,
    MessageAttemptListByMsgOptions,
    MessageCreateOptions,
    MessageIn,
    MessageListOptions,
    RecoverIn,
)
from svix.api.ingest_source import IngestSourceListOptions
from svix.api.message import MessageGetOptions, message_in_raw
from svix.exceptions import HttpError, HTTPValidationError
from svix.models import (
    ApplicationPatch,
    ApplicationTokenExpireIn,
    AppPortalAccessIn,
    AppUsageStatsIn,
    BackgroundTaskStatus,
    BackgroundTaskType,
    BulkExpungeContentsIn,
    BulkReplayIn,
    CronConfig,
    EnvironmentIn,
    EventExampleIn,
    EventTypeImportOpenApiIn,
    EventTypePatch,
    IngestEndpointHeadersIn,
    IngestEndpointIn,
    IngestEndpointSecretIn,
    IngestEndpointUpsertIn,
    IngestSourceConsumerPortalAccessIn,
    IngestSourceIn,
    MessagePrecheckIn,
    MessageStatus,
    OperationalWebhookEndpointHeadersIn,
    OperationalWebhookEndpointIn,
    OperationalWebhookEndpointSecretIn,
    OperationalWebhookEndpointUpsertIn,
    Ordering,
    ReplayIn,
    StatusCodeClass,
    StripeConfig,
    SvixConfig,
)


def connect(server_url, token=os.environ["TOKEN"]):
    return Svix(token, SvixOptions(server_url=server_url, retry_schedule=[0.05]))


called = set()
client = Recording(connect(os.environ["SERVER_URL"]), called)
receiver = Receiver()
APP = "python-shop"  # the application's uid
THEIRS = "whsec_" + base64.b64encode(bytes([9] * 24)).decode()  # a sender's secret
BEGAN = datetime.now(timezone.utc) - timedelta(minutes=1)


def refused(status, call, *arguments):
    try:
        answer = call(*arguments)
    except (HttpError, HTTPValidationError) as error:
        assert error.status_code == status, f"{error.status_code}, not {status}: {error}"
        return error
    raise AssertionError(f"should have been refused with {status}: {answer}")


def message(event_type="invoice.paid", payload=None, **fields):
    return MessageIn(event_type=event_type, payload=payload or {}, **fields)


def secret(endpoint):
    return client.endpoint.get_secret(APP, endpoint).key


def ids(page):
    return [item.id for item in page.data]


def applications():
    made = client.application.create(ApplicationIn(name="Shop", uid=APP, metadata={"plan": "gold"}))
    assert made.id.startswith("app_") and len(made.id) == 31, made
    assert (made.name, made.uid, made.metadata) == ("Shop", APP, {"plan": "gold"})
    again = client.application.get_or_create(ApplicationIn(name="Other", uid=APP))
    assert (again.id, again.name) == (made.id, "Shop")
    conflict = refused(409, client.application.create, ApplicationIn(name="x", uid=APP))
    assert conflict.code == "conflict"
    refused(422, client.application.create, ApplicationIn(name=""))

    assert client.application.get(APP).id == made.id
    assert client.application.patch(made.id, ApplicationPatch(name="The Shop")).name == "The Shop"
    whole = client.application.upsert(APP, ApplicationIn(name="Shop", uid=APP, throttle_rate=900))
    assert (whole.id, whole.throttle_rate, whole.metadata) == (made.id, 900, {})
    other = client.application.create(ApplicationIn(name="Other"))
    page = client.application.list(ApplicationListOptions(limit=1))
    while not page.done:
        last = page
        page = client.application.list(ApplicationListOptions(limit=1, iterator=page.iterator))
        assert ids(page) != ids(last), "the pages move on"
    assert ids(page) == [other.id], "oldest first"
    client.application.delete(other.id)
    refused(404, client.application.get, other.id)


def event_types():
    schema = {"1": {"type": "object", "properties": {"id": {"type": "string"}}}}
    made = client.event_type.create(
        EventTypeIn(
            name="invoice.paid",
            description="An invoice was paid",
            schemas=schema,
            group_name="invoice",
        )
    )
    assert (made.name, made.group_name) == ("invoice.paid", "invoice")
    client.event_type.create(EventTypeIn(name="invoice.lost", description="Lost"))
    twice = EventTypeIn(name="invoice.lost", description="x")
    assert refused(409, client.event_type.create, twice).code == "event_type_exists"
    assert client.event_type.get("invoice.paid").schemas == schema
    patched = client.event_type.patch("invoice.lost", EventTypePatch(description="Gone"))
    assert patched.description == "Gone"
    client.event_type.upsert("invoice.sent", EventTypeUpsertIn(description="Sent"))

    def names(**options):
        return [one.name for one in client.event_type.list(EventTypeListOptions(**options)).data]

    assert names() == ["invoice.lost", "invoice.paid", "invoice.sent"]
    client.event_type.delete("invoice.sent")
    assert names() == ["invoice.lost", "invoice.paid"]
    assert names(include_archived=True) == ["invoice.lost", "invoice.paid", "invoice.sent"]

    spec = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "webhooks": {"invoice.sent": {"post": {"description": "It was sent"}}},
    }
    foreseen = client.event_type.import_openapi(EventTypeImportOpenApiIn(spec=spec, dry_run=True))
    assert [one.name for one in foreseen.data.to_modify] == ["invoice.sent"]
    assert names() == ["invoice.lost", "invoice.paid"]
    raw = EventTypeImportOpenApiIn(spec_raw=json.dumps(spec))
    assert client.event_type.import_openapi(raw).data.modified == ["invoice.sent"]
    assert client.event_type.get("invoice.sent").description == "It was sent"
    refused(400, client.event_type.import_openapi, EventTypeImportOpenApiIn())
    client.event_type.delete("invoice.sent")


def endpoints():
    main = EndpointIn(
        url=receiver.url("/main"),
        uid="main",
        description="all that is paid",
        event_types=["invoice.paid"],
        metadata={"team": "billing"},
        headers={"X-Shop": "one", "authorization": "Bearer of-the-shop"},
    )
    made = client.endpoint.create(APP, main)
    assert made.id.startswith("ep_") and len(made.id) == 30, made
    assert made.event_types == ["invoice.paid"]
    vip = EndpointIn(url=receiver.url("/vip"), uid="vip", channels=["vip"])
    client.endpoint.create(APP, vip)
    assert refused(409, client.endpoint.create, APP, vip).code == "conflict"
    unknown = EndpointIn(url=receiver.url("/"), event_types=["no.such"])
    error = refused(422, client.endpoint.create, APP, unknown)
    assert error.detail[0].loc == ["body", "eventTypes"], error
    refused(422, client.endpoint.create, APP, EndpointIn(url="http://10.1.2.3/"))

    assert client.endpoint.get(APP, "main").id == made.id
    assert [endpoint.uid for endpoint in client.endpoint.list(APP).data] == ["vip", "main"]
    key = secret("main")
    patched = client.endpoint.patch(APP, "main", EndpointPatch(description="paid"))
    assert (patched.description, patched.url) == ("paid", receiver.url("/main"))
    whole = EndpointUpsertIn(url=receiver.url("/main"), uid="main", event_types=["invoice.paid"])
    client.endpoint.upsert(APP, "main", whole)
    assert secret("main") == key, "an upsert keeps the secret"

    shown = client.endpoint.get_headers(APP, "main")
    assert (shown.headers, shown.sensitive) == ({"X-Shop": "one"}, ["authorization"])
    change = EndpointHeadersPatchIn(headers={"x-branch": "two"}, delete_headers=["authorization"])
    client.endpoint.patch_headers(APP, "main", change)
    shown = client.endpoint.get_headers(APP, "main")
    assert (shown.headers, shown.sensitive) == ({"X-Shop": "one", "x-branch": "two"}, [])
    client.endpoint.set_headers(APP, "main", EndpointHeadersIn(headers={"X-Shop": "three"}))
    bad = EndpointHeadersIn(headers={"webhook-id": "x"})
    refused(422, client.endpoint.set_headers, APP, "main", bad)


def messages_arrive_where_they_match_signed():
    payload = {"id": "inv_1", "amount": 12.5, "text": "größer – 10 €"}
    sent = client.message.create(APP, message(payload=payload, event_id="paid-1", tags=["june"]))
    assert sent.id.startswith("msg_") and len(sent.id) == 31, sent
    assert sent.payload == {}, "without content unless asked"
    got = receiver.next("/main", secret("main"))
    assert got.payload == payload
    assert got.headers["webhook-id"] == sent.id
    assert got.headers["content-type"] == "application/json"
    assert got.headers["x-shop"] == "three"
    assert "svix-id" not in got.headers

    assert refused(409, client.message.create, APP, message(event_id="paid-1")).code == "conflict"
    refused(404, client.message.create, "no-such-app", message())
    client.message.create(APP, message("invoice.lost", {"n": 2}, channels=["vip", "x"]))
    assert receiver.next("/vip", secret("vip")).payload == {"n": 2}
    raw = '{ "spelled":  1.50e2 }'
    client.message.create(APP, message_in_raw("invoice.paid", raw))
    assert receiver.next("/main", secret("main")).body == raw.encode()
    assert (receiver.waiting("/main"), receiver.waiting("/vip")) == (0, 0)


def an_idempotency_key_makes_one_message_of_two_calls():
    options = MessageCreateOptions(idempotency_key="python-once")
    first = client.message.create(APP, message(payload={"id": "inv_once"}), options)
    second = client.message.create(APP, message(payload={"id": "inv_once"}), options)
    assert second.id == first.id
    assert receiver.next("/main", secret("main")).headers["webhook-id"] == first.id
    assert receiver.waiting("/main") == 0
    refused(409, client.message.create, APP, message(payload={"id": "other"}), options)


def a_message_is_delivered_when_it_is_due():
    due = datetime.now(timezone.utc) + timedelta(seconds=1.5)
    sent = client.message.create(APP, message(payload={"late": 1}, deliver_at=due))
    assert sent.deliver_at == due, f"{sent.deliver_at} is not {due}"
    got = receiver.next("/main", secret("main"))
    assert datetime.now(timezone.utc) >= due, "it came too early"
    assert got.headers["webhook-id"] == sent.id
    too_late = datetime.now(timezone.utc) + timedelta(days=31)
    refused(422, client.message.create, APP, message(deliver_at=too_late))


def messages_are_listed_and_found():
    everything = client.message.list(APP)
    assert ids(everything) == sorted(ids(everything), reverse=True), "newest first"
    assert (len(everything.data), everything.done) == (5, True)
    pages, options = [], MessageListOptions(limit=2)
    while True:
        page = client.message.list(APP, options)
        pages += ids(page)
        if page.done:
            break
        options = MessageListOptions(limit=2, iterator=page.iterator)
    assert pages == ids(everything)

    one = client.message.get(APP, "paid-1", MessageGetOptions(with_content=True))
    assert (one.payload["id"], one.tags) == ("inv_1", ["june"])
    assert client.message.get(APP, one.id).payload == {}

    def found(**options):
        return ids(client.message.list(APP, MessageListOptions(**options)))

    assert found(tag="june") == [one.id]
    assert len(found(channel="vip")) == 1
    assert len(found(event_types=["invoice.lost", "invoice.sent"])) == 1
    assert len(found(after=BEGAN)) == 5
    assert found(before=BEGAN) == []
    refused(404, client.message.get, APP, "msg_" + 27 * "0")


def attempts_can_be_looked_up_from_both_sides():
    attempts = client.message_attempt
    main = client.endpoint.get(APP, "main")

    def recorded():
        options = MessageAttemptListByMsgOptions(with_content=True)
        data = attempts.list_by_msg(APP, "paid-1", options).data
        assert len(data) == 1, data
        return data[0]

    attempt = eventually(recorded)
    assert attempt.id.startswith("atmpt_"), attempt
    assert (attempt.status, attempt.status_text, attempt.trigger_type) == (0, "success", 0)
    assert (attempt.response_status_code, attempt.response) == (200, "taken")
    assert (attempt.url, attempt.endpoint_id) == (receiver.url("/main"), main.id)
    assert attempts.get(APP, attempt.msg_id, attempt.id) == attempt

    def by_endpoint(**options):
        options = MessageAttemptListByEndpointOptions(**options)
        return attempts.list_by_endpoint(APP, "main", options).data

    def all_recorded():
        assert len(by_endpoint()) == 4

    eventually(all_recorded)
    [newest] = by_endpoint(with_msg=True, limit=1)
    assert newest.msg.id == newest.msg_id
    assert len(by_endpoint(status=MessageStatus.SUCCESS)) == 4
    assert by_endpoint(status=MessageStatus.FAIL) == []
    messages = attempts.list_attempted_messages(APP, "main").data
    assert len(messages) == 4
    assert all(one.status_text == "success" and one.next_attempt is None for one in messages)
    assert ids(attempts.list_attempted_destinations(APP, "paid-1")) == [main.id]


def a_rotated_secret_signs_beside_the_new_one_until_its_grace_ends():
    old = secret("main")
    fresh = client.endpoint.rotate_secret(APP, "main", EndpointSecretRotateIn()).key
    assert fresh != old and fresh == secret("main")
    client.message.create(APP, message(payload={"rotated": 1}))
    got = receiver.next("/main", fresh)
    assert len(got.headers["webhook-signature"].split(" ")) == 2
    Webhook(old).verify(got.body, got.headers)

    chosen = "whsec_" + base64.b64encode(bytes(24 * [7])).decode()
    rotation = EndpointSecretRotateIn(key=chosen, grace_period_seconds=0)
    assert client.endpoint.rotate_secret(APP, "main", rotation).key == chosen
    client.message.create(APP, message(payload={"rotated": 2}))
    last = receiver.next("/main", chosen)
    try:
        Webhook(fresh).verify(last.body, last.headers)
    except WebhookVerificationError:
        pass
    else:
        raise AssertionError("the old secret still signs")
    short = EndpointSecretRotateIn(key="whsec_short")
    refused(422, client.endpoint.rotate_secret, APP, "main", short)


def what_failed_is_resent_and_recovered_once_each():
    receiver.statuses["/flaky"] = 503
    flaky = EndpointIn(url=receiver.url("/flaky"), uid="flaky", event_types=["invoice.lost"])
    client.endpoint.create(APP, flaky)
    key = secret("flaky")
    sent = [client.message.create(APP, message("invoice.lost", {"n": n})).id for n in (1, 2, 3)]
    for _ in 2 * sent:
        receiver.next("/flaky", key)

    def stats_are(**expected):
        stats = client.endpoint.get_stats(APP, "flaky").model_dump()
        assert stats | expected == stats, f"{stats}, not {expected}"

    eventually(lambda: stats_are(fail=6, success=0))
    final = MessageAttemptListAttemptedMessagesOptions(status=MessageStatus.FAIL)
    failed = client.message_attempt.list_attempted_messages(APP, "flaky", final)
    assert sorted(ids(failed)) == sorted(sent)
    assert all(one.status_text == "fail" and one.next_attempt is None for one in failed.data)

    del receiver.statuses["/flaky"]
    client.message_attempt.resend(APP, sent[0], "flaky")
    assert receiver.next("/flaky", key).headers["webhook-id"] == sent[0]
    eventually(lambda: stats_are(success=1))
    options = MessageAttemptListByMsgOptions(endpoint_id="flaky")
    tries = client.message_attempt.list_by_msg(APP, sent[0], options).data
    assert [(one.trigger_type, one.response_status_code) for one in tries] == [(1, 200), (0, 503), (0, 503)]

    task = client.endpoint.recover(APP, "flaky", RecoverIn(since=BEGAN))
    assert task.id.startswith("qtask_"), task
    assert (task.status, task.task) == ("running", "endpoint.recover")
    again = [receiver.next("/flaky", key).headers["webhook-id"] for _ in (1, 2)]
    assert sorted(again) == sorted(sent[1:])
    eventually(lambda: stats_are(success=3, fail=6, pending=0, sending=0))
    refused(404, client.message_attempt.resend, APP, "msg_" + 27 * "0", "flaky")


def what_an_endpoint_never_got_is_sent_and_what_it_got_is_sent_again():
    other = client.application.create(ApplicationIn(name="Late")).id
    client.event_type.create(EventTypeIn(name="invoice.late", description="Before anybody asked"))
    sent = [client.message.create(other, message("invoice.late", {"n": n})).id for n in (1, 2, 3)]
    late = EndpointIn(url=receiver.url("/late"), uid="late", event_types=["invoice.late"])
    client.endpoint.create(other, late)
    key = client.endpoint.get_secret(other, "late").key

    def three():
        return sorted(receiver.next("/late", key).headers["webhook-id"] for _ in range(3))

    def finished(task_id):
        task = client.background_task.get(task_id)
        assert (task.status, task.data) == ("finished", {"messagesSent": 3}), task

    missing = client.endpoint.replay_missing(other, "late", ReplayIn(since=BEGAN))
    assert (missing.status, missing.task) == ("running", "endpoint.replay")
    assert three() == sorted(sent)
    eventually(lambda: finished(missing.id))

    def all_arrived():
        assert client.endpoint.get_stats(other, "late").success == 3

    eventually(all_arrived)
    again = BulkReplayIn(
        since=BEGAN,
        event_types=["invoice.late"],
        status=MessageStatus.SUCCESS,
        status_code_class=StatusCodeClass.CODE2XX,
    )
    bulk = client.endpoint.bulk_replay(other, "late", again)
    assert three() == sorted(sent)
    eventually(lambda: finished(bulk.id))
    options = BackgroundTaskListOptions(
        task=BackgroundTaskType.ENDPOINT_BULK_REPLAY, status=BackgroundTaskStatus.FINISHED
    )
    assert ids(client.background_task.list(options))[0] == bulk.id
    pending = BulkReplayIn(since=BEGAN, status=MessageStatus.PENDING)
    refused(422, client.endpoint.bulk_replay, other, "late", pending)
    client.application.delete(other)


def what_applications_use_is_counted_in_the_background():
    def result(begun):
        def finished():
            task = client.background_task.get(begun.id)
            assert task.status == "finished", task
            return task.data

        return eventually(finished)

    own = client.application.get(APP).id
    until = datetime.now(timezone.utc) + timedelta(hours=1)

    def counted():
        stats = [client.endpoint.get_stats(APP, one) for one in ids(client.endpoint.list(APP))]
        attempts = sum(one.success + one.fail for one in stats)
        some = AppUsageStatsIn(since=BEGAN, until=until, app_ids=[APP, "no-such"])
        begun = client.statistics.aggregate_app_stats(some)
        assert (begun.task, begun.unresolved_app_ids) == ("application.stats", ["no-such"]), begun
        entry = {"appId": own, "appUid": APP, "messageDestinations": attempts}
        data = result(begun)
        assert data == {"appStats": [entry]}, f"{data}, not {entry}"

    eventually(counted)
    nobody = AppUsageStatsIn(since=BEGAN, until=until, app_ids=["no-such"])
    refused(422, client.statistics.aggregate_app_stats, nobody)

    begun = client.statistics.aggregate_event_types()
    assert begun.task == "event-type.aggregate", begun
    [entry] = [one for one in result(begun)["event_types"] if one["appId"] == own]
    assert entry["explicitlySubscribedEventTypes"] == ["invoice.lost", "invoice.paid"], entry
    assert entry["hasCatchAllEndpoint"], "vip takes every type"


def an_example_is_sent_to_one_endpoint():
    client.endpoint.send_example(APP, "main", EventExampleIn(event_type="svix.ping"))
    assert receiver.next("/main", secret("main")).payload == {"success": True}
    for status, event_type in ((400, "invoice.lost"), (404, "no.such")):
        example = EventExampleIn(event_type=event_type)
        refused(status, client.endpoint.send_example, APP, "main", example)
    assert client.message.precheck(APP, MessagePrecheckIn(event_type="invoice.paid")).active


def what_is_stored_can_be_removed_for_good():
    for n in (1, 2, 3):
        client.message.create(APP, message(payload={"n": n}, event_id=f"gone-{n}"))
        receiver.next("/main", secret("main"))

    def content(event_id):
        return client.message.get(APP, event_id, MessageGetOptions(with_content=True)).payload

    def the_attempt():
        attempts = client.message_attempt.list_by_msg(APP, "gone-1").data
        assert len(attempts) == 1
        return attempts[0]

    # An attempt that is not recorded yet would be called off with the content.
    attempt = eventually(the_attempt)
    client.message.expunge_content(APP, "gone-1")
    assert content("gone-1") == {"expired": True}
    many = BulkExpungeContentsIn(ids=["gone-2", "no-such"])
    results = client.message.bulk_expunge_content(APP, many).results
    assert {name: status.value for name, status in results.items()} == {
        "gone-2": "expunged",
        "no-such": "not-found",
    }
    assert (content("gone-2"), content("gone-3")) == ({"expired": True}, {"n": 3})

    client.message_attempt.expunge_content(APP, "gone-1", attempt.id)
    gone = client.message_attempt.get(APP, "gone-1", attempt.id)
    assert gone.response == "EXPUNGED", gone

    other = client.application.create(ApplicationIn(name="Shredded")).id
    sent = client.message.create(other, message(payload={"n": 4}))
    purge = client.message.expunge_all_contents(other)
    assert purge.task == "application.purge_content", purge

    def purged():
        assert client.background_task.get(purge.id).data == {"messagesPurged": 1}

    eventually(purged)
    shredded = client.message.get(other, sent.id, MessageGetOptions(with_content=True))
    assert (shredded.payload, content("gone-3")) == ({"expired": True}, {"n": 3})
    client.application.delete(other)


def an_applications_own_token_reaches_what_is_its_own_until_it_is_ended():
    def own():
        access = client.authentication.app_portal_access(APP, AppPortalAccessIn())
        assert access.token not in access.url
        return Recording(connect(os.environ["SERVER_URL"], access.token), called)

    first, second = own(), own()
    assert first.application.get(APP).uid == APP
    refused(403, first.application.list)
    first.authentication.logout()
    eventually(lambda: refused(401, first.application.get, APP))
    assert second.application.get(APP).uid == APP
    client.authentication.expire_all(APP, ApplicationTokenExpireIn(expiry=0))
    eventually(lambda: refused(401, second.application.get, APP))


def what_is_deleted_is_gone_and_its_name_is_free():
    client.endpoint.delete(APP, "flaky")
    refused(404, client.endpoint.get, APP, "flaky")
    refused(404, client.message_attempt.list_by_endpoint, APP, "flaky")
    client.endpoint.create(APP, EndpointIn(url=receiver.url("/flaky"), uid="flaky"))
    client.application.delete(APP)
    refused(404, client.application.get, APP)
    refused(404, client.endpoint.list, APP)
    client.application.create(ApplicationIn(name="Shop", uid=APP))


def an_installation_is_carried_elsewhere_and_holds_payloads_against_their_schemas():
    schemas = {"1": {"type": "object", "required": ["id"]}}
    strict = EventTypeIn(name="carried.strict", description="", schemas=schemas)
    settings = {"enforceEventTypeSchemas": True}
    client.environment.import_(EnvironmentIn(event_types=[strict], settings=settings))
    exported = client.environment.export()
    assert exported.settings["enforceEventTypeSchemas"] is True, exported
    found = next(one for one in exported.event_types if one.name == strict.name)
    assert (found.schemas, exported.connectors) == (schemas, []), exported
    client.application.create(ApplicationIn(name="Carried", uid="carried"))

    def send(payload):
        return client.message.create("carried", MessageIn(event_type=strict.name, payload=payload))

    send({"id": 1})
    error = refused(422, send, {})
    assert error.detail[0].loc == ["body", "payload", "id"], error
    client.environment.import_(EnvironmentIn(settings={"enforceEventTypeSchemas": False}))
    send({})
    client.application.delete("carried")


def arrives(url, body, signed=None):
    """Sends what a source's sender would, signed as Svix signs; gives the status and the answer."""
    now = datetime.now(timezone.utc)
    event = f"evt_{uuid.uuid4()}"
    headers = {
        "content-type": "application/json",
        "svix-id": event,
        "svix-timestamp": str(int(now.timestamp())),
        "svix-signature": Webhook(THEIRS).sign(event, now, signed or body),
    }
    try:
        with urlopen(Request(url, body.encode(), headers)) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refusal:
        return refusal.code, json.load(refusal)


def sources():
    source, uid = client.ingest.source, "python-payments"
    stripe = StripeConfig(secret=THEIRS)
    notes = {"team": "billing"}
    made = source.create(
        IngestSourceIn(name="Cards", uid=uid, type="stripe", config=stripe, metadata=notes)
    )
    assert made.id.startswith("src_"), made
    assert (made.name, made.uid, made.type, made.metadata) == ("Cards", uid, "stripe", notes), made
    assert made.ingest_url.startswith(os.environ["SERVER_URL"]), made
    assert THEIRS not in made.model_dump_json(), made
    assert source.get(uid) == made

    body = IngestSourceIn(name="Payments", uid=uid, type="svix", config=SvixConfig(secret=THEIRS))
    assert refused(409, source.create, body).code == "conflict"
    whole = source.upsert(uid, body)
    assert (whole.id, whole.ingest_url) == (made.id, made.ingest_url), whole
    assert (whole.name, whole.type, whole.metadata) == ("Payments", "svix", {}), whole

    cron = CronConfig(schedule="0 3 * * *", payload="{}")
    nightly = source.create(IngestSourceIn(name="Nightly", type="cron", config=cron))
    assert (nightly.config, nightly.ingest_url) == (cron, None), nightly
    assert refused(400, source.rotate_token, nightly.id).code == "no_ingest_url"
    newest = IngestSourceListOptions(limit=1, order=Ordering.DESCENDING)
    first = source.list(newest)
    assert (ids(first), first.done) == ([nightly.id], False), first
    newest.iterator, newest.limit = first.iterator, None
    second = ids(source.list(newest))
    assert made.id in second and nightly.id not in second, second
    source.delete(nightly.id)
    refused(404, source.get, nightly.id)

    # Only who says so gets a source that verifies nothing.
    anybody = IngestSourceIn(name="Anybody", type="generic-webhook", config={})
    refused(422, source.create, anybody)
    anybody.config = {"unverified": True}
    made = source.create(anybody)
    assert source.get(made.id) == made
    assert (made.type, made.config) == ("generic-webhook", {}), made
    source.delete(made.id)


def what_a_source_takes_is_delivered_and_its_endpoints_are_its_own():
    source, endpoint = client.ingest.source, client.ingest.endpoint
    at = source.get("python-payments").id
    url, headers = receiver.url("/desk"), {"X-Desk": "one"}
    made = endpoint.create(
        at, IngestEndpointIn(url=url, uid="desk", metadata={"floor": "2"}, headers=headers)
    )
    assert made.id.startswith("ep_") and len(made.id) == 30, made
    assert (made.uid, made.metadata, made.disabled) == ("desk", {"floor": "2"}, False), made
    assert endpoint.get(at, "desk") == made
    assert endpoint.get_headers(at, "desk").headers == headers
    anew = IngestEndpointUpsertIn(url=url, uid="desk", description="All paid", throttle_rate=900)
    whole = endpoint.upsert(at, "desk", anew)
    assert (whole.id, whole.description) == (made.id, "All paid"), whole
    assert whole.throttle_rate == 900, whole
    headers = {"X-Desk": "two", "authorization": "Bearer x"}
    endpoint.set_headers(at, "desk", IngestEndpointHeadersIn(headers=headers))
    got = endpoint.get_headers(at, "desk")
    assert (got.headers, list(got.sensitive)) == ({"X-Desk": "two"}, ["authorization"]), got
    assert ids(endpoint.list(at)) == [made.id]

    chosen = "whsec_" + base64.b64encode(bytes([8] * 24)).decode()
    assert endpoint.get_secret(at, "desk").key != chosen
    rotation = IngestEndpointSecretIn(key=chosen, grace_period_seconds=0)
    endpoint.rotate_secret(at, "desk", rotation)
    assert endpoint.get_secret(at, "desk").key == chosen
    what_comes_to_it_arrives_at_its_desk(at, chosen)

    access = client.ingest.authentication.consumer_portal_access(
        at, IngestSourceConsumerPortalAccessIn(expiry=3600)
    )
    assert access.token not in access.url
    own = connect(os.environ["SERVER_URL"], access.token)
    assert own.endpoint.get(at, "desk").id == made.id
    refused(403, own.ingest.source.list)

    endpoint.delete(at, "desk")
    refused(404, endpoint.get, at, "desk")
    source.delete(at)
    refused(404, source.get, at)
    refused(404, client.application.get, at)


def what_comes_to_it_arrives_at_its_desk(at, key):
    source = client.ingest.source
    before = source.get(at).ingest_url
    paid = json.dumps({"type": "payment.made", "amount": 12})
    status, answer = arrives(before, paid)
    assert status == 200, answer
    got = receiver.next("/desk", key)
    assert (got.headers["webhook-id"], got.body.decode()) == (answer["id"], paid), got
    assert got.headers["x-desk"] == "two", got
    assert arrives(before, paid.replace("12", "13"), signed=paid)[0] == 401

    rotated = source.rotate_token(at).ingest_url
    assert rotated != before and source.get(at).ingest_url == rotated
    assert (arrives(before, paid)[0], arrives(rotated, paid)[0]) == (401, 200)
    receiver.next("/desk", key)


def whoever_runs_the_installation_is_told_what_happens_in_it():
    endpoint, url = client.operational_webhook.endpoint, receiver.url("/ops")
    types, headers = ["endpoint.created"], {"X-Desk": "one"}
    made = endpoint.create(
        OperationalWebhookEndpointIn(
            url=url, uid="ops", event_types=types, metadata={"floor": "1"}, headers=headers
        )
    )
    assert made.id.startswith("ep_") and len(made.id) == 30, made
    assert (made.uid, made.metadata, made.disabled) == ("ops", {"floor": "1"}, False), made
    assert made.event_types == types, made
    assert endpoint.get("ops") == made
    assert endpoint.get_headers("ops").headers == headers
    assert ids(endpoint.list()) == [made.id]
    unknown = OperationalWebhookEndpointIn(url=url, event_types=["invoice.paid"])
    refused(422, endpoint.create, unknown)
    anew = OperationalWebhookEndpointUpsertIn(
        url=url, uid="ops", description="All", event_types=types
    )
    whole = endpoint.upsert("ops", anew)
    assert (whole.id, whole.description) == (made.id, "All"), whole
    headers = {"X-Desk": "two", "authorization": "Bearer x"}
    endpoint.set_headers("ops", OperationalWebhookEndpointHeadersIn(headers=headers))
    got = endpoint.get_headers("ops")
    assert (got.headers, list(got.sensitive)) == ({"X-Desk": "two"}, ["authorization"]), got
    chosen = "whsec_" + base64.b64encode(bytes([7] * 24)).decode()
    assert endpoint.get_secret("ops").key != chosen
    rotation = OperationalWebhookEndpointSecretIn(key=chosen, grace_period_seconds=0)
    endpoint.rotate_secret("ops", rotation)
    assert endpoint.get_secret("ops").key == chosen

    watched = client.application.create(ApplicationIn(name="Watched", uid="python-watched"))
    hook = EndpointIn(url=receiver.url("/main"), uid="hook")
    hook = client.endpoint.create(watched.id, hook)
    got = receiver.next("/ops", chosen)
    assert got.headers["x-desk"] == "two", got
    data = {"appId": watched.id, "appUid": "python-watched"}
    data |= {"endpointId": hook.id, "endpointUid": "hook"}
    assert json.loads(got.body) == {"type": "endpoint.created", "data": data}, got
    client.application.delete(watched.id)
    endpoint.delete("ops")
    refused(404, endpoint.get, "ops")


def what_is_not_built_says_so():
    client.health.get()
    error = refused(501, client.endpoint.transformation.get, APP, "main")
    assert error.code and error.detail, error


def no_method_is_left_out_whose_operation_is_built():
    missing, silent, methods, built = forgotten(connect, called, os.environ["SERVER_URL"])
    assert (missing, silent) == ([], []), (missing, silent)
    print(f"{built} of {methods} methods have an operation that is built")


for chapter in (
    applications,
    event_types,
    endpoints,
    messages_arrive_where_they_match_signed,
    an_idempotency_key_makes_one_message_of_two_calls,
    a_message_is_delivered_when_it_is_due,
    messages_are_listed_and_found,
    attempts_can_be_looked_up_from_both_sides,
    a_rotated_secret_signs_beside_the_new_one_until_its_grace_ends,
    what_failed_is_resent_and_recovered_once_each,
    what_an_endpoint_never_got_is_sent_and_what_it_got_is_sent_again,
    what_applications_use_is_counted_in_the_background,
    an_example_is_sent_to_one_endpoint,
    what_is_stored_can_be_removed_for_good,
    an_applications_own_token_reaches_what_is_its_own_until_it_is_ended,
    what_is_deleted_is_gone_and_its_name_is_free,
    an_installation_is_carried_elsewhere_and_holds_payloads_against_their_schemas,
    sources,
    what_a_source_takes_is_delivered_and_its_endpoints_are_its_own,
    whoever_runs_the_installation_is_told_what_happens_in_it,
    what_is_not_built_says_so,
    no_method_is_left_out_whose_operation_is_built,
):
    chapter()
    print("ok", chapter.__name__, flush=True)
