"""What phones ask for: plain requests on the lab's own port, with no session of Streamlit.

    GET  /room, /room/      a field for the code
    GET  /room/CODE         the question, as a page of its own; gives the device its token, in a cookie that only these routes read
    GET  /room/CODE/now     the room as it is now, as JSON
    POST /room/CODE/vote    {"number": 1, "answer": [0]}

Whatever is refused gets one sentence and a status of 4xx; where the votes cannot be kept, 503. No address of a visitor and nothing of
the browser is looked at or kept.
"""

import base64
import hashlib
import json
import re
import secrets
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from functools import cache
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dlab.cache import dumps
from dlab.params import BadInput
from dlab.room import store
from dlab.room.store import Asked, Refused, Unkept

COOKIE = "dlab_device"
KEPT = 6 * 3600  # seconds that a browser keeps the token; longer than a room lasts
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
CODE = re.compile(f"[{store.LETTERS}]{{{store.LENGTH}}}")
LARGEST = 1024  # bytes of a vote
PER_DEVICE = 2.0, 20  # requests with a vote a second, and at once
FOR_ALL = 400.0, 1200  # of all phones together
GUESSES = 10.0, 100  # codes that are of no room
STATE = '<script type="application/json" id="state">{}</script>'
HEADERS = {
    "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex",
}  # fmt: skip
WRONG = "No room has this code now; look again at the screen."


class Answer(Exception):
    """A request that is not answered as it hoped: a status and a sentence."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status


class Bucket:
    """So many requests a second, and some more at once."""

    def __init__(self, rate: float, most: float):
        self.rate, self.most, self.left, self.at = rate, most, most, time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self.left, self.at = min(self.most, self.left + (now - self.at) * self.rate), now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Limits:
    """What this process takes of phones; a room behind one address is one visitor to its router, so no address is limited."""

    def __init__(self):
        self.all, self.guesses = Bucket(*FOR_ALL), Bucket(*GUESSES)
        self._devices: OrderedDict[str, Bucket] = OrderedDict()
        self._guard = threading.Lock()

    def device(self, token: str) -> bool:
        with self._guard:
            bucket = self._devices.setdefault(token, Bucket(*PER_DEVICE))
            self._devices.move_to_end(token)
            while len(self._devices) > 4 * store.MOST_VOTES:
                self._devices.popitem(last=False)
            return bucket.take()


def routes(base: str = "", rooms=store.shared) -> list[Route]:
    """The routes, below the path at which the lab is served; rooms() -> the store."""
    limits, root = Limits(), f"/{base.strip('/')}".rstrip("/")

    def checked(request) -> tuple[str, str]:
        """The code and the device's token, "" where it has none."""
        if not limits.all.take():
            raise Answer(429, "Too many phones ask at once; it goes on in a moment.")
        token = request.cookies.get(COOKIE, "")
        return request.path_params["code"].upper(), token if TOKEN.fullmatch(token) else ""

    def found(code) -> Asked:
        asked = rooms().now(code) if CODE.fullmatch(code) else None
        if asked is None and not limits.guesses.take():
            raise Answer(429, "Too many wrong codes were tried; it goes on in a moment.")
        if asked is None:
            raise Answer(404, WRONG)
        return asked

    def state(code, token) -> dict:
        asked = found(code)
        return _told(asked, rooms().vote_of(asked, token) if token else None)

    async def page(request: Request) -> Response:
        code, status, token = request.path_params.get("code", "").upper(), 200, ""
        try:
            if code:
                code, token = checked(request)
                told = await run_in_threadpool(state, code, token)
            else:
                told = {"said": ""}
        except Unkept as error:
            status, told = 503, {"said": str(error)}
        except Answer as no:
            status, told = no.status, {"said": str(no)}
        html, policy = _page()
        text = html.replace("<!--state-->", STATE.format(dumps(told | {"root": f"{root}/room"}).replace("<", "\\u003c")))
        headers = HEADERS | {"Content-Security-Policy": policy}
        response = Response(text, status, headers=headers, media_type="text/html")
        if code and not token and status == 200:
            response.set_cookie(
                COOKIE, secrets.token_urlsafe(16), max_age=KEPT, path=f"{root}/room", httponly=True, samesite="lax", secure=_secure(request)
            )
        return response

    async def now(request: Request) -> Response:
        return await _answered(lambda: run_in_threadpool(state, *checked(request)))

    async def vote(request: Request) -> Response:
        async def answer():
            code, token = checked(request)
            _same_site(request)
            if not token:
                raise Answer(400, "This browser keeps no cookies, which tell votes apart; allow them and open the page again.")
            if not limits.device(token):
                raise Answer(429, "This device has voted many times at once; wait a moment.")
            given = await _body(request)

            def counted():
                asked = found(code)
                if given.get("number") != asked.number:
                    raise Refused("The room has gone on to another question.")
                return _told(asked, rooms().vote(asked, token, given.get("answer")))

            try:
                return await run_in_threadpool(counted)
            except Refused as no:
                raise Answer(409, str(no)) from no

        return await _answered(answer)

    async def nothing(request: Request) -> Response:
        return JSONResponse({"said": "There is nothing here; a room is at /room/ and its code."}, 404, headers=HEADERS)

    return [
        Route(f"{root}/room", page), Route(f"{root}/room/", page), Route(f"{root}/room/{{code}}", page),
        Route(f"{root}/room/{{code}}/now", now), Route(f"{root}/room/{{code}}/vote", vote, methods=["POST"]),
        Route(f"{root}/room/{{rest:path}}", nothing),  # or Streamlit would answer with its own page
    ]  # fmt: skip


def _told(asked: Asked, vote) -> dict:
    """What a phone may know: the question and its own vote, nothing of other votes."""
    return {"code": asked.code, "number": asked.number, "open": asked.open, "question": asked.question.to_json(), "vote": vote}


async def _answered(make) -> Response:
    """What make() gives as JSON, or the sentence why not."""
    try:
        return JSONResponse(await make(), headers=HEADERS)
    except Answer as no:
        return JSONResponse({"said": str(no)}, no.status, headers=HEADERS)
    except BadInput as error:
        return JSONResponse({"said": str(error)}, 503 if isinstance(error, Unkept) else 400, headers=HEADERS)


def _secure(request) -> bool:
    return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"


def _same_site(request) -> None:
    """Another site's page must not vote with a visitor's token: browsers say where a request comes from."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin" or (origin and origin.partition("://")[2].lower() != request.headers.get("host", "").lower()):
        raise Answer(403, "Votes are taken only from the room's own page.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Answer(415, "A vote is JSON; open the room's page to vote.")


async def _body(request) -> dict:
    """The object that was sent, read no further than it may be long."""
    read, given = b"", None
    with suppress(ValueError, RecursionError, ClientDisconnect):
        async for chunk in request.stream():
            read += chunk
            if len(read) > LARGEST:
                raise Answer(413, f"A vote has at most {LARGEST} bytes.")
        given = json.loads(read)
    if not isinstance(given, dict):
        raise Answer(400, "This is not a vote; open the room's page to vote.")
    return given


@cache
def _page() -> tuple[str, str]:
    """The phone's page, and the policy that lets it run its own style and script and nothing else."""
    html = Path(__file__).with_name("phone.html").read_text("utf-8")
    kinds = {kind: re.search(rf"<{kind}>(.*?)</{kind}>", html, re.DOTALL)[1] for kind in ("style", "script")}
    allowed = {kind: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for kind, text in kinds.items()}
    policy = (
        f"default-src 'none'; style-src 'sha256-{allowed['style']}'; script-src 'sha256-{allowed['script']}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return html, policy
