"""Box UI Elements: Box's own explorer, picker, uploader, preview and sidebar, each on a page of this app.

Their scripts come from Box's CDN and run in the visitor's browser, which gets a token for that one folder or file, good
for what the element does and nothing else. `elements_policy` has what such a page may load.
"""

from dataclasses import dataclass, field

from flask import Blueprint, abort, make_response, render_template, request, url_for

from box_auth.flask import box

from . import pages
from .elements_policy import BOX, PREVIEW, api_address, policy, script, upload_address
from .items import ID, Item

elements = Blueprint("elements", __name__, url_prefix="/elements")


# At an address of their own, and registered with those of files/, so that app.py needs no line for them.
pages.record_once(lambda state: state.app.register_blueprint(elements))


@dataclass(frozen=True)
class Element:
    """``title`` is its class in Box's scripts, ``of`` the type of the item that it shows, and ``scopes`` what its token
    may do (Box: guides, UI Elements; each element's own page). ``loads`` adds to what its page may load."""

    title: str
    of: str
    scopes: tuple[str, ...]
    options: dict = field(default_factory=dict)
    loads: dict = field(default_factory=dict)


# Box's library for previews, which the elements fetch by themselves; its viewers start workers and show what they draw.
PREVIEWS = {
    "script-src": [PREVIEW],
    "style-src-elem": [PREVIEW],
    "worker-src": ["blob:"],
    "img-src": ["blob:", PREVIEW, *BOX],
    "media-src": ["blob:", *BOX],
    "connect-src": [PREVIEW, *BOX],
    "frame-src": BOX,
}
ELEMENTS = {
    "explorer": Element(
        "ContentExplorer",
        "folder",
        ("base_explorer", "item_preview", "item_download", "item_upload", "item_rename", "item_share", "item_delete"),
        loads=PREVIEWS,
    ),
    "picker": Element(
        "ContentPicker",
        "folder",
        ("base_picker",),
        {"canUpload": False, "canCreateNewFolder": False, "canSetShareAccess": False},
    ),
    "uploader": Element("ContentUploader", "folder", ("base_upload",), loads={"connect-src": BOX}),
    "preview": Element(
        "ContentPreview",
        "file",
        ("base_preview", "item_download"),
        {"hasHeader": True, "canDownload": True},
        PREVIEWS,
    ),
    "sidebar": Element(
        "ContentSidebar",
        "file",
        ("base_sidebar", "item_comment"),
        {
            "hasActivityFeed": True,
            "hasVersions": True,
            "detailsSidebarProps": {"hasProperties": True, "hasVersions": True, "hasNotices": True},
            "activitySidebarProps": {"hasTasks": False},
        },
        {"img-src": BOX},  # faces
    ),
}
NAMES = f"any({', '.join(ELEMENTS)})"


@elements.get(f"/<{NAMES}:name>")
@box.login_required
def element(name):
    return show(name, asked(name).id)


@elements.post(f"/<{NAMES}:name>/token")
@box.login_required
def token(name):
    """Give the element on the page a token: the visitor's own, cut down to ``scopes`` and to one item."""
    item = asked(name)
    item.about()  # what the visitor may not see ends here, and a token that Box has ended is renewed
    resource = f"{box.flow.settings.box_api_url}/2.0{item.path}"
    made = box.client.auth.downscope_token(list(ELEMENTS[name].scopes), resource=resource)
    return {"token": made.access_token, "expires_in": made.expires_in}


def show(name, item_id, template="files/element.html", **options):
    """Make the page with this element for one folder or file. ``options`` are more of the element's own."""
    element = ELEMENTS[name]
    item = Item(element.of, item_id)
    hosts = {"apiHost": api_address(), "uploadHost": upload_address()}
    logo = {"logoUrl": url_for("static", filename="icon.svg")}
    page = {"name": name, "element": element, "item": item, "about": item.about(), "script": script}
    response = make_response(render_template(template, options={**logo, **element.options, **options, **hosts}, **page))
    response.headers["Content-Security-Policy"] = policy(element.loads)
    return response


def asked(name):
    """Return the item that the address asks the element with this name for."""
    kind = ELEMENTS[name].of
    item_id = request.args.get(kind, "0" if kind == "folder" else "")
    if not ID.fullmatch(item_id):
        abort(404, f"The {name} shows a {kind}: its address ends in ?{kind}= and the number of one.")
    return Item(kind, item_id)
