"""docs/operations.md: its examples run as they stand, at the end of an app that talks to the local Box.

Two of them need packages that the project does not: they run where somebody has installed those.
"""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from box_auth.flask import BoxAuth

from .journey import ROOT, needs
from .small_apps import Browser

needs("docs/operations.md")

SNIPPETS = dict(
    re.findall(r"^```python (\w+)\n(.*?)^```$", (ROOT / "docs/operations.md").read_text("utf-8"), re.M | re.S)
)


@pytest.fixture
def app(make, emulator):
    app, box = make.bare(), BoxAuth()
    box.init_app(app)
    make.add_pages(app, box)
    app.add_url_rule("/calls", "calls", box.login_required(lambda: calls(box, emulator)))
    return app


def calls(box, emulator):
    """Download in both ways, and make two calls at once."""
    file = emulator.add_item(emulator.users.named(box.user.login), "a.txt", content=b"text")
    data = box.client.downloads.download_file(file.id).read()
    address = box.client.downloads.get_download_file_url(file.id)
    assert box.flow.network.client._http.get(address).status_code == 200
    return f"{data} {box.at_once(lambda: box.get('/users/me'), lambda: box.get('/users/me'))}"


def live(app, emulator):
    """Sign in, after a refusal, have a page that calls Box, and lose the sign-in. Returns what must not be seen."""
    browser = Browser(app)
    assert browser.get("/callback?code=stolen-code&state=stolen-state").status_code == 400
    callback = browser.answer("ada@")
    browser.get(callback)
    assert "b'text'" in browser.get("/calls").text
    (record,) = [
        app.extensions["box_auth"].flow.store.load(user) for user in app.extensions["box_auth"].flow.store.users()
    ]
    emulator.tokens.revoke_all()
    assert browser.get("/me").status_code == 401
    secrets = {"stolen-code", "stolen-state", "signature=", record.access_token, record.refresh_token, record.grant}
    return secrets | {value for name, value in parse_qsl(urlsplit(callback).query) if name in ("code", "state")}


def test_an_alert(app, emulator, capsys):
    names = {"app": app}
    exec(SNIPPETS["alert"], names)
    live(app, emulator)
    assert re.search(r"user \d+ must sign in again: token_ended", capsys.readouterr().out)


def test_counters_for_prometheus(app, emulator):
    prometheus = pytest.importorskip("prometheus_client", reason="needs prometheus-client")
    names = {"app": app}
    try:
        exec(SNIPPETS["prometheus"], names)
        secrets = live(app, emulator)
        page = Browser(app).get("/metrics").text
    finally:
        for name in ("CALLS", "TROUBLE"):
            prometheus.REGISTRY.unregister(names[name])
    assert 'box_call_seconds_count{method="POST",path="/oauth2/token",status="200"} 1.0' in page
    assert 'box_call_seconds_count{method="GET",path="/2.0/files/{id}/content",status="302"} 2.0' in page
    assert 'box_sign_in_trouble_total{code="state_unknown"} 1.0' in page
    assert 'box_sign_in_trouble_total{code="token_ended"} 1.0' in page
    assert not [secret for secret in secrets if secret in page]


@pytest.fixture(scope="module")
def spans():
    """The spans that were made, of the one provider that a process can have."""
    reason = "needs opentelemetry-sdk and the instrumentation of Flask and urllib3"
    trace = pytest.importorskip("opentelemetry.sdk.trace", reason=reason)
    pytest.importorskip("opentelemetry.instrumentation.flask", reason=reason)
    pytest.importorskip("opentelemetry.instrumentation.urllib3", reason=reason)
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import set_tracer_provider

    exporter, provider = InMemorySpanExporter(), trace.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    set_tracer_provider(provider)
    return exporter


@pytest.mark.filterwarnings("ignore")  # opentelemetry's own
def test_traces_with_opentelemetry(app, emulator, spans):
    names = {"app": app}
    try:
        exec(SNIPPETS["opentelemetry"], names)
        secrets = live(app, emulator)
    finally:
        names["URLLib3Instrumentor"]().uninstrument()
    made = spans.get_finished_spans()
    page = next(span for span in made if span.name == "GET /calls")
    children = [span for span in made if span.parent and span.parent.span_id == page.context.span_id]
    assert len(children) >= 3  # a download and two at once
    assert [span for span in made if span.name == "GET /callback"]
    assert "/callback" in str([dict(span.attributes) for span in made])
    seen = " ".join(span.to_json() for span in made)
    assert not [secret for secret in secrets if secret in seen], seen


def test_every_example_is_tested():
    assert set(SNIPPETS) == {"alert", "prometheus", "prometheus_workers", "opentelemetry"}
