"""The same sign-in and dashboard under FastAPI: uvicorn examples.fastapi_app:app --port 5000

Its routes are plain functions, which FastAPI runs on its thread pool: the SDK's calls block, and may.
"""

import secrets
import sys
from html import escape

from box_sdk_gen import BoxAPIError
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

from box_auth import BoxAuthError, SignInRequired, hide_login_codes, login_cookie, open_flow, pending_login, refusal
from box_auth.logs import printable
from box_auth.readiness import Readiness

try:
    from box_emulator import stand_in  # the demo, until your Box app is connected
except ImportError:  # you deleted it
    stand_in = None

try:
    flow = open_flow(demo=stand_in, announce=True)
except BoxAuthError as error:  # what is missing, in a sentence
    sys.exit(str(error))
hide_login_codes("uvicorn.access", "uvicorn.error")  # the addresses that a server logs have them
KEY = flow.settings.secret_key or secrets.token_urlsafe(32)
HTTPS = flow.settings.redirect_uri.startswith("https:")
READINESS = Readiness(flow.store.check_writable, flow.store.away)
app = FastAPI()
# A signed cookie; it holds who is signed in, never a token.
app.add_middleware(SessionMiddleware, secret_key=KEY, session_cookie="box_session_fastapi", https_only=HTTPS)


@app.get("/")
def dashboard(request: Request):
    session = request.session
    record = flow.find(session["user"], session["grant"]) if "user" in session else None
    if record is None:
        return HTMLResponse('<a href="/login">Sign in with Box</a>')
    client = flow.client(record)
    user, items = flow.network.at_once(client.users.get_user_me, lambda: client.folders.get_folder_items("0"))
    names = "".join(f"<li>{escape(printable(item.name))}</li>" for item in items.entries or [])
    head = f"<h1>{escape(printable(user.name))}</h1><p>{escape(printable(user.login))}</p>"  # texts, whatever Box says
    return HTMLResponse(f'{head}<ul>{names}</ul><form action="/logout" method="post"><button>Sign out</button></form>')


@app.get("/login")
def login():
    address, pending = flow.start()
    answer = RedirectResponse(address)  # with a cookie for this sign-in alone, so that two tabs do not meet
    answer.set_cookie(*login_cookie(pending, [KEY]), 600, path="/callback", secure=HTTPS, httponly=True, samesite="lax")
    return answer


@app.get("/callback")
def callback(request: Request):
    pending = pending_login(request.query_params.get("state", ""), request.cookies, [KEY])
    record = flow.finish(request.query_params, pending)
    request.session.update(user=record.user_id, grant=record.grant)
    return RedirectResponse("/")


@app.post("/logout")
def logout(request: Request):
    if "user" in request.session:
        flow.forget(request.session["user"], request.session["grant"])
    request.session.clear()
    return RedirectResponse("/", status_code=303)


@app.get("/livez")
async def live():  # not on the pool, where pages may wait for Box
    return {"alive": True}


@app.get("/readyz")
def ready():
    code = READINESS.trouble()
    return JSONResponse({"ready": not code} | ({"code": code} if code else {}), 503 if code else 200)


@app.exception_handler(BoxAuthError)
@app.exception_handler(BoxAPIError)
def explain(request: Request, error: Exception):
    ours = refusal(error) if isinstance(error, BoxAPIError) else error
    if isinstance(ours, SignInRequired):
        request.session.clear()
    words = "".join(f"<p>{escape(text)}</p>" for text in (ours.problem.happened, ours.detail, ours.problem.todo))
    page = f'<h1>{escape(ours.problem.title)}</h1>{words}<p>Code: <code>{ours.code}</code></p><a href="/">Home</a>'
    return HTMLResponse(page, ours.problem.status)
