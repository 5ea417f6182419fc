"""Runs a receiver's example of the documentation over requests that arrived.

EXAMPLE is its text, GIVEN what it expects to be there already, as JSON, and CALL how it is called
with what is known of a request. Each line of standard input is a request, with what the call gives
back: null where it refuses, which it does by an error, by false or by nothing.
"""

import json
import os
import sys
from base64 import b64decode
from email.message import Message

names = json.loads(os.environ["GIVEN"])
exec(compile(os.environ["EXAMPLE"], "the example", "exec"), names)

judged = 0
for line in sys.stdin:
    one = json.loads(line)
    headers = Message()  # as http.server has them
    for name, value in one["headers"].items():
        headers[name] = value
    names.update(headers=headers, body=b64decode(one["body"]))
    names.update(method=one["method"], path=one["path"])
    why = None
    try:
        gave = eval(os.environ["CALL"], names) or None
    except Exception as error:
        gave, why = None, error
    assert gave == one["gives"], f"gave {gave!r} ({why!r}), not {one['gives']!r}, of {line}"
    judged += 1
print(f"judged: {judged}")
