"""What a start is compared with: a Flask app that imports Box's SDK and answers one line."""

import box_sdk_gen  # noqa: F401
from flask import Flask

app = Flask(__name__)


@app.get("/")
def home():
    return "Hello."
