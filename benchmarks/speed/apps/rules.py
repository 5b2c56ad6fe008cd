"""Prints the starter's addresses as JSON, for the apps that show its pages: rules, and names of static files."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from flask import url_for

from .ours import app

rules = [{"rule": rule.rule, "endpoint": rule.endpoint, "defaults": rule.defaults} for rule in app.url_map.iter_rules()]
versions = {}
with app.test_request_context():
    for endpoint, folder in (("static", app.static_folder), ("files.static", app.blueprints["files"].static_folder)):
        for path in Path(folder).iterdir():
            query = parse_qs(urlsplit(url_for(endpoint, filename=path.name)).query)
            versions[f"{endpoint}/{path.name}"] = query.get("v", [None])[0]
print(json.dumps({"rules": rules, "versions": versions}))
