"""Prints the starter's addresses as JSON, for the apps that show its pages."""

import json

from .ours import app

rules = [{"rule": rule.rule, "endpoint": rule.endpoint, "defaults": rule.defaults} for rule in app.url_map.iter_rules()]
print(json.dumps(rules))
