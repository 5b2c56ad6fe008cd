"""Sign-in with Box for a Flask app: ``box.init_app(app)`` adds /login, /callback and /logout; pages ask ``box``.

``box`` is one ready-made `BoxAuth`, so that the app and its blueprints share it without importing each other.
"""

from ..errors import SignInRefused
from .extension import BoxAuth
from .user import User

box = BoxAuth()

__all__ = ["BoxAuth", "SignInRefused", "User", "box"]
