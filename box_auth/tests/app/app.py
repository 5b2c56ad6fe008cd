"""A fork's app at its smallest, which the engine's tests start: no edit of the real one can turn them red."""

from flask import Flask, render_template

from box_auth.flask import box

app = Flask(__name__)
box.init_app(app, demo="box_emulator:embed", after_login="dashboard")


@app.get("/")
def home():
    return render_template("page.html")


@app.get("/dashboard")
@box.login_required
def dashboard():
    account, root = box.at_once(
        lambda: box.client.users.get_user_me(),
        lambda: box.client.folders.get_folder_items("0"),
    )
    return render_template("page.html", account=account, items=root.entries)
