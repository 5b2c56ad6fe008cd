"""The app. This is the file to edit: each page is one short function here and one template."""

from io import BytesIO

from box_sdk_gen import BoxAPIError
from flask import Flask, render_template, request, send_file

import files  # pages two to ten: delete this line and the one below that registers them, and the folder can go
from box_auth.flask import box

app = Flask(__name__)
box.init_app(app, demo="box_emulator:embed", after_login="dashboard")  # delete demo once your Box app is connected
app.register_blueprint(files.pages)

FIELDS = ["name", "size", "modified_at", "url"]  # what Box is asked for of each item
ACCOUNT = ["name", "login", "space_used", "space_amount"]
SIZE = 50  # items on a page


@app.get("/")
def home():
    return render_template("home.html")


@app.get("/dashboard")
@box.login_required
def dashboard():
    page = max(1, min(request.args.get("page", 1, type=int), 100))
    items, account = box.at_once(
        lambda: box.get("/folders/0/items", fields=FIELDS, limit=SIZE, offset=(page - 1) * SIZE),
        lambda: box.get("/users/me", fields=ACCOUNT),
    )
    return render_template("dashboard.html", account=account, items=items, page=page, size=SIZE)


@app.get("/avatar")
@box.login_required
def avatar():
    try:
        picture = box.client.avatars.get_user_avatar(box.user.id).read()
    except BoxAPIError:  # an account without a picture
        return app.send_static_file("avatar.svg")
    response = send_file(BytesIO(picture), mimetype="image/png")
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


if __name__ == "__main__":
    box.run(app)
