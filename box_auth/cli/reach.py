"""What stands between this machine and Box: the proxy, the certificates, the clock, and whether Box knows the app."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
from requests.utils import select_proxy

from ..config import Settings
from ..errors import BoxAuthError, SignInRequired
from ..flow import open_flow
from ..network.condition import CLOCK, clock_ahead, told, why_untrusted
from ..network.http import PooledSession
from .finding import Finding, bad

_TIMES = (5.0, 10.0)  # seconds to connect, and to answer


def check_box(settings: Settings) -> Iterator[Finding]:
    """Ask Box twice: without a token, which it answers with 401, and with the app's credentials."""
    url = f"{settings.box_api_url}/2.0/users/me"
    way, proxy = _way(url)
    try:
        with PooledSession() as http:
            answer = http.get(url, timeout=_TIMES, allow_redirects=False)
    except requests.exceptions.SSLError as error:
        why = f"{why_untrusted(error)} {way}.{_shown_by(url, proxy)}{_own_certificates()}"
        yield bad("Box", "box_tls", why.strip())
        return
    except requests.exceptions.ProxyError:
        yield bad("Box", "box_proxy", f"{way}.")
        return
    except requests.exceptions.Timeout:
        yield bad("Box", "box_slow", f"{way}.")
        return
    except requests.exceptions.RequestException:
        yield bad("Box", "box_unreachable", f"{way}.")
        return
    except OSError:  # how requests says that there is no such file
        yield bad("Box", "ca_bundle_missing", _own_certificates().strip())
        return
    if answer.status_code != 401:
        code = {407: "box_proxy", 429: "box_busy"}.get(answer.status_code, "box_bad_answer")
        yield bad("Box", "box_down" if answer.status_code >= 500 else code, f"{way}; it answered {answer.status_code}.")
        return
    yield Finding("Box", "ok", f"Box answers. {way}.")
    yield from _clock(answer.headers.get("Date", ""))
    yield _app(settings)


def _clock(date: str) -> Iterator[Finding]:
    ahead = clock_ahead(date)
    if ahead is None:  # Box did not say
        return
    if abs(ahead) > CLOCK:
        yield bad("clock", "clock_off", told(ahead), "warn")
    else:
        yield Finding("clock", "ok", "The clock agrees with Box's.")


def _app(settings: Settings) -> Finding:
    """Trade a refresh token that cannot exist: Box looks at the app's credentials before it says so."""
    flow = open_flow(settings)
    try:
        flow.oauth.refresh("made-up-by-flask-box-doctor")
    except SignInRequired:
        return Finding("Box app", "ok", "Box knows the app's id and secret.")
    except BoxAuthError as error:
        return bad("Box app", error.code, error.detail)
    finally:
        flow.network.close()
    return bad("Box app", "box_bad_answer")


def _way(url: str) -> tuple[str, str]:
    """Say which way requests take, and return the proxy, if any, without its user name and password."""
    with PooledSession() as http:
        proxies = http.merge_environment_settings(url, {}, False, None, None)["proxies"]
    host = urlsplit(url).netloc.rpartition("@")[2]
    chosen = select_proxy(url, proxies)
    if not chosen:
        return f"The way is direct, to {host}", ""
    proxy = (chosen if "//" in chosen else f"//{chosen}").partition("//")[2].rpartition("@")[2].rstrip("/")
    return f"The way is through the proxy {proxy}, to {host}", proxy


def _shown_by(url: str, proxy: str) -> str:
    """Name who issued the certificate that was not trusted; that can be had on a direct way only."""
    parts = urlsplit(url)
    if proxy or not parts.hostname:
        return ""
    from cryptography import x509

    try:
        pem = ssl.get_server_certificate((parts.hostname, parts.port or 443), timeout=_TIMES[0])
        return f" The certificate was issued by {x509.load_pem_x509_certificate(pem.encode()).issuer.rfc4514_string()}."
    except (OSError, ValueError):
        return ""


def _own_certificates() -> str:
    named = next((name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name)), "")
    return f" {named} is {os.environ[named]}." if named else ""
