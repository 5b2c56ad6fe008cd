"""The forms of these pages. Flask-WTF gives each the token that protects it from other sites."""

from box_sdk_gen import BoxAPIError
from flask import abort, flash, redirect
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, Length, Regexp, ValidationError

from box_auth import BoxAuthError
from box_auth.flask import box

from .items import explained

ETAG = Regexp(r"[0-9a-zA-Z-]{0,40}$")  # of an item, as Box gives it; it goes into a header


class BoxForm(FlaskForm):
    """A form that is sent to Box: what Box refuses is shown in it, and what was typed stays."""

    status = 200  # of the page with the form

    def sent(self, field, call):
        """Whether the form came in and was right, and Box took ``call``. If not, ``field`` says why.

        ``call`` may also refuse for reasons of the app's own, by raising ``wtforms.ValidationError("words")``.
        """
        if not self.validate_on_submit():
            self.status = 400 if self.is_submitted() else 200
            if self.errors and box.wants_json:
                abort(400, " ".join(words for each in self.errors.values() for words in each))
            return False
        try:
            call()
            return True
        except ValidationError as error:
            field.errors, self.status = [str(error)], 400
        except (BoxAPIError, BoxAuthError) as error:
            problem, self.status = explained(error), status_of(error)
            field.errors = [f"{problem.happened} {problem.todo}"]
        return False


class NameForm(BoxForm):
    name = StringField("Name", [DataRequired("Type a name."), Length(max=255, message="Type 255 characters at most.")])
    etag = HiddenField(validators=[ETAG])


class Confirmation(BoxForm):
    """Nothing but a button."""


def status_of(error):
    """Return the HTTP status of a page that tells of a failure."""
    return error.response_info.status_code if isinstance(error, BoxAPIError) else error.problem.status


def tell_how_it_went(call, done, gone):
    """Make a call to Box, and have the next page say how it went: ``gone`` if the thing is not there any more."""
    try:
        call()
    except (BoxAPIError, BoxAuthError) as error:
        problem = explained(error)
        flash(gone if status_of(error) == 404 else f"{problem.happened} {problem.todo}", "error")
    else:
        flash(done)


def still_there(path, fields, gone, back):
    """Return what Box has at ``path``. If it has nothing there any more, end the request on the page ``back``."""
    try:
        return box.get(path, fields=fields)
    except BoxAPIError as error:
        if error.response_info.status_code != 404 or box.wants_json:
            raise
        flash(gone, "error")
        abort(redirect(back))
