"""About 2,500 hostile inputs for the web process, by kind: bytes to send over one connection. The same for each seed.

This module is only the table; `benchmarks.hostile_inputs` sends it. Inputs are built when they are sent: together they
are a gigabyte.
"""

from __future__ import annotations

import base64
import json
import random
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from tests.support.hostile_documents import CASES

PERSONALITY = "whisper"
HOST = b"Host: localhost\r\n"
JSON, FORM, NDJSON = "application/json", "application/x-www-form-urlencoded", "application/x-ndjson"
LARGE_BYTES = 1_000_000  # below the default limit of a body
ROUTES = (
    f"/toil/{PERSONALITY}",
    f"/toil/{PERSONALITY}/check",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/read/page",
    "/conversations/abc/ratings",
)
MASK = b"\x01\x02\x03\x04"


@dataclass(frozen=True, slots=True)
class HostileInput:
    """`build` returns the bytes. `ends`: the client closes its side after them. `waits`: the service may wait for more
    until its read timeout; all others are answered at once.
    """

    kind: str
    name: str
    build: Callable[[], bytes]
    ends: bool = False
    waits: bool = False


Generator = Callable[[random.Random], Iterator[HostileInput]]
KINDS: dict[str, Generator] = {}


def register(kind: str) -> Callable[[Callable[[random.Random], Iterator[tuple[str, Callable[[], bytes]]]]], None]:
    """Registers a generator of names and inputs, each of which is answered at once."""

    def add(generate: Callable[[random.Random], Iterator[tuple[str, Callable[[], bytes]]]]) -> None:
        KINDS[kind] = lambda chance: (HostileInput(kind, name, build) for name, build in generate(chance))

    return add


def generate_all(seed: int = 1) -> Iterator[HostileInput]:
    """Yields all inputs. Their names begin with their numbers within the kind."""
    for kind, generate in KINDS.items():
        for number, each in enumerate(generate(random.Random(f"{seed} {kind}"))):
            yield replace(each, name=f"{number}: {each.name}")


def post(path: str, body: bytes, media_type: str = JSON, *, headers: bytes = b"") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n".encode()
    return head + HOST + b"Connection: close\r\n" + headers + b"\r\n" + body


def get(target: bytes, headers: bytes = b"") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n" + headers + b"\r\n"


def constant(value: bytes) -> Callable[[], bytes]:
    return lambda: value


# ---------------------------------------------------------------- HTTP


@register("mutated heads")
def mutated_heads(chance: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    whole = get(b"/describe?a=b", b"X-A: b\r\nAccept: */*\r\n")
    for number in range(500):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(data))
            act = chance.randrange(4)
            if act == 0:
                data[place] = chance.randrange(256)
            elif act == 1:
                del data[place : place + chance.randint(1, 8)]
            elif act == 2:
                data[place:place] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 8)))
            else:
                data[place:place] = data[: chance.randint(1, 40)]
        yield f"mutation {number}", constant(bytes(data) + b"\r\n\r\n")


@register("versions, targets and headers")
def heads(_chance: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for version in ("0.9", "1.2", "2.0", "3", "9.9", "1.1.1", "x", "", "1.1 ", "-1.1", "11"):
        yield f"version {version!r}", constant(f"GET / HTTP/{version}\r\nHost: localhost\r\n\r\n".encode())
    targets = (
        b"",
        b"*",
        b"/\xff\xfe",
        b"/%ff",
        b"/%00",
        b"/%",
        b"/%zz",
        b"//",
        b"///x",
        b"/..",
        b"/%2e%2e/",
        b"?",
        b"#",
    )
    targets += (b"http://", b"http://evil.example/", b"http://localhost/describe", b"ftp://x/", b"a:b", b"[::1", b"\\")
    targets += (b"/" + b"a/" * 8000, b"/?" + b"a=b&" * 4000, b"/" + b"x" * 200_000, b"/describe/" + b"%41" * 5000)
    for method, target in product((b"GET", b"POST", b"OPTIONS", b"CONNECT", b"BREW"), targets):
        head = method + b" " + target + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\nConnection: close\r\n\r\n"
        yield f"{method.decode()} {target[:30]!r}", constant(head)
    for name in (b"X-A", b"Cookie", b"Origin", b"Host", b"Accept-Language", b"Content-Type", b"Sec-Fetch-Site"):
        for value in (b"\xff\xfe", b"a\x00b", b"x" * 9000, b"x" * 500_000, b"\r\n b", b"=;=;" * 1000, b"\x7f", b"a\rb"):
            yield f"{name.decode()} {value[:20]!r}", constant(get(b"/describe", name + b": " + value + b"\r\n"))
    for count in (100, 129, 1000, 20_000):
        yield f"{count} headers", constant(get(b"/describe", b"".join(b"X-%d: a\r\n" % n for n in range(count))))


@register("framing")
def framing(_chance: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    lengths = (b"-1", b"+1", b"1 1", b"0x1", b"1e1", b"9" * 30, b"", b"x", b"1, 1", b"1,2", b"\xb2")
    for length in lengths:
        head = b"POST /toil/whisper HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
        yield f"length {length!r}", constant(head + b"Content-Length: " + length + b"\r\n\r\n{}")
    codings = (
        b"chunked",
        b"identity",
        b"gzip, chunked",
        b"chunked, gzip",
        b"xchunked",
        b"chunked, chunked",
        b"\x0bchunked",
    )
    chunks = (
        b"zz\r\n",
        b"-1\r\n",
        b"f" * 17 + b"\r\n",
        b"1\r\nabc",
        b"1;" + b"x" * 20_000 + b"\r\n",
        b"0\r\n" + b"A: b\r\n" * 5000,
    )
    for coding, chunk in product(codings, chunks):
        head = b"POST /toil/whisper HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nTransfer-Encoding: "
        yield f"{coding!r} {chunk[:9]!r}", constant(head + coding + b"\r\n\r\n" + chunk + b"\r\n\r\n")
        both = head + coding + b"\r\nContent-Length: 5\r\n\r\n" + chunk
        yield f"length and {coding!r} {chunk[:9]!r}", constant(both + b"\r\n\r\n")
    for expect in (b"tea", b"100-continue", b"100-continue, tea", b"\xff"):
        yield f"expects {expect!r}", constant(post("/toil/whisper", b"{}", headers=b"Expect: " + expect + b"\r\n"))
    for upgrade in (b"h2c", b"websocket", b"tls/1.3", b"\xff"):
        headers = b"Connection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n"
        yield f"upgrade to {upgrade!r}", constant(post("/toil/whisper", b"{}", headers=headers))
    for count in (2, 40, 400):
        pipeline = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
        yield f"{count} pipelined", constant(pipeline * (count - 1) + get(b"/healthz"))
        yield f"{count} pipelined, then nonsense", constant(pipeline * count + b"nonsense\r\n\r\n")


def half_sent(_chance: random.Random) -> Iterator[HostileInput]:
    """Requests that stop half-way: with the end of the client's side, or without another word."""
    kind = "half-sent"
    body = b"POST /toil/whisper HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: 90\r\n\r\n{"
    chunked = (
        b"POST /toil/whisper HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"
    )
    socket = upgrade_head()
    for whole in (get(b"/describe"), body, chunked, socket):
        for cut in range(1, len(whole), max(1, len(whole) // 25)):
            yield HostileInput(kind, f"{whole[:12]!r}, {cut} bytes, ended", constant(whole[:cut]), ends=True)
        for cut in (3, len(whole) // 2, len(whole) - 1):
            yield HostileInput(kind, f"{whole[:12]!r}, {cut} bytes, silent", constant(whole[:cut]), waits=True)


KINDS["half-sent"] = half_sent


# ---------------------------------------------------------------- bodies


def shapes() -> Mapping[str, Callable[[], bytes]]:
    """Values of a megabyte, as JSON."""
    count = LARGE_BYTES
    return {
        "100,000 keys": lambda: b"{" + b",".join(b'"k%d":1' % n for n in range(80_000)) + b"}",
        "one key 100,000 times": lambda: b"{" + b",".join([b'"key":1'] * 100_000) + b"}",
        "empty lists": lambda: b"[" + b",".join([b"[]"] * (count // 3)) + b"]",
        "empty objects": lambda: b"[" + b",".join([b"{}"] * (count // 3)) + b"]",
        "lists in lists": lambda: b"[" * (count // 2) + b"]" * (count // 2),
        "objects in objects": lambda: b'{"a":' * (count // 6) + b"1" + b"}" * (count // 6),
        "lists that do not end": lambda: b"[" * count,
        "60 levels, wide": lambda: b"[" * 60 + b",".join([b"[]"] * (count // 3)) + b"]" * 60,
        "one digit a number": lambda: b"[" + b",".join([b"1"] * (count // 2)) + b"]",
        "a number of a megabyte": lambda: b"9" * count,
        "a fraction of a megabyte": lambda: b"0." + b"1" * count,
        "exponents": lambda: b"[" + b",".join([b"1e308"] * (count // 6)) + b"]",
        "numbers of 300 digits": lambda: b"[" + b",".join([b"1" * 300] * (count // 301)) + b"]",
        "escapes": lambda: b'"' + rb"\u00e9" * (count // 6) + b'"',
        "escaped quotes": lambda: b'"' + rb"\"" * (count // 2) + b'"',
        "backslashes": lambda: b'"' + rb"\\" * (count // 2) + b'"',
        "half surrogates": lambda: b'"' + rb"\ud800" * (count // 6) + b'"',
        "a text that does not end": lambda: b'"' + rb"\"" * (count // 2),
        "empty texts": lambda: b"[" + b",".join([b'""'] * (count // 3)) + b"]",
        "quotes": lambda: b'"' * count,
        "commas": lambda: b"[" + b"," * count + b"]",
        "commas in a text": lambda: b'"' + b"," * count + b'"',
        "characters of four bytes": lambda: b'"' + "🍁".encode() * (count // 4) + b'"',
        "spaces": lambda: b"[" + b" " * count + b"]",
        "line feeds": lambda: b"[" + b"\n" * count + b"1",
        "not UTF-8": lambda: b'"' + b"\xff" * count + b'"',
        "NaN": lambda: b"[" + b",".join([b"NaN"] * (count // 4)) + b"]",
    }


def bodies_of(path: str) -> Mapping[str, Callable[[bytes], bytes]]:
    """Where a value goes in the requests of a route: in the place of the body, and in its fields."""
    if path.endswith("/check"):
        return {"schema": lambda value: b'{"schema":{"enum":[' + value + b"]}}"}
    if "/toil/" in path:
        return {
            "schema": lambda value: b'{"prompt":"Hi","schema":{"const":' + value + b"}}",
            "prompt": lambda value: b'{"prompt":' + value + b"}",
        }
    if path.endswith("completions"):
        return {
            "content": lambda v: b'{"model":"whisper","messages":[{"role":"user","content":' + v + b"}]}",
            "tools": lambda v: b'{"model":"whisper","messages":[{"role":"user","content":"Hi"}],"tools":' + v + b"}",
            "unknown": lambda v: b'{"model":"whisper","messages":[{"role":"user","content":"Hi","x":' + v + b"}]}",
        }
    return {"input": lambda value: b'{"model":"whisper","input":' + value + b"}"}


@register("large JSON")
def large_json(_chance: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for path in ROUTES:
        for name, value in shapes().items():
            yield f"{path} {name}", lambda path=path, value=value: post(path, value())  # type: ignore[misc]
            for field, place in bodies_of(path).items():
                yield (
                    f"{path} {field}: {name}",
                    lambda path=path, place=place, value=value: post(path, place(value())),  # type: ignore[misc]
                )


@register("mutated JSON")
def mutated_json(chance: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    whole = {
        ROUTES[0]: b'{"prompt":"Hi","schema":{"type":"object","properties":{"a":{"type":"string"}}},"temperature":0.5}',
        ROUTES[1]: b'{"schema":{"type":"array","items":{"type":"integer","minimum":1},"maxItems":3}}',
        ROUTES[2]: b'{"model":"whisper","messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],"n":1}',
        ROUTES[3]: b'{"model":"whisper","input":[{"role":"user","content":"Hi"}],"instructions":"Be brief."}',
        ROUTES[4]: b'{"model":"whisper","input":["Hi","there"],"encoding_format":"base64"}',
    }
    atoms = (
        b"null",
        b"true",
        b"-1",
        b"1e400",
        b"NaN",
        b'""',
        b"[]",
        b"{}",
        b'"\\ud800"',
        b"\xff",
        b"9" * 400,
        b'"\\u0000"',
    )
    for number in range(500):
        path = chance.choice(list(whole))
        body = bytearray(whole[path])
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(body))
            if chance.randrange(2):
                body[place : place + chance.randint(0, 6)] = chance.choice(atoms)
            else:
                body[place] = chance.randrange(256)
        yield f"{path} mutation {number}", constant(post(path, bytes(body)))


@register("schemas")
def schemas(_chance: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    built: dict[str, Callable[[], object]] = {
        "10,000 properties": lambda: {
            "type": "object",
            "properties": {f"p{n}": {"type": "string"} for n in range(10_000)},
        },
        "10,000 required": lambda: {"required": [f"p{n}" for n in range(10_000)]},
        "10,000 closed properties": lambda: {
            "properties": {f"p{n}": {"type": "integer"} for n in range(10_000)},
            "required": [f"p{n}" for n in range(10_000)],
            "additionalProperties": False,
        },
        "an enum of 30,000": lambda: {"enum": [f"value {n}" for n in range(30_000)]},
        "an enum of objects": lambda: {"enum": [{"a": n} for n in range(10_000)]},
        "10,000 alternatives": lambda: {"anyOf": [{"const": n} for n in range(10_000)]},
        "5,000 conditions": lambda: {"allOf": [{"if": {"const": n}, "then": {"type": "integer"}} for n in range(5000)]},
        "10,000 definitions": lambda: {
            "$defs": {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(10_000)},
            "$ref": "#/$defs/d0",
        },
        "references that double": lambda: {
            "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)} | {"d30": {}},
            "$ref": "#/$defs/d0",
        },
        "a circle": lambda: {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        "a remote reference": lambda: {"$ref": "http://127.0.0.1:1/schema"},
        "50 levels": lambda: nested_schema(20),
        "a slow pattern": lambda: {"type": "string", "pattern": "^(a+)+$"},
        "a large pattern": lambda: {"type": "string", "pattern": r"\p{L}{1,1000}" * 20},
        "a pattern of a megabyte": lambda: {"type": "string", "pattern": "(a|b)?" * 150_000},
        "long bounds": lambda: {"type": "string", "minLength": 10**300, "maxLength": 10**301},
        "small steps": lambda: {"type": "number", "multipleOf": 1e-300},
        "10,000 patterns": lambda: {"patternProperties": {f"^p{n}": {"type": "string"} for n in range(10_000)}},
        "long names": lambda: {"properties": {"x" * 100_000 + str(n): {} for n in range(8)}},
        "a long title": lambda: {"title": "x" * 900_000, "type": "string"},
        "unevaluated": lambda: {
            "allOf": [{"properties": {f"p{n}": {}}} for n in range(3000)],
            "unevaluatedProperties": False,
        },
    }
    for name, schema in built.items():
        for path, extra in ((ROUTES[1], {}), (ROUTES[0], {"prompt": "Hi"})):
            yield (
                f"{path} {name}",
                lambda path=path, extra=extra, schema=schema: post(  # type: ignore[misc]
                    path, json.dumps({**extra, "schema": schema()}).encode()
                ),
            )
        yield (
            f"tool: {name}",
            lambda schema=schema: post(ROUTES[2], json.dumps(tool_request(schema())).encode()),  # type: ignore[misc]
        )


def nested_schema(levels: int) -> dict[str, object]:
    schema: dict[str, object] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def tool_request(schema: object) -> dict[str, object]:
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    return {"model": PERSONALITY, "messages": [{"role": "user", "content": "Hi"}], "tools": [tool]}


@register("forms and long prompts")
def forms(_chance: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    values: dict[str, Callable[[], bytes]] = {
        "escapes": lambda: b"%41" * 300_000,
        "escapes that are no UTF-8": lambda: b"%ff" * 300_000,
        "broken escapes": lambda: b"%" * 900_000,
        "plus signs": lambda: b"+" * 900_000,
        "fields": lambda: b"a&prompt=" * 100_000,
        "semicolons": lambda: b";" * 900_000,
        "addresses": lambda: b"see+" + b"https://a.example/+" * 45_000,
        "numbers": lambda: b"123-456-789+" * 70_000,
        "at signs": lambda: b"a@" * 400_000,
        "words": lambda: b"budget+" * 120_000,
        "one word": lambda: b"x" * 900_000,
        "brackets": lambda: b"(" * 900_000,
        "contexts": lambda: b"|CONTEXT|" * 90_000,
        "JSON": lambda: b"%7B%22a%22:" * 80_000,
        "code blocks": lambda: b"```%0A" * 140_000,
    }
    for path in (f"/gpt/{PERSONALITY}", "/gpt"):
        for name, value in values.items():
            yield f"{path} {name}", lambda path=path, value=value: post(path, b"prompt=" + value(), FORM)  # type: ignore[misc]


@register("NDJSON")
def batches(chance: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    path = f"/toil/{PERSONALITY}/batch"
    bodies: dict[str, Callable[[], bytes]] = {
        **{f"a row: {name}": shape for name, shape in shapes().items()},
        "empty rows": lambda: b"{}\n" * 100_000,
        "line feeds": lambda: b"\n" * 900_000,
        "no line feed": lambda: b'{"prompt": "' + b"x" * 2_000_000,
        "broken rows": lambda: b"{\n" * 100_000,
        "lists": lambda: b"[]\n" * 100_000,
        "not UTF-8": lambda: b"\xff\n" * 100_000,
        "a header of nonsense": lambda: b'{"batch": []}\n' * 1000,
        "a slow schema": lambda: b'{"batch": {"schema": {"pattern": "^(a+)+$"}}}\n{"prompt": "Hi"}\n',
        "a template of braces": lambda: b'{"batch": {"prompt_template": "' + b"{" * 900_000 + b'"}}\n',
        "a template of fields": lambda: b'{"batch": {"prompt_template": "' + b"{a}" * 300_000 + b'"}}\n{"a": "b"}\n',
        "a mark and nothing": lambda: b"\xef\xbb\xbf",
        "UTF-16": lambda: '{"prompt": "Hi"}\n'.encode("utf-16"),
    }
    for name, body in bodies.items():
        yield name, lambda body=body: post(path, body(), NDJSON)  # type: ignore[misc]
    for number in range(60):
        rows = b"".join(bytes(chance.randrange(256) for _ in range(chance.randint(0, 80))) + b"\n" for _ in range(20))
        yield f"noise {number}", constant(post(path, rows, NDJSON))


# ---------------------------------------------------------------- WebSocket


def upgrade_head(subprotocol: bool = False) -> bytes:
    key = base64.b64encode(b"0123456789abcdef")
    name = b"Sec-WebSocket-Protocol: csps-llm.v1\r\n" if subprotocol else b""
    return (
        f"GET /gpt-socket/{PERSONALITY} HTTP/1.1\r\n".encode()
        + HOST
        + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        + key
        + b"\r\n"
        + name
        + b"\r\n"
    )


def frame(payload: bytes, first: int = 0x81, *, masked: bool = True, length: int | None = None) -> bytes:
    size = len(payload) if length is None else length
    bit = 0x80 if masked else 0
    if size < 126:
        head = bytes([first, bit | size])
    elif size < 2**16:
        head = bytes([first, bit | 126]) + struct.pack(">H", size)
    else:
        head = bytes([first, bit | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    mask = (MASK * (len(payload) // 4 + 1))[: len(payload)]
    xored = int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")
    return head + MASK + xored.to_bytes(len(payload), "big")


CLOSE = frame(b"\x03\xe8", 0x88)


@register("WebSocket frames")
def socket_frames(chance: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for first in range(256):
        yield f"first byte {first:#x}", constant(upgrade_head() + frame(b"Hi", first) + CLOSE)
    odd = {
        "unmasked": frame(b"Hi", masked=False),
        "not UTF-8": frame(b"\xff\xfe"),
        "half a character": frame(b"\xc3"),
        "announces an exabyte": frame(b"Hi", length=2**60),
        "announces the limit of lengths": frame(b"Hi", length=2**63),
        "2 MB": frame(b"x" * 2_000_000),
        "a long ping": frame(b"x" * 200, 0x89),
        "10,000 pings": frame(b"x", 0x89) * 10_000,
        "10,000 empty frames": frame(b"") * 10_000,
        "10,000 fragments": frame(b"a", 0x01) + frame(b"a", 0x00) * 10_000,
        "a fragment of nothing": frame(b"a", 0x00),
        "a text in a text": frame(b"a", 0x01) + frame(b"a", 0x01),
        "a close of one byte": frame(b"\x03", 0x88),
        "a close of a wrong code": frame(b"\x00\x00", 0x88),
        "a close that is not UTF-8": frame(b"\x03\xe8\xff", 0x88),
        "HTTP": get(b"/describe"),
        "noise": bytes(chance.randrange(256) for _ in range(4000)),
    }
    for name, data in odd.items():
        yield name, constant(upgrade_head() + data + CLOSE)


@register("WebSocket texts")
def socket_texts(_chance: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for name, value in shapes().items():
        for field, place in {
            "a frame": lambda v: v,
            "a prompt": lambda v: b'{"type":"prompt","text":' + v + b"}",
            "attachments": lambda v: b'{"type":"prompt","text":"Hi","attachments":' + v + b"}",
            "an unknown field": lambda v: b'{"type":"stop","x":' + v + b"}",
        }.items():
            yield (
                f"{field}: {name}",
                lambda place=place, value=value: upgrade_head(True) + frame(place(value())) + CLOSE,  # type: ignore[misc]
            )
        yield f"plain: {name}", lambda value=value: upgrade_head() + frame(value()) + CLOSE  # type: ignore[misc]


# ---------------------------------------------------------------- files


@register("files")
def files(chance: random.Random) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for name, (media_type, build) in CASES.items():
        yield name, lambda media_type=media_type, build=build: post("/read?name=a", build(), media_type)  # type: ignore[misc]
    endings = (
        "pdf",
        "docx",
        "xlsx",
        "pptx",
        "odt",
        "rtf",
        "html",
        "xml",
        "csv",
        "json",
        "eml",
        "msg",
        "doc",
        "zip",
        "md",
    )
    for number in range(60):
        noise = bytes(chance.randrange(256) for _ in range(chance.choice((0, 1, 100, 5000))))
        yield (
            f"noise {number}",
            constant(post(f"/read?name=a.{chance.choice(endings)}", noise, "application/octet-stream")),
        )
    for name, value in shapes().items():
        yield f"JSON: {name}", lambda value=value: post("/read?name=a.json", value())  # type: ignore[misc]
