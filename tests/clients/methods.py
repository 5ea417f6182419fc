"""Which operations the published PyPI client has methods for, found out from the client itself:
every method is called once against a server that only writes down what it is asked.

So that no method is forgotten: the story records what it calls, and is not done before it has called
each method whose operation the server's own document has.
"""

import inspect
import json
import re
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.request import urlopen


def is_resource(value):
    return type(value).__module__.startswith("svix.api.") and hasattr(value, "_client")


def methods_of(client, path=()):
    """Every method of a client, also of what it holds, as (path, method)."""
    for name in dir(client):
        if name.startswith("_") or (not path and name in ("with_auth_token",)):
            continue
        value = getattr(client, name)
        if inspect.ismethod(value):
            yield ".".join((*path, name)), value
        elif is_resource(value):
            yield from methods_of(value, (*path, name))


class Anything:
    """Stands for any argument: a name in a path, a body."""

    def __str__(self):
        return "x"

    def __format__(self, _):
        return "x"

    def model_dump_json(self, **_):
        return "{}"


class Recorder(BaseHTTPRequestHandler):
    """Answers everything with a refusal."""

    def answer(self):
        self.server.requests.append(f"{self.command} {self.path.split('?')[0]}")
        self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b'{"code":"recorded","detail":"only written down"}'
        self.send_response(400)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


def asked(make):
    """The operations that each method asks for, such as `GET /api/v1/app/x`."""
    server = HTTPServer(("127.0.0.1", 0), Recorder)
    server.requests = []
    Thread(target=server.serve_forever, daemon=True).start()
    found = {}
    for path, method in methods_of(make(f"http://127.0.0.1:{server.server_port}")):
        server.requests.clear()
        parameters = inspect.signature(method).parameters.values()
        needed = [one for one in parameters if one.default is one.empty]
        try:
            method(*(Anything() for _ in needed))
        except Exception:
            pass
        found[path] = list(server.requests)
    server.shutdown()
    return found


class Recording:
    """A client whose methods note that they were called and answered."""

    def __init__(self, client, called, path=()):
        self.__dict__.update(_client_=client, _called_=called, _path_=path)

    def __getattr__(self, name):
        value = getattr(self._client_, name)
        path = (*self._path_, name)
        if is_resource(value):
            return Recording(value, self._called_, path)
        if not inspect.ismethod(value):
            return value

        def call(*arguments, **named):
            answer = value(*arguments, **named)
            self._called_.add(".".join(path))
            return answer

        return call


def forgotten(make, called, server_url):
    """The methods that were not called though the server has their operation; those that asked for
    nothing; how many there are, and how many have an operation."""
    with urlopen(f"{server_url}/api/v1/openapi.json") as answer:
        paths = json.load(answer)["paths"]
    known = [
        re.compile(f"{method.upper()} {re.sub(r'{[^}]+}', '[^/]+', path)}")
        for path, item in paths.items()
        for method in item
    ]
    methods = asked(make)
    silent = [path for path, requests in methods.items() if not requests]
    built = [
        path
        for path, requests in methods.items()
        if any(one.fullmatch(request) for one in known for request in requests)
    ]
    missing = [path for path in built if path not in called]
    return missing, silent, len(methods), len(built)
