"""The forms of these pages. Flask-WTF gives each the token that protects it from other sites."""

from box_sdk_gen import BoxAPIError
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length

from box_auth import BoxUnavailable
from box_auth.flask import box


class BoxForm(FlaskForm):
    """A form that is sent to Box: what Box refuses is shown in it, and what was typed stays."""

    status = 200

    def sent(self, field, call):
        """Whether the form came in and was right, and Box took ``call``. If Box refuses, ``field`` says why."""
        if not self.validate_on_submit():
            self.status = 400 if self.is_submitted() else 200
            return False
        try:
            call()
        except BoxAPIError as error:
            problem, self.status = box.explain(error).problem, error.response_info.status_code
        except BoxUnavailable as error:
            problem, self.status = error.problem, error.problem.status
        else:
            return True
        field.errors = [f"{problem.happened} {problem.todo}"]
        return False


class NameForm(BoxForm):
    name = StringField("Name", [InputRequired("Type a name."), Length(max=255, message="Type 255 characters at most.")])
    etag = HiddenField()


class Confirmation(BoxForm):
    """Nothing but a button."""
