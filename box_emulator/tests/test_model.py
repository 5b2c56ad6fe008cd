"""Random days in a Box, against the simplest model of a file tree that there is."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from werkzeug.test import Client

from box_emulator import Emulator
from box_emulator.web import api_app

NAMES = st.sampled_from(["a", "A", "b", "straße", "STRASSE", "c.txt"])
LOGIN = "nil@example.com"


class Node:
    """An item as the model has it."""

    def __init__(self, id, type, parent, name, content=b""):
        self.id, self.type, self.parent, self.name, self.content = id, type, parent, name, content
        self.trashed, self.etag = False, 0


class FileTree(RuleBasedStateMachine):
    folders, files = Bundle("folders"), Bundle("files")

    @initialize(target=folders)
    def start(self):
        self.emulator = Emulator()
        self.client = Client(api_app(self.emulator, "http://localhost"))
        self.bearer = {"Authorization": f"Bearer {self.emulator.sign_in(LOGIN).access_token}"}
        self.root = Node("0", "folder", None, "All Files")
        self.nodes = {"0": self.root}
        return self.root

    def teardown(self):
        if hasattr(self, "emulator"):
            self.emulator.close()

    # The model

    def above(self, node):
        while node:
            yield node
            node = node.parent

    def lives(self, node):
        return node.id in self.nodes and not any(each.trashed for each in self.above(node))

    def below(self, folder):
        return [node for node in self.nodes.values() if node.parent is folder]

    def tree(self, node):
        return [node, *(each for child in self.below(node) for each in self.tree(child))]

    def taken(self, folder, name, but=None):
        return any(
            node.name.casefold() == name.casefold() and not node.trashed and node is not but
            for node in self.below(folder)
        )

    def expected(self, folder, name, *needed, but=None):
        if not all(self.lives(node) for node in (folder, *needed)):
            return 404
        return 409 if self.taken(folder, name, but) else None

    def call(self, method, path, body=None, **headers):
        return self.client.open(f"/2.0{path}", method=method, json=body, headers=self.bearer | headers)

    # What can happen

    @rule(target=folders, parent=folders, name=NAMES)
    def make_folder(self, parent, name):
        answer = self.call("POST", "/folders", {"name": name, "parent": {"id": parent.id}})
        return self.made(answer, self.expected(parent, name), "folder", parent, name)

    @rule(target=files, parent=folders, name=NAMES, content=st.binary(max_size=20))
    def upload(self, parent, name, content):
        import io
        import json

        attributes = json.dumps({"name": name, "parent": {"id": parent.id}})
        form = {"attributes": attributes, "file": (io.BytesIO(content), "x")}
        answer = self.client.post("/api/2.0/files/content", data=form, headers=self.bearer)
        return self.made(answer, self.expected(parent, name), "file", parent, name, content)

    @rule(node=st.one_of(folders, files), parent=folders, name=NAMES)
    def move(self, node, parent, name):
        kind = f"{node.type}s"
        answer = self.call("PUT", f"/{kind}/{node.id}", {"name": name, "parent": {"id": parent.id}})
        if node is self.root:
            expected = 403
        elif self.lives(node) and self.lives(parent) and node in self.above(parent):
            expected = 400
        else:
            expected = self.expected(parent, name, node, but=node) or 200
        assert answer.status_code == expected
        if expected == 200:
            node.parent, node.name, node.etag = parent, name, node.etag + 1

    @rule(target=files, node=files, parent=folders, name=NAMES)
    def copy(self, node, parent, name):
        answer = self.call("POST", f"/files/{node.id}/copy", {"name": name, "parent": {"id": parent.id}})
        return self.made(answer, self.expected(parent, name, node), "file", parent, name, node.content)

    @rule(node=st.one_of(folders, files), recursive=st.booleans())
    def trash(self, node, recursive):
        answer = self.call("DELETE", f"/{node.type}s/{node.id}?recursive={str(recursive).lower()}")
        if node is self.root:
            expected = 403
        elif not self.lives(node):
            expected = 404
        elif not recursive and any(not child.trashed for child in self.below(node)):
            expected = 400
        else:
            expected, node.trashed = 204, True
        assert answer.status_code == expected

    @rule(node=st.one_of(folders, files))
    def restore(self, node):
        answer = self.call("POST", f"/{node.type}s/{node.id}", {})
        if node.id not in self.nodes or not node.trashed or not self.lives(node.parent):
            expected = 404
        elif self.taken(node.parent, node.name):
            expected = 409
        else:
            expected, node.trashed, node.etag = 201, False, node.etag + 1
        assert answer.status_code == expected

    @rule(node=consumes(files))
    def purge(self, node):
        answer = self.call("DELETE", f"/files/{node.id}/trash")
        there = node.id in self.nodes and node.trashed
        assert answer.status_code == (204 if there else 404)
        if there:
            del self.nodes[node.id]

    def made(self, answer, expected, *parts):
        if expected:
            assert answer.status_code == expected
            return multiple()
        assert answer.status_code == 201
        made = answer.json.get("entries", [answer.json])[0]
        node = self.nodes[made["id"]] = Node(made["id"], *parts)
        return node

    # What always holds

    @invariant()
    def every_folder_lists_what_the_model_has(self):
        for folder in [node for node in self.nodes.values() if node.type == "folder" and self.lives(node)]:
            answer = self.call("GET", f"/folders/{folder.id}?fields=size,item_collection").json
            listed = {(entry["id"], entry["name"], entry["etag"]) for entry in answer["item_collection"]["entries"]}
            children = [node for node in self.below(folder) if not node.trashed]
            assert listed == {(node.id, node.name, str(node.etag)) for node in children}
            assert answer["item_collection"]["total_count"] == len(children)
            alive = [node for node in self.tree(folder) if self.lives(node)]
            assert answer["size"] == sum(len(node.content) for node in alive)

    @invariant()
    def space_is_taken_by_all_that_is_not_gone_for_good(self):
        used = self.emulator.users.named(LOGIN).space_used
        assert used == sum(len(node.content) for node in self.nodes.values())


TestFileTree = FileTree.TestCase
TestFileTree.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
