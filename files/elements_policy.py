"""Where the pages with Box UI Elements load scripts and data from, and the content security policy that says so."""

from urllib.parse import urlsplit

from flask import current_app, request

from box_auth.flask import box

# What a fork may set in app.config, beside its code: another version has other scripts, and hashes. With copies of its
# own, in a folder of static/, BOX_ELEMENTS_URL is a path.
DEFAULTS = {
    "BOX_ELEMENTS_URL": "https://cdn01.boxcdn.net/platform/elements/26.3.0/en-US",
    "BOX_ELEMENTS_INTEGRITY": {},  # {"explorer.js": "sha384-…"}, for browsers to compare
}
BOX = ["https://*.box.com", "https://*.boxcloud.com"]  # uploads, downloads and pictures; which of them, Box says
PREVIEW = "https://cdn01.boxcdn.net/platform/preview/"


def setting(name):
    return current_app.config.get(name, DEFAULTS[name])


def script(name):
    """Return the address of one of Box's files, and the hash that it must have, if that is known."""
    return f"{setting('BOX_ELEMENTS_URL').rstrip('/')}/{name}", setting("BOX_ELEMENTS_INTEGRITY").get(name)


def own_port():
    """Return where a stand-in for Box answers on the app's own port, or None: only a demo has one."""
    path = current_app.config.get("BOX_ELEMENTS_API") if box.demo else None
    return path and request.script_root + path


def api_address():
    return own_port() or box.flow.settings.box_api_url


def upload_address():
    return own_port() or box.flow.settings.box_upload_url.removesuffix("/api")  # the elements add it


def policy(more):
    """Make the policy of a page, which names as few places as its element needs; ``more`` are those of Box's own that
    not every element does, by directive."""
    files = f"{setting('BOX_ELEMENTS_URL').rstrip('/')}/"
    api = [] if own_port() else [_source(api_address()), _source(upload_address())]
    sources = {
        "default-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "script-src": ["'self'", _source(files)],
        "style-src-elem": ["'self'", "'unsafe-inline'", _source(files)],  # the elements write <style> of their own
        "font-src": ["'self'", f"{_origin(files)}/fonts/"],
        "img-src": ["'self'", "data:", *api],
        "connect-src": ["'self'", *api],
        "frame-src": ["'self'", *api],
    }
    for directive, places in more.items():
        there = [place for place in places if place not in BOX or not own_port()]
        sources[directive] = [*sources.get(directive, ["'self'"]), *there]
    return "; ".join(f"{directive} {' '.join(dict.fromkeys(places))}" for directive, places in sources.items())


def _source(address):
    return address if urlsplit(address).netloc else "'self'"


def _origin(address):
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
